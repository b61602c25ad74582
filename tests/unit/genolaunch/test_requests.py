"""Asking for a launch to be cancelled, or tried again."""

import json

import pytest

from genolaunch import requests
from genolaunch.errors import GenolaunchError
from genolaunch.launches import Launches
from genolaunch.requests import Resources
from tests.unit.genolaunch.conftest import CONFIG


def item(platform):
    return platform.dynamodb.get_item(TableName="launches", Key={"launchId": {"S": "height-1"}})["Item"]


def found(platform):
    return Launches(platform).get("height-1")


@pytest.mark.parametrize("status", ["SUBMITTED", "WAITING", "RUNNING", "RETRY"])
def test_a_launch_that_is_not_over_can_be_cancelled(platform, content, status):
    content.launch(status=status)
    requests.cancel(platform, found(platform))
    assert item(platform)["status"] == {"S": "CANCEL_REQUESTED"}


@pytest.mark.parametrize("status", ["COMPLETE", "FAILED", "CANCELLED"])
def test_a_launch_that_is_over_cannot_be_cancelled(platform, content, status):
    content.launch(status=status)
    with pytest.raises(GenolaunchError, match=f"height-1 is {status}: only a launch that is"):
        requests.cancel(platform, found(platform))
    assert item(platform)["status"] == {"S": status}


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_launch_that_ended_badly_can_be_tried_again(platform, content, status):
    content.launch(status=status, workflow={"S": "regenie"}, config={"S": CONFIG})
    requests.retry(platform, found(platform))
    assert item(platform)["status"] == {"S": "RETRY"}
    assert item(platform)["config"] == {"S": CONFIG}
    assert item(platform)["updatedAt"]["S"].endswith("Z")


@pytest.mark.parametrize("status", ["COMPLETE", "RUNNING"])
def test_no_other_launch_can_be_tried_again(platform, content, status):
    content.launch(status=status)
    with pytest.raises(GenolaunchError, match="only a launch that is FAILED, CANCELLED or REJECTED can be tried again"):
        requests.retry(platform, found(platform))


@pytest.mark.parametrize("attempt", ["0", "1"], ids=["in the queue", "by planning"])
def test_a_launch_that_was_rejected_for_its_data_can_be_tried_again(platform, content, attempt):
    content.launch(status="REJECTED", attempt={"N": attempt}, workflow={"S": "regenie"}, config={"S": CONFIG})
    requests.retry(platform, found(platform))
    assert item(platform)["status"] == {"S": "RETRY"}


def test_a_launch_that_was_never_accepted_has_nothing_to_try(platform, content):
    content.launch(status="REJECTED", attempt={"N": "0"})
    with pytest.raises(GenolaunchError, match="never accepted: correct its config, and submit it again"):
        requests.retry(platform, found(platform))


def test_resources_are_changed_before_trying_again(platform, content):
    # given: resources of two phases in the config
    before = {"step1": {"vcpus": 8, "memory_gib": 64}, "step2": {"vcpus": 1, "memory_gib": 4}}
    config = json.loads(CONFIG)
    config["regenie"]["resources"] = before
    content.launch(status="FAILED", workflow={"S": "regenie"}, config={"S": json.dumps(config)})

    # when
    requests.retry(platform, found(platform), [Resources.parse("step2=4:16"), Resources.parse("merge=2:8")])

    # then
    changed = json.loads(item(platform)["config"]["S"])
    assert changed["regenie"]["traits"] == ["height"]
    assert changed["regenie"]["resources"] == {
        "step1": before["step1"],
        "step2": {"vcpus": 4, "memory_gib": 16},
        "merge": {"vcpus": 2, "memory_gib": 8},
    }


@pytest.mark.parametrize(
    ("text", "words"), [("step2", "is not PHASE=VCPUS:GIB"), ("step2=0:4", "is not PHASE"), ("step3=1:4", "not one of")]
)
def test_resources_that_make_no_sense_are_told(text, words):
    with pytest.raises(GenolaunchError, match=words):
        Resources.parse(text)


def test_cancelling_twice_is_cancelling_once(platform, content):
    content.launch(status="CANCEL_REQUESTED")

    requests.cancel(platform, Launches(platform).get("height-1"))

    assert Launches(platform).get("height-1").events == ()


def test_a_refusal_names_the_status_as_of_now(platform, content):
    content.launch(status="RUNNING")
    seen = Launches(platform).get("height-1")
    content.launch(status="COMPLETE")

    with pytest.raises(GenolaunchError, match="height-1 is COMPLETE: only a launch that is not over"):
        requests.cancel(platform, seen)


def test_who_asked_and_why_stays_with_the_launch(platform, content, requests_function):
    content.launch(status="FAILED", workflow={"S": "regenie"}, config={"S": CONFIG})
    requests_function.principal = "AWS:AROAEXAMPLE:bob"

    requests.retry(platform, found(platform), [Resources.parse("step2=4:16")], reason="ran out of memory")

    (event,) = found(platform).events
    changed = "regenie.resources.step2"
    assert event.asked == f"retry by AWS:AROAEXAMPLE:bob: ran out of memory ({changed})"


def test_a_config_that_cannot_run_is_refused_before_it_is_written(platform, content):
    content.launch(status="FAILED", workflow={"S": "regenie"}, config={"S": CONFIG})

    with pytest.raises(GenolaunchError, match=r"regenie.traits .*is required"):
        requests.edit(platform, found(platform), {"regenie": {"traits": None}}, "nonsense")
    assert item(platform)["config"] == {"S": CONFIG}

    requests.edit(platform, found(platform), {"data": "other"}, "a better cohort")
    assert item(platform)["dataPath"] == {"S": "s3://data-bucket-1/other/"}
    assert item(platform)["status"] == {"S": "FAILED"}
