"""From recorded usage to a bill: each figure was computed by hand from the recorded prices of us-east-1.

m6i.large: 0.096 USD an hour On-Demand. gp3: 0.08 USD a GB-month, so 100 GiB cost 1/90 USD an hour.
"""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from genolaunch.contract.cost import EXPORTED_COLUMNS
from genolaunch.contract.launch import Status
from lambdas.pricing import collect_usage, price_launch
from lambdas.pricing.rates.money import PriceError
from tests.handlers.pricing.conftest import (
    CONTEXT,
    LAUNCH,
    START,
    at,
    batch_event,
    deliver,
    instance_event,
    job,
    register,
)

EVENT = {"launchId": LAUNCH, "attempt": 1}


def collect() -> dict[str, Any]:
    answer: dict[str, Any] = collect_usage.handler(EVENT, CONTEXT)
    return answer


def price() -> dict[str, Any]:
    bill: dict[str, Any] = price_launch.handler(EVENT, CONTEXT)
    return bill


def lines() -> list[dict[str, str]]:
    key = f"results/{LAUNCH}/cost/attempt-1.json"
    body = boto3.client("s3").get_object(Bucket="results", Key=key)["Body"].read()
    document: list[dict[str, str]] = json.loads(body)["lines"]
    return document


def test_a_run_on_demand_is_priced_line_by_line(account):
    register()
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 2, 80))), instance_event("i-1", "shutting-down", 90))
    assert collect() == {"complete": True, "waitsFor": []}

    bill = price()

    # Then: 78 min at work and 12 min idle at 0.096 an hour; 90 min of 100 GiB at 0.08 a month of 720 hours
    assert (bill["instanceCost"], bill["volumeCost"], bill["filesystemCost"]) == ("0.144000", "0.016667", "0.000000")
    assert bill["totalCost"] == "0.160667"
    work, idle, volume = lines()
    assert (work["amount"], idle["amount"], volume["amount"]) == ("0.124800", "0.019200", "0.016667")
    assert (work["quantity"], work["unit"], work["unitPrice"]) == ("1.3", "Hrs", "0.096")
    assert work["source"].startswith("AWS Price List, SKU ")
    assert work["priceAsOf"] == "2026-11-21T00:00:00Z"
    assert Decimal(volume["quantity"]) * Decimal(volume["unitPrice"]) == pytest.approx(
        Decimal("0.016667"), abs=Decimal("1e-6")
    )
    assert bill["statusSeconds"] == {"M": {"SUBMITTED": {"S": "30.000"}, "RUNNING": {"S": "5400.500"}}}


def test_spot_prices_are_those_of_the_zone_and_the_time(account):
    register()
    account.add_instance("i-1", spot=True)
    account.spot = [
        {"SpotPrice": "0.05", "Timestamp": at(45)},
        {"SpotPrice": "0.03", "Timestamp": START - timedelta(hours=3)},
    ]
    deliver(batch_event(job("job-1", ("i-1", 0, 90))), instance_event("i-1", "shutting-down", 90))
    assert price()["instanceCost"] == "0.060000"  # 45 min at 0.03 and 45 at 0.05
    assert {line["source"] for line in lines() if line["kind"] == "instance"} == {"EC2 Spot price history"}


def test_what_the_events_missed_is_looked_up(account):
    # Given: no event at all of an array of 150 children on two instances
    register()
    account.add_instance("i-1")
    account.add_instance("i-2")
    account.jobs["array"] = {**job("array"), "arrayProperties": {"size": 150}}
    for index in range(150):
        host = "i-1" if index < 75 else "i-2"
        account.jobs[f"array:{index}"] = job(f"array:{index}", (host, index, index + 0.5), vcpus=1)
    assert collect() == {"complete": False, "waitsFor": ["instance i-1", "instance i-2"]}
    assert account.calls.count("DescribeJobs") == 3  # the array, and its children by a hundred
    deliver(instance_event("i-1", "shutting-down", 80), instance_event("i-2", "shutting-down", 160))

    assert collect()["complete"]
    # Then: idle before, between and after its jobs, all of it is this launch's: 80 and 160 min
    assert price()["instanceCost"] == "0.384000"
    # And: another round describes nothing again
    before = account.calls.count("DescribeJobs")
    collect()
    assert account.calls.count("DescribeJobs") == before + 1


def test_the_last_attempt_of_a_job_that_was_tried_again_is_looked_up_too(account):
    # Given: the first attempt's end is known, and the event of the second one's end was lost
    register()
    account.add_instance("i-1")
    account.add_instance("i-2")
    deliver(batch_event(job("job-1", ("i-1", 0, 20), running=("i-2", 25))))
    deliver(instance_event("i-1", "shutting-down", 20), instance_event("i-2", "shutting-down", 60))
    account.jobs["job-1"] = job("job-1", ("i-1", 0, 20), ("i-2", 25, 60))

    assert collect() == {"complete": True, "waitsFor": []}
    assert price()["instanceCost"] == "0.128000"  # 20 and 60 minutes


def test_an_instance_that_vanished_unheard_of_ends_with_its_last_job(account):
    register()
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 0, 60))))
    account.instances.clear()
    assert collect()["complete"]
    assert price()["instanceCost"] == "0.096000"


def test_an_instance_that_others_keep_busy_need_not_end(account):
    other = "other-20261101t080000-1a2b3c4d"
    register()
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 0, 60))), batch_event(job("job-2", running=("i-1", 70), launch=other)))
    assert collect()["complete"]
    assert price()["instanceCost"] == "0.112000"  # its hour, and the ten minutes that it left the instance idle


def test_jobs_under_way_and_file_systems_are_waited_for(account):
    register(Status.CANCELLED, fileSystemId="fs-1")
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", running=("i-1", 0))))
    assert set(collect()["waitsFor"]) == {
        "job gwas-20261101t080000-1a2b3c4d-1-step2",
        "instance i-1",
        "file system fs-1",
    }


def test_unit_prices_are_read_once_a_day(account):
    register()
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 0, 60))), instance_event("i-1", "shutting-down", 60))
    first = price()
    account.prices.fail("ThrottlingException", 100)
    assert price()["totalCost"] == first["totalCost"]
    # And: what is older than a day is not believed
    prices = boto3.resource("dynamodb").Table("prices")
    for item in prices.scan()["Items"]:
        prices.put_item(Item={**item, "readAt": "2026-11-01T00:00:00.000Z"})
    with pytest.raises(PriceError, match="could not be asked"):
        price()


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InternalErrorException"])
def test_a_price_list_that_refuses_is_no_price_of_zero(account, code):
    register()
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 0, 60))), instance_event("i-1", "shutting-down", 60))
    account.prices.fail(code, 100)
    with pytest.raises(PriceError, match="could not be asked"):
        price()


def test_a_type_without_a_price_is_named(account):
    register()
    account.add_instance("i-1", "z9.large")
    deliver(batch_event(job("job-1", ("i-1", 0, 60))), instance_event("i-1", "shutting-down", 60))
    with pytest.raises(PriceError, match=r"no price of BoxUsage:z9\.large"):
        price()


def test_an_attempt_of_a_job_whose_instance_nobody_saw_is_told(account):
    register()
    deliver(batch_event(job("job-1", ("i-1", 0, 60))))
    with pytest.raises(PriceError, match="the instance was not recorded in time"):
        price()


def test_a_volume_that_went_before_it_was_seen_is_the_launch_templates(account):
    register()
    account.add_instance("i-1", BlockDeviceMappings=[])
    deliver(batch_event(job("job-1", ("i-1", 2, 80))), instance_event("i-1", "shutting-down", 90))
    assert price()["volumeCost"] == "0.016667"
    assert lines()[-1]["resource"] == "volume of i-1"


REPORT = "<h1>gwas</h1>\n<!-- cost -->\n<p>Not known yet</p>\n<!-- /cost -->\n<footer>the end</footer>"


def priced_with_report(
    account: Any, report: str | None, uri: str = f"s3://results/results/{LAUNCH}/report.html"
) -> Any:
    """When: a launch that wrote a report is priced; its reader."""
    register(reportUri=uri)
    if report is not None:
        boto3.client("s3").put_object(Bucket="results", Key=f"results/{LAUNCH}/report.html", Body=report.encode())
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 2, 80))), instance_event("i-1", "shutting-down", 90))
    assert price()["totalCost"] == "0.160667"
    return lambda name: boto3.client("s3").get_object(Bucket="results", Key=f"results/{LAUNCH}/{name}")["Body"].read()


def test_the_report_gets_its_section_and_keeps_the_rest(account):
    read = priced_with_report(account, REPORT)
    report = read("report.html").decode()
    assert report.startswith("<h1>gwas</h1>")
    assert report.endswith("<footer>the end</footer>")
    assert "Not known yet" not in report
    assert "Attempt 1 cost <strong>0.160667 USD</strong>" in report
    assert "m6i.large On-Demand in us-east-1a, waiting" in report
    # And: priced again, it has the section once
    price()
    assert read("report.html").decode().count("<strong>0.160667 USD</strong>") == 1


def test_somebody_elses_report_stays_as_it_is(account):
    read = priced_with_report(account, "<h1>a report of the workflow</h1>")
    assert read("report.html") == b"<h1>a report of the workflow</h1>"
    assert b"0.160667 USD" in read("cost/attempt-1.html")


def test_a_report_that_is_not_there_does_not_hide_the_price(account):
    priced_with_report(account, None)


def test_a_priced_attempt_is_a_row_for_the_daily_export(account):
    config = {"regenie": {"version": "4.1.2"}}
    times: dict[str, Any] = {"startedAt": "2026-11-01T08:00:00.000Z", "endedAt": "2026-11-01T09:29:30.500Z"}
    register(workflow="regenie", config=json.dumps(config), requestedBy="ada", computeService="batch-spot", **times)
    account.add_instance("i-1")
    deliver(batch_event(job("job-1", ("i-1", 2, 80))), instance_event("i-1", "shutting-down", 90))
    bill = price()
    (found,) = boto3.client("s3").list_objects_v2(Bucket="analytics")["Contents"]
    assert found["Key"] == f"priced/day={bill['pricedAt'][:10]}/{LAUNCH}-1.json"
    line = boto3.client("s3").get_object(Bucket="analytics", Key=found["Key"])["Body"].read().decode()
    row = json.loads(line)
    assert line.count("\n") == 1
    assert list(row) == list(EXPORTED_COLUMNS)
    assert (row["engine"], row["requested_by"], row["total_cost"]) == ("regenie 4.1.2", "ada", "0.160667")
    assert row["run_seconds"] == 5370.5
