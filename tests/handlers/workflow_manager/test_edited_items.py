"""Items of the launch table that somebody edited by hand: the sick one is told of, and all others go on."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.shared.errors import StatusConflictError
from genolaunch.shared.launch_item import LaunchItemError
from lambdas.shared.launch import Launch
from lambdas.shared.one_by_one import OneByOne
from lambdas.workflow_manager import change_status, lost_requests, settle_launch, status_function
from lambdas.workflow_manager.launch_queue import LaunchQueue

from .conftest import CONTEXT, GOOD

NONSENSE: dict[str, list[Any]] = {
    "name": [None, 7, {"a": "map"}],
    "updatedAt": ["today", "2026-01-02", 7, []],
    "submittedAt": ["yesterday"],
    "startedAt": [{"a": "map"}],
    "attempt": ["1", Decimal("1.5"), -1, 10**30, True, []],
    "config": ["no json", "[]", "7", {"a": "map"}, "[" * 100_000],
    "events": ["none", [1], [{"status": "GONE", "at": "2026-11-21T04:00:00.000Z"}], {}],
    "error": ["why", {"type": 1}],
    "restore": [{"attempt": 1}, "soon"],
    "executionArn": [["arn"], 7],
    "requestedBy": [{"a": "map"}],
    "dataPath": [7],
    "approvedBudget": ["much", 5],
    "costHistory": [{"one": {}}, {"1": {"totalCost": "cheap"}}],
    "progress": [{"done": "all"}],
    "warnings": ["one"],
    "heldFor": ["fun"],
}
CASES = [(name, value) for name, values in NONSENSE.items() for value in values]


def registered(platform, *names):
    """Given: launches of these names; their ids."""
    for name in names:
        platform.register(platform.put(f"launches/{name}.yaml", GOOD.replace("height-gwas", name)))
    return [next(each.launch_id for each in platform.launches() if each.name == name) for name in names]


def write(platform, launch_id, **attributes):
    """Given: somebody sets attributes by hand; None takes one out."""
    table = boto3.resource("dynamodb").Table(platform.repository.launch_table)
    for name, value in attributes.items():
        names, values = {"#n": name}, {":v": value}
        expression = "REMOVE #n" if value is None else "SET #n = :v"
        more = {} if value is None else {"ExpressionAttributeValues": values}
        table.update_item(
            Key={"launchId": launch_id}, UpdateExpression=expression, ExpressionAttributeNames=names, **more
        )


def item_of(platform, launch_id):
    return (
        boto3.resource("dynamodb").Table(platform.repository.launch_table).get_item(Key={"launchId": launch_id})["Item"]
    )


def claim(launch_id, execution="arn:execution:one"):
    event = {"launchId": launch_id, "to": "RUNNING", "executionArn": execution}
    return change_status.handler(event, CONTEXT)["status"]


@pytest.mark.parametrize(("attribute", "value"), CASES)
def test_one_error_names_the_launch_and_the_attribute_and_no_value(attribute, value):
    item = {"launchId": "height-1", "name": "n", "status": "RETRY", "submittedAt": "2026-11-21T04:00:00.000Z"}

    with pytest.raises(LaunchItemError) as raised:
        Launch.from_item({**item, attribute: value})

    assert (raised.value.launch_id, raised.value.attributes) == ("height-1", (attribute,))
    assert not isinstance(value, str) or len(value) < 3 or value not in str(raised.value)


@pytest.mark.parametrize(("attribute", "value"), [case for case in CASES if case[0] not in ("executionArn",)])
def test_a_claim_rejects_a_sick_item_in_words(platform, attribute, value):
    (launch_id,) = registered(platform, "sick")
    write(platform, launch_id, **{attribute: value})

    assert claim(launch_id) == "REJECTED"

    item = item_of(platform, launch_id)
    assert item["status"] == "REJECTED"
    assert [fault["where"] for fault in item["error"]["faults"]] == [attribute]
    assert item["events"][-1]["status"] == "REJECTED"


def test_a_config_that_was_edited_into_faults_is_rejected_with_all_of_them(platform):
    (launch_id,) = registered(platform, "edited")
    config = json.loads(item_of(platform, launch_id)["config"])
    config["regenie"]["traits"], config["data"] = [], "../elsewhere"
    write(platform, launch_id, config=json.dumps(config))

    assert claim(launch_id) == "REJECTED"

    error = platform.repository.get(launch_id).error
    assert error["type"] == "MissingRequiredParametersError"
    assert {fault["where"] for fault in error["faults"]} == {"regenie.traits", "data"}


@pytest.mark.parametrize("config", ["no json", "{}"])
def test_what_is_edited_after_an_attempt_is_rejected_as_well_and_can_be_mended(platform, config):
    # Given: a launch that failed, and belonged to the execution that it had
    (launch_id,) = registered(platform, "edited")
    good = item_of(platform, launch_id)["config"]
    claim(launch_id)
    failed = {"launchId": launch_id, "to": "FAILED", "executionArn": "arn:execution:one", "error": {"Error": "no"}}
    change_status.handler(failed, CONTEXT)

    # When
    write(platform, launch_id, status="RETRY", config=config)
    assert claim(launch_id, "arn:execution:two") == "REJECTED"

    # Then
    assert item_of(platform, launch_id)["error"]["faults"]
    write(platform, launch_id, status="RETRY", config=good)
    assert claim(launch_id, "arn:execution:three") == "RUNNING"
    assert platform.repository.get(launch_id).attempt == 2


def test_what_runs_is_what_the_config_says_now(platform):
    (launch_id,) = registered(platform, "moved")
    config = json.loads(item_of(platform, launch_id)["config"])
    write(platform, launch_id, config=json.dumps({**config, "data": "other/", "name": "renamed"}))

    assert claim(launch_id) == "RUNNING"

    launch = platform.repository.get(launch_id)
    assert (launch.data_path, launch.name) == ("s3://genolaunch-test-data/other/", "renamed")


@pytest.mark.parametrize(("attribute", "value"), [("name", None), ("updatedAt", "today"), ("attempt", "1")])
@pytest.mark.parametrize("status", ["SUBMITTED", "RUNNING", "QUEUED"])
def test_reconciling_goes_on_with_the_others(platform, monkeypatch, starts, status, attribute, value):
    # Given: a sick launch of any status, and requests of others that were lost
    monkeypatch.setenv("LAUNCHES_AT_ONCE", "2")
    status_function.settings.cache_clear()
    first, sick, second = registered(platform, "first", "sick", "second")
    write(platform, sick, status=status, **{attribute: value})
    one_by_one = OneByOne("x")

    # When
    lost_requests.start_lost_requests(datetime.now(UTC) + timedelta(hours=1), timedelta(0), one_by_one)
    lost_requests.mend_queue(LaunchQueue(platform.repository, 2), one_by_one)

    # Then
    assert {first, second} <= set(starts)
    assert one_by_one.failed == []
    assert [claim(first), claim(second, "arn:execution:two")] == ["RUNNING", "RUNNING"]


@pytest.fixture
def starts(monkeypatch):
    """Launches for which an execution was started."""
    found = []
    for name in ("LAUNCH_STATE_MACHINE", "SWEEP_GRACE_MINUTES"):
        monkeypatch.setenv(name, "0")
    lost_requests.settings.cache_clear()

    def start(launch_id: str, *_: object) -> int:
        found.append(launch_id)
        return 1

    monkeypatch.setattr(lost_requests, "_start", start)
    return found


def test_a_sick_launch_at_the_head_of_the_queue_keeps_nobody_from_a_turn(platform, monkeypatch):
    monkeypatch.setenv("LAUNCHES_AT_ONCE", "1")
    status_function.settings.cache_clear()
    runs, sick, waits = registered(platform, "runs", "sick", "waits")
    assert [claim(each, f"arn:{each}") for each in (runs, sick, waits)] == ["RUNNING", "QUEUED", "QUEUED"]
    write(platform, sick, attempt="none")

    change_status.handler({"launchId": runs, "to": "COMPLETE", "executionArn": f"arn:{runs}"}, CONTEXT)

    assert item_of(platform, sick)["status"] == "REJECTED"
    assert platform.repository.get(waits).status is Status.READY


@pytest.mark.parametrize(
    ("attribute", "value"), [("name", None), ("updatedAt", "today"), ("attempt", "1"), ("status", "RUN")]
)
def test_a_launch_that_runs_comes_to_its_end_whatever_was_written_into_its_item(platform, attribute, value):
    # Given: a slot, and an item that was edited while it ran
    (launch_id,) = registered(platform, "edited")
    claim(launch_id)
    write(platform, launch_id, **{attribute: value})

    # When
    change_status.handler({"launchId": launch_id, "to": "COMPLETE", "executionArn": "arn:execution:one"}, CONTEXT)

    # Then: it is over, and its slot is free
    assert item_of(platform, launch_id)["status"] == "COMPLETE"
    assert LaunchQueue(platform.repository, 1).slots().running == {}


@pytest.mark.parametrize(("attribute", "value"), [("name", None), ("attempt", Decimal("1.5")), ("status", "RUN")])
def test_clean_up_settles_a_sick_launch_as_its_events_tell_it(platform, attribute, value):
    (launch_id,) = registered(platform, "edited")
    claim(launch_id)
    write(platform, launch_id, **{attribute: value})
    detail = {
        "executionArn": "arn:execution:one",
        "status": "ABORTED",
        "input": json.dumps([{LaunchField.LAUNCH_ID: launch_id}]),
    }

    assert settle_launch.handler(detail, CONTEXT) == {"launchId": launch_id, "endedAttempt": 1}

    assert item_of(platform, launch_id)["status"] == "FAILED"


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.RUNNING, Status.CANCEL_REQUESTED}))
def test_a_status_out_of_turn_is_put_back_and_the_attempt_comes_to_its_end(platform, status):
    """What is worked on stays so, whatever somebody calls it: its slot is taken, and its end is told."""
    (launch_id,) = registered(platform, "running")
    claim(launch_id)
    write(platform, launch_id, status=status, totalCost="0.01", costStatus="PRICED")

    if status in ("SUBMITTED", "READY", "RETRY"):
        with pytest.raises(StatusConflictError):
            claim(launch_id, "arn:execution:two")
        assert item_of(platform, launch_id)["status"] == "RUNNING"
    lost_requests.mend_queue(LaunchQueue(platform.repository, 2), OneByOne("x"))
    assert list(LaunchQueue(platform.repository, 2).slots().running) == [f"{launch_id}-1"]
    change_status.handler({"launchId": launch_id, "to": "COMPLETE", "executionArn": "arn:execution:one"}, CONTEXT)

    item = item_of(platform, launch_id)
    assert (item["status"], item["attempt"]) == ("COMPLETE", 1)
    assert not {"totalCost", "costStatus"} & item.keys(), "the price of a part of it would stay"


@pytest.mark.parametrize("status", ["COMPLETE", "RUNNING", "READY", "RETRY"])
def test_what_is_complete_is_not_run_again_by_another_status(platform, status):
    (launch_id,) = registered(platform, "complete")
    claim(launch_id)
    change_status.handler({"launchId": launch_id, "to": "COMPLETE", "executionArn": "arn:execution:one"}, CONTEXT)
    write(platform, launch_id, status=status)

    if status == "COMPLETE":
        assert Launch.from_item(item_of(platform, launch_id)).is_final
        return
    with pytest.raises(StatusConflictError):
        claim(launch_id, "arn:execution:two")
    lost_requests.mend_queue(LaunchQueue(platform.repository, 2), OneByOne("x"))
    assert item_of(platform, launch_id)["status"] == "COMPLETE"
    assert dict(LaunchQueue(platform.repository, 2).slots().running) == {}
