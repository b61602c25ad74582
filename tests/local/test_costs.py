"""A launch that ended carries its price a moment later, from what was recorded while it ran."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from genolaunch.contract.events import GRACE_MINUTES
from genolaunch.contract.settings import Parameter
from localcloud.pricing import RecordedPrices
from tests.local.notices import notices_queue
from tests.local.platform_client import PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local


def priced(platform: PlatformClient, launch_id: str, *statuses: str) -> dict[str, Any]:
    """The launch once its price is settled, one way or the other."""

    def look() -> dict[str, Any] | None:
        launch = platform.launch(launch_id)
        return launch if launch.get("costStatus") in (statuses or ("PRICED", "UNKNOWN")) else None

    return eventually(look, f"the price of {launch_id}")


def executions(platform: PlatformClient, launch_id: str) -> list[str]:
    """Of the benchmark, for a launch, with how they ended."""
    machine = platform.name(Parameter.BENCHMARK_STATE_MACHINE)
    found = platform.states.list_executions(stateMachineArn=machine)["executions"]
    described = [platform.states.describe_execution(executionArn=each["executionArn"]) for each in found]
    return [each["status"] for each in described if launch_id in each["input"]]


def ended(platform: PlatformClient, execution: str) -> dict[str, Any] | None:
    """The execution, once it is over."""
    found: dict[str, Any] = platform.states.describe_execution(executionArn=execution)
    return found if found["status"] != "RUNNING" else None


def usage(platform: PlatformClient) -> list[dict[str, Any]]:
    """Every item of the usage table."""
    pages = platform.dynamodb.get_paginator("scan").paginate(TableName=platform.name(Parameter.USAGE_TABLE))
    deserialize = TypeDeserializer().deserialize
    return [{name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def hours(item: dict[str, Any], least: int = 0) -> Decimal:
    span = datetime.fromisoformat(item["stoppedAt"]) - datetime.fromisoformat(item["startedAt"])
    return max(Decimal(str(span.total_seconds())), Decimal(least)) / 3600


def forget_prices(platform: PlatformClient) -> None:
    """Given: no unit price is known."""
    (cache,) = [name for name in platform.dynamodb.list_tables()["TableNames"] if "UnitPrices" in name]
    for item in platform.dynamodb.scan(TableName=cache)["Items"]:
        platform.dynamodb.delete_item(TableName=cache, Key={"product": item["product"]})


def forget_cost(platform: PlatformClient, launch_id: str) -> None:
    """Given: nobody has priced the launch; the change is one that the pipe takes up."""
    platform.dynamodb.update_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Key={"launchId": {"S": launch_id}},
        UpdateExpression="REMOVE totalCost, costStatus, costExecutionArn",
    )


@contextmanager
def other_type(platform: PlatformClient, launch_id: str, type_: str) -> Iterator[None]:
    """Given: as long as this goes on, the launch's instances are On-Demand ones of that type."""
    items = usage(platform)
    ids = {item["instanceId"] for item in items if item["owner"] == launch_id and item["usageId"].startswith("job#")}
    hosts = [item for item in items if item["owner"].removeprefix("instance#") in ids]

    def write(host: dict[str, Any], type_: str, is_spot: bool) -> None:
        platform.dynamodb.update_item(
            TableName=platform.name(Parameter.USAGE_TABLE),
            Key={"owner": {"S": host["owner"]}, "usageId": {"S": host["usageId"]}},
            UpdateExpression="SET #type = :type, isSpot = :spot",
            ExpressionAttributeNames={"#type": "type"},
            ExpressionAttributeValues={":type": {"S": type_}, ":spot": {"BOOL": is_spot}},
        )

    for host in hosts:
        write(host, type_, is_spot=False)
    yield
    for host in hosts:
        write(host, host["type"], host["isSpot"])


@pytest.fixture(scope="module")
def finished(platform: PlatformClient) -> dict[str, Any]:
    """Given: a launch that ran to its end, and was priced."""
    launch_id = platform.drop(gwas_config())["launchId"]
    platform.complete(launch_id)
    return priced(platform, launch_id)


def test_a_launch_has_its_price_and_the_bill_adds_up(platform, finished):
    assert finished["costStatus"] == "PRICED", finished
    lines = finished["costBreakdown"]
    assert {line["kind"] for line in lines} >= {"instance", "volume", "file system"}
    assert Decimal(finished["totalCost"]) == sum(Decimal(line["amount"]) for line in lines) > 0
    parts = ("instanceCost", "volumeCost", "filesystemCost")
    assert Decimal(finished["totalCost"]) == sum(Decimal(finished[part]) for part in parts)
    assert finished["estimate"]["kind"] == "regenie/batch-spot"
    assert finished["costHistory"]["1"]["totalCost"] == finished["totalCost"]
    assert set(finished["statusSeconds"]) >= {"SUBMITTED", "RUNNING"}
    assert set(finished["stepSeconds"]) >= {"Plan", "File system", "Step 2", "Report"}
    bill = json.loads(platform.result(finished["launchId"], "cost/attempt-1.json"))
    assert bill["totalCost"] == finished["totalCost"]


def test_its_figures_are_those_of_the_recorded_usage_and_prices(platform, finished):
    launch_id, items = finished["launchId"], usage(platform)
    prices = RecordedPrices()
    instances = {
        item["owner"].removeprefix("instance#"): item for item in items if item["owner"].startswith("instance#")
    }
    users: dict[str, set[str]] = {}
    for item in items:
        if item["usageId"].startswith("job#"):
            users.setdefault(item["instanceId"], set()).add(item["owner"])
    own = [id_ for id_, owners in users.items() if owners == {launch_id}]
    assert own
    for id_ in own:
        host = instances[id_]
        start, end = (datetime.fromisoformat(host[name]) for name in ("startedAt", "stoppedAt"))
        history = prices.spot_history([host["type"]], [host["zone"]], start, end)
        billed = sum(Decimal(line["amount"]) for line in finished["costBreakdown"] if line["resource"] == id_)
        expected = hours(host, least=60) * history[-1].usd
        assert billed == pytest.approx(expected, abs=Decimal("0.000002")), (id_, host)
    expected = sum(hours(instances[id_], least=60) for id_ in own) * 100 * Decimal("0.08") / 720
    if len(own) == len({id_ for id_, owners in users.items() if launch_id in owners}):
        assert Decimal(finished["volumeCost"]) == pytest.approx(expected, abs=Decimal("0.000003"))
    (system,) = [item for item in items if item["owner"] == launch_id and item["usageId"].startswith("fsx#")]
    expected = hours(system) * 1200 * Decimal("0.14") / 720
    assert Decimal(finished["filesystemCost"]) == pytest.approx(expected, abs=Decimal("0.000002"))


def test_pricing_does_not_start_itself_again(platform, finished):
    # When: the pipe has passed what pricing wrote, since it has handed on what was written after that
    later = {"launchId": "later-20260101t000000-0123abcd", "name": "later", "status": "CANCELLED"}
    times = {"submittedAt": "2026-01-01T00:00:00.000Z", "endedAt": "2026-01-01T01:00:00.000Z"}
    platform.dynamodb.put_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Item={name: {"S": value} for name, value in (later | times).items()} | {"attempt": {"N": "1"}},
    )
    eventually(lambda: executions(platform, later["launchId"]), "the pricing of a later launch")
    # Then
    assert executions(platform, finished["launchId"]) == ["SUCCEEDED"]
    priced(platform, later["launchId"])  # so that no other test's prices are asked for by this one


FAULTS = {
    "missing permissions": ({"code": "AccessDeniedException"}, "AccessDenied"),
    "a throttled Price List": ({"code": "ThrottlingException", "times": 7}, "ThrottlingException"),
    "an empty price answer": ({}, "The Price List has no price of"),
    "an unknown instance type": (None, "no price of BoxUsage:z9.large"),
}


@pytest.mark.parametrize(
    "fault",
    [
        "missing permissions",
        "an empty price answer",
        "an unknown instance type",
        # botocore tries seven times, with pauses that grow: half a minute.
        pytest.param("a throttled Price List", marks=pytest.mark.full),
    ],
)
def test_a_launch_that_cannot_be_priced_says_why_and_is_priced_later(platform, finished, fault):
    # Given: unit prices must be read anew, and that does not work
    launch_id, (injection, reason) = finished["launchId"], FAULTS[fault]
    forget_prices(platform)
    if injection is not None:
        platform.inject("pricing", injection)
    with other_type(platform, launch_id, "z9.large") if injection is None else nullcontext():
        # When: the launch has no price, as if it had just ended
        forget_cost(platform, launch_id)
        # Then
        launch = priced(platform, launch_id)
        assert (launch["status"], launch["costStatus"]) == ("COMPLETE", "UNKNOWN"), launch
        assert reason in launch["costReason"]
        assert "totalCost" not in launch
    # When: that is mended, and the scheduled function looks for launches without a price
    retry_pricing(platform)
    # Then
    launch = priced(platform, launch_id, "PRICED")
    assert launch["totalCost"] == finished["totalCost"]
    assert "costReason" not in launch


def retry_pricing(platform: PlatformClient) -> None:
    """When: the schedule looks for launches without a price."""
    platform.client("lambda").invoke(
        FunctionName="genolaunch-local-benchmark-retry-pricing", Payload=json.dumps({GRACE_MINUTES: 0}).encode()
    )


def test_a_day_is_exported_to_the_table_of_launches(platform, finished):
    # When: the daily export runs for the day on which it was priced
    day = finished["costUpdatedAt"][:10]
    machine = platform.name(Parameter.BENCHMARK_STATE_MACHINE).replace("-benchmark", "-export")
    arn = platform.states.start_execution(stateMachineArn=machine, input=json.dumps({"day": day}))["executionArn"]
    execution = eventually(partial(ended, platform, arn), "the export")
    assert execution["status"] == "SUCCEEDED", platform.states.get_execution_history(executionArn=arn)["events"]
    # Then: the table's day is that export's, which asked for this launch's row. (Athena's SQL is not run here.)
    table = {"DatabaseName": "genolaunch_local", "TableName": "launches"}
    partition = platform.client("glue").get_partition(**table, PartitionValues=[day])["Partition"]
    location = partition["StorageDescriptor"]["Location"]
    assert f"/launches/day={day}/{execution['name']}/" in location
    rows = platform.s3.list_objects_v2(Bucket=location.split("/")[2], Prefix=f"priced/day={day}/")["Contents"]
    assert f"priced/day={day}/{finished['launchId']}-1.json" in {row["Key"] for row in rows}


def test_a_launch_above_its_budget_waits_for_a_person(platform, finished):
    # Given: one that cost more
    config = gwas_config() | {"name": "dear", "budget": {"limit": 0.0001}}
    launch_id = platform.drop(config)["launchId"]
    held = platform.wait_for(launch_id, "HELD")
    assert held["heldFor"] == "budget"
    assert re.search("history: [0-9]+ launch(es)? of regenie/batch-spot", held["statusReason"])
    platform.set_status(launch_id, "CANCEL_REQUESTED")
    assert platform.wait_for(launch_id)["status"] == "CANCELLED"


def test_a_running_launch_that_passes_its_budget_is_cancelled(platform, finished):
    # Given: one that runs for a while, and gets a budget that it has passed already; no unit price is known
    launch_id = platform.drop(gwas_config(step2={"variants_per_job": 10}) | {"name": "passes"})["launchId"]
    platform.wait_for_job(launch_id, "step2")
    config = json.loads(platform.launch(launch_id)["config"])
    platform.set_fields(launch_id, config=json.dumps(config | {"budget": {"limit": 0.000001, "action": "hold"}}))
    forget_prices(platform)
    heard = notices_queue(platform)
    # When: the schedule comes round
    answer = platform.client("lambda").invoke(FunctionName="genolaunch-local-benchmark-watch-budgets", Payload=b"{}")
    assert json.load(answer["Payload"]) == {"passed": [launch_id]}
    # Then: it ends, and people are told why
    assert platform.wait_for(launch_id)["status"] == "CANCELLED"
    told = lambda: platform.client("sqs").receive_message(QueueUrl=heard, MaxNumberOfMessages=10).get("Messages", [])  # noqa: E731
    words = "more than its budget of 0.000001 USD"
    eventually(lambda: any(words in message["Body"] for message in told()), "a notice of the budget")
    priced(platform, launch_id)  # so that no other test's prices are asked for by this one


def test_a_pricing_that_ended_without_a_word_is_done_again(platform, finished):
    # Given: the launch is claimed by an execution that is over
    launch_id, execution = finished["launchId"], platform.launch(finished["launchId"])["costExecutionArn"]
    platform.dynamodb.update_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Key={"launchId": {"S": launch_id}},
        UpdateExpression="REMOVE totalCost SET costStatus = :pricing, costExecutionArn = :arn",
        ExpressionAttributeValues={":pricing": {"S": "PRICING"}, ":arn": {"S": execution}},
    )
    # When
    retry_pricing(platform)
    # Then
    assert priced(platform, launch_id, "PRICED")["totalCost"] == finished["totalCost"]


def test_a_failed_launch_whose_price_is_unknown_gets_it_later(platform, finished):
    # Given: unit prices must be read anew, and the Price List refuses
    forget_prices(platform)
    platform.inject("pricing", {"code": "AccessDeniedException", "times": 1})
    # When: a launch fails
    platform.inject_batch("costly-*", status_reason="Essential container in task exited", exit_code=1, times=5)
    launch_id = platform.drop(gwas_config() | {"name": "costly"})["launchId"]
    assert platform.wait_for(launch_id)["status"] == "FAILED"
    # Then
    launch = priced(platform, launch_id)
    assert (launch["status"], launch["costStatus"]) == ("FAILED", "UNKNOWN"), launch
    assert "AccessDenied" in launch["costReason"]
    assert "totalCost" not in launch
    # When: it is priced again
    request = json.dumps([{"launchId": launch_id, "attempt": "1"}])
    machine = platform.name(Parameter.BENCHMARK_STATE_MACHINE)
    platform.states.start_execution(stateMachineArn=machine, input=request)
    # Then
    launch = priced(platform, launch_id, "PRICED")
    assert Decimal(launch["totalCost"]) > 0
    assert "costReason" not in launch
