"""How far a restore is, and the approval of a dear one."""

import json

import pytest

from genolaunch import requests
from genolaunch.errors import GenolaunchError
from genolaunch.launches import Launches
from genolaunch.restores import FailedObject, restore_of

REASON = "2 objects, 3.0 TB, Bulk: ready in 5 to 12 hours"
ESTIMATE = {
    "M": {
        "attempt": {"N": "1"},
        "objects": {"N": "2"},
        "size": {"N": "3000000000000"},
        "bytes": {"N": "2000000000000"},
        "usd": {"N": "12.5"},
        "tier": {"S": "Bulk"},
        "days": {"N": "10"},
        "expectedAt": {"S": "2026-11-21T16:00:00.000Z"},
    }
}


def put_restore(platform, attempt=1, **changes):
    counts = {"objects": 3, "bytes": 3000, "pending": 1, "restored": 1, "restoredBytes": 1000, "failed": 1}
    item = {
        "launchId": {"S": "height-1"},
        "taskId": {"S": f"restore#{attempt}"},
        "attempt": {"N": str(attempt)},
        "tier": {"S": "Bulk"},
        "indexed": {"BOOL": True},
        "giveUpAt": {"S": "2026-11-22T16:00:00.000Z"},
        **{name: {"N": str(value)} for name, value in counts.items()},
        **changes,
    }
    platform.dynamodb.put_item(TableName="launch_tasks", Item=item)


def put_object(platform, key, status, run="height-1-1", shard=5):
    item = {
        "launchId": {"S": f"{run}#{shard}"},
        "taskId": {"S": f"restore#{key}"},
        "status": {"S": status},
        "bucket": {"S": "data"},
        "objectKey": {"S": key},
        "reason": {"S": "does not exist any more"},
    }
    platform.dynamodb.put_item(TableName="launch_tasks", Item=item)


def test_the_newest_restore_is_told_with_what_failed(platform, content):
    content.launch(status="WAITING", restore=ESTIMATE)
    put_restore(platform)
    put_object(platform, "cohort.bed", "FAILED")
    put_object(platform, "cohort.bim", "RESTORED")

    restore = restore_of(platform, Launches(platform).get("height-1"))

    assert restore is not None
    assert (restore.objects, restore.restored, restore.bytes, restore.restored_bytes) == (3, 1, 3000, 1000)
    assert restore.expected_at is not None
    assert restore.failed_objects == (FailedObject("s3://data/cohort.bed", "does not exist any more"),)


def test_the_tenth_restore_is_newer_than_the_ninth(platform, content):
    content.launch(status="WAITING")
    for attempt in (9, 10):
        put_restore(platform, attempt, failed={"N": "0"})

    restore = restore_of(platform, Launches(platform).get("height-1"))

    assert restore is not None
    assert restore.attempt == 10


def test_restores_shows_objects_and_bytes(genolaunch, platform, content):
    content.launch(status="WAITING", restore=ESTIMATE)
    put_restore(platform)
    put_object(platform, "cohort.bed", "FAILED")

    shown = genolaunch("restores", "height-1").stdout

    assert "1 of 3" in shown
    assert "1 kB of 3 kB" in shown
    assert "s3://data/cohort.bed" in shown
    document = json.loads(genolaunch("restores", "height-1", "--json").stdout)
    assert document["restoredBytes"] == 1000


def test_without_a_restore_it_says_why(genolaunch, content):
    content.launch(status="HELD", statusReason={"S": "needs approval"})

    answer = genolaunch("restores", "height-1")

    assert answer.exit_code == 0
    assert "HELD (needs approval) and has restored nothing" in answer.stderr


def test_status_tells_what_is_waited_for(genolaunch, content):
    content.launch(status="WAITING", statusReason={"S": REASON}, restore=ESTIMATE)

    assert REASON in genolaunch("status", "height-1").stdout
    document = json.loads(genolaunch("status", "height-1", "--json").stdout)
    assert document["statusReason"] == REASON
    assert document["restore"]["usd"] == 12.5


def test_a_reason_of_an_earlier_status_is_not_told(genolaunch, content):
    content.launch(status="CANCELLED", statusReason={"S": REASON})

    assert REASON not in genolaunch("status", "height-1").stdout


def test_approving_agrees_to_the_estimate_and_lets_the_launch_go_on(genolaunch, platform, content):
    content.launch(status="HELD", statusReason={"S": "needs approval"}, restore=ESTIMATE)

    assert genolaunch("approve", "height-1").stdout == "Launch height-1 is approved.\n"

    item = platform.dynamodb.get_item(TableName="launches", Key={"launchId": {"S": "height-1"}})["Item"]
    assert item["status"] == {"S": "READY"}
    assert item["approvedRestore"] == {"M": {"bytes": {"N": "2000000000000"}, "usd": {"N": "12.5"}}}
    assert "statusReason" not in item
    assert item["events"]["L"][-1]["M"]["status"] == {"S": "READY"}


def test_only_a_held_launch_is_approved(genolaunch, content):
    content.launch(status="RUNNING")

    answer = genolaunch("approve", "height-1")

    assert answer.exit_code == 3
    assert "only a launch that is HELD is approved" in answer.stderr


def test_an_estimate_that_changed_meanwhile_is_not_approved(platform, content):
    content.launch(status="HELD", restore=ESTIMATE)
    looked_at = Launches(platform).get("height-1")
    content.launch(status="HELD", restore=ESTIMATE, attempt={"N": "2"})

    with pytest.raises(GenolaunchError, match="attempt is 1, but the launch's attempt is now 2"):
        requests.approve(platform, looked_at)
