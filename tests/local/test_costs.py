"""A launch that ended carries its price a moment later, from what was recorded while it ran."""

import json
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from contract import Parameter
from localcloud.pricing import RecordedPrices
from tests.local.platform_client import PlatformClient, eventually, gwas_config

pytestmark = [pytest.mark.local, pytest.mark.timeout(600)]

COST_SECONDS = 120


def priced(platform: PlatformClient, launch_id: str, *statuses: str) -> dict[str, Any]:
    """The launch once its price is settled, one way or the other."""

    def look() -> dict[str, Any] | None:
        launch = platform.launch(launch_id)
        return launch if launch.get("costStatus") in (statuses or ("PRICED", "UNKNOWN")) else None

    return eventually(look, COST_SECONDS, f"the price of {launch_id}")


def executions(platform: PlatformClient, launch_id: str) -> list[str]:
    """Of the benchmark, for a launch, with how they ended."""
    machine = platform.name(Parameter.BENCHMARK_STATE_MACHINE)
    found = platform.states.list_executions(stateMachineArn=machine)["executions"]
    described = [platform.states.describe_execution(executionArn=each["executionArn"]) for each in found]
    return [each["status"] for each in described if launch_id in each["input"]]


def usage(platform: PlatformClient) -> list[dict[str, Any]]:
    """Every item of the usage table."""
    pages = platform.dynamodb.get_paginator("scan").paginate(TableName=platform.name(Parameter.USAGE_TABLE))
    deserialize = TypeDeserializer().deserialize
    return [{name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def hours(item: dict[str, Any], least: int = 0) -> Decimal:
    span = datetime.fromisoformat(item["stoppedAt"]) - datetime.fromisoformat(item["startedAt"])
    return max(Decimal(str(span.total_seconds())), Decimal(least)) / 3600


@pytest.fixture(scope="module")
def finished(platform: PlatformClient) -> dict[str, Any]:
    """Given: a launch that ran to its end, and was priced."""
    launch_id = platform.drop(gwas_config())["launchId"]
    assert platform.wait_for(launch_id)["status"] == "COMPLETE"
    return priced(platform, launch_id)


def test_a_launch_has_its_price_and_the_bill_adds_up(platform, finished):
    assert finished["costStatus"] == "PRICED", finished
    lines = finished["costBreakdown"]
    assert {line["kind"] for line in lines} >= {"instance", "volume", "file system"}
    assert Decimal(finished["totalCost"]) == sum(Decimal(line["amount"]) for line in lines) > 0
    parts = ("instanceCost", "volumeCost", "filesystemCost")
    assert Decimal(finished["totalCost"]) == sum(Decimal(finished[part]) for part in parts)
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
    before = executions(platform, finished["launchId"])
    time.sleep(2)  # several times what a pipe takes
    assert executions(platform, finished["launchId"]) == before == ["SUCCEEDED"]


def test_a_failed_launch_whose_price_is_unknown_gets_it_later(platform, finished):
    # Given: unit prices must be read anew, and the Price List refuses
    tables = platform.dynamodb.list_tables()["TableNames"]
    (cache,) = [name for name in tables if "UnitPrices" in name]
    for item in platform.dynamodb.scan(TableName=cache)["Items"]:
        platform.dynamodb.delete_item(TableName=cache, Key={"product": item["product"]})
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
