"""The queue of launches: never more at once than allowed, nobody forgotten, in turn."""

import json
from dataclasses import replace

import boto3
import pytest

from genolaunch.contract.launch import FINAL_STATUSES, LaunchField, Status
from genolaunch.launch_configs.config_reader import read_config
from genolaunch.shared.errors import StatusConflictError
from lambdas.shared.launch import Launch
from lambdas.shared.one_by_one import OneByOne
from lambdas.workflow_manager import change_status, lost_requests, status_function
from lambdas.workflow_manager.launch_queue import LaunchQueue
from tests.handlers.workflow_manager.conftest import CONTEXT, GOOD

AT_ONCE = 3


@pytest.fixture
def queue(platform) -> LaunchQueue:
    """Given: a stage of three slots (the setting of the fixture `platform`)."""
    return LaunchQueue(platform.repository, AT_ONCE)


def submit(repository, number, user="ada"):
    """Given: a SUBMITTED launch; its id. Higher numbers were submitted later."""
    launch_id = f"launch-20261121t0400{number:02}-{number:08x}"
    launch = Launch(
        launch_id,
        f"launch {number}",
        Status.SUBMITTED,
        f"2026-11-21T04:00:{number:02}.000Z",
        workflow="regenie",
        config_json=read_config(GOOD.encode()).as_json(),
        requested_by=user,
    )
    repository.register(launch, f"bytes {number}")
    return launch_id


def claim(launch_id, again=1):
    """What launch.asl's claim is answered with."""
    event = {"launchId": launch_id, "to": "RUNNING", "executionArn": f"arn:{launch_id}:{again}"}
    return change_status.handler(event, CONTEXT)["status"]


def end(repository, launch_id, to="COMPLETE"):
    arn = repository.get(launch_id).execution_arn
    return change_status.handler({"launchId": launch_id, "to": to, "executionArn": arn}, CONTEXT)["status"]


def statuses(repository, launch_ids):
    return [repository.get(launch_id).status.value for launch_id in launch_ids]


def test_as_many_run_as_allowed_and_the_rest_wait_in_order_of_submission(platform, queue):
    ids = [submit(platform.repository, number) for number in range(5)]

    assert [claim(launch_id) for launch_id in ids] == ["RUNNING"] * 3 + ["QUEUED"] * 2

    end(platform.repository, ids[1])
    assert statuses(platform.repository, ids) == ["RUNNING", "COMPLETE", "RUNNING", "READY", "QUEUED"]
    assert claim(ids[3], again=2) == "RUNNING"
    end(platform.repository, ids[0])
    assert statuses(platform.repository, ids)[4] == "READY"
    assert not queue.slots().waiting


def test_a_newcomer_does_not_take_the_slot_of_one_whose_turn_has_come(platform):
    ids = [submit(platform.repository, number) for number in range(5)]
    for launch_id in ids[:4]:
        claim(launch_id)
    end(platform.repository, ids[0])

    assert claim(ids[4]) == "QUEUED"
    assert claim(ids[3], again=2) == "RUNNING"


def test_who_submitted_one_is_not_behind_who_submitted_many(platform):
    many = [submit(platform.repository, number) for number in range(8)]
    one = submit(platform.repository, 9, user="bob")
    for launch_id in [*many, one]:
        claim(launch_id)

    end(platform.repository, many[0])

    assert statuses(platform.repository, [many[3], one]) == ["QUEUED", "READY"]


def test_claims_that_come_twice_take_one_slot(platform, queue):
    ids = [submit(platform.repository, number) for number in range(3)]
    assert [claim(ids[0]), claim(ids[0])] == ["RUNNING", "RUNNING"]
    with pytest.raises(StatusConflictError):
        claim(ids[0], again=2)

    assert [claim(ids[1]), claim(ids[2])] == ["RUNNING", "RUNNING"]
    assert len(queue.slots().running) == 3


@pytest.mark.parametrize("status", ["QUEUED", "READY"])
def test_a_waiting_launch_can_be_cancelled_and_the_next_one_takes_its_turn(platform, queue, status):
    ids = [submit(platform.repository, number) for number in range(5)]
    for launch_id in ids:
        claim(launch_id)
    if status == "READY":
        end(platform.repository, ids[0])
    platform.repository.change_status(ids[3], Status.CANCEL_REQUESTED, execution_arn=None)

    change_status.handler({"launchId": ids[3], "to": "CANCELLED"}, CONTEXT)
    if status == "QUEUED":
        end(platform.repository, ids[0])

    assert statuses(platform.repository, ids) == ["COMPLETE", "RUNNING", "RUNNING", "CANCELLED", "READY"]
    assert len(queue.slots().running) == 3


def test_the_table_of_a_launch_tells_its_whole_history(platform):
    ids = [submit(platform.repository, number) for number in range(4)]
    for launch_id in ids:
        claim(launch_id)
    end(platform.repository, ids[0])
    claim(ids[3], again=2)
    end(platform.repository, ids[3])

    table = boto3.resource("dynamodb").Table(platform.repository.launch_table)
    events = table.get_item(Key={LaunchField.LAUNCH_ID: ids[3]})["Item"][LaunchField.EVENTS]
    assert [event["status"] for event in events] == ["SUBMITTED", "QUEUED", "READY", "RUNNING", "COMPLETE"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert events[3]["executionArn"] == f"arn:{ids[3]}:2"


class TestMendQueue:
    def test_a_slot_of_what_is_over_is_given_to_the_next(self, platform, queue):
        ids = [submit(platform.repository, number) for number in range(4)]
        for launch_id in ids:
            claim(launch_id)
        # The function was killed before it gave the slot back.
        arn = platform.repository.get(ids[0]).execution_arn
        platform.repository.change_status(ids[0], Status.COMPLETE, execution_arn=arn)

        lost_requests.mend_queue(queue, OneByOne("x"))

        assert statuses(platform.repository, ids)[3] == "READY"

    def test_places_and_slots_that_were_lost_come_back(self, platform, queue):
        ids = [submit(platform.repository, number) for number in range(4)]
        for launch_id in ids:
            claim(launch_id)
        table = boto3.resource("dynamodb").Table(platform.repository.task_table)
        for item in table.scan()["Items"]:
            if item["launchId"].startswith("queue"):
                table.delete_item(Key={"launchId": item["launchId"], "taskId": item["taskId"]})

        lost_requests.mend_queue(queue, OneByOne("x"))

        assert len(queue.slots().running) == 3
        assert statuses(platform.repository, ids)[3] == "QUEUED"
        end(platform.repository, ids[1])
        assert statuses(platform.repository, ids)[3] == "READY"

    def test_a_queue_in_order_is_left_alone(self, platform, queue):
        ids = [submit(platform.repository, number) for number in range(5)]
        for launch_id in ids:
            claim(launch_id)
        before = queue.slots()

        lost_requests.mend_queue(queue, OneByOne("x"))

        assert replace(queue.slots(), version=0) == replace(before, version=0)
        assert statuses(platform.repository, ids) == ["RUNNING"] * 3 + ["QUEUED"] * 2


def test_everything_ends_and_every_slot_is_free_again(platform, queue):
    ids = [submit(platform.repository, number, user=f"user {number % 3}") for number in range(12)]
    for launch_id in ids:
        claim(launch_id)
    rounds = 0
    while not all(status in FINAL_STATUSES for status in statuses(platform.repository, ids)):
        rounds += 1
        for launch_id in ids:
            status = platform.repository.get(launch_id).status
            if status is Status.READY:
                claim(launch_id, again=2)
            elif status is Status.RUNNING:
                end(platform.repository, launch_id)
            assert len(queue.slots().running) <= AT_ONCE
        assert rounds < 20
    assert not queue.slots().running
    assert not queue.slots().waiting


def test_one_whose_files_are_missing_is_rejected_while_it_waits_and_the_next_one_has_its_turn(platform, queue):
    ids = [submit(platform.repository, number) for number in range(5)]
    for launch_id in ids:
        claim(launch_id)
    fault = {"where": "data", "problem": "is not there", "remedy": "Upload it."}
    error = {"Error": "LaunchInputError", "Cause": json.dumps({"message": "1 fault", "faults": [fault]})}

    event = {"launchId": ids[3], "to": "FAILED", "executionArn": f"arn:{ids[3]}:1", "error": error}
    assert change_status.handler(event, CONTEXT)["status"] == "REJECTED"

    end(platform.repository, ids[0])
    assert statuses(platform.repository, ids) == ["COMPLETE", "RUNNING", "RUNNING", "REJECTED", "READY"]


def test_what_is_cancelled_and_retried_within_a_claim_does_not_start_without_a_slot(platform, monkeypatch):
    # Given: one slot, and between a claim's slot and its change of status the launch is cancelled, another one takes
    # the slot, and a retry is asked for
    monkeypatch.setenv("LAUNCHES_AT_ONCE", "1")
    status_function.settings.cache_clear()
    one, other = (submit(platform.repository, number) for number in range(2))
    take_slot = LaunchQueue.take_slot

    def met_by_others(queue, launch):
        taken = take_slot(queue, launch)
        monkeypatch.setattr(LaunchQueue, "take_slot", take_slot)
        platform.repository.change_status(one, Status.CANCEL_REQUESTED, execution_arn=None)
        change_status.handler({"launchId": one, "to": "CANCELLED"}, CONTEXT)
        claim(other)
        platform.repository.change_status(one, Status.RETRY, execution_arn=None)
        return taken

    monkeypatch.setattr(LaunchQueue, "take_slot", met_by_others)

    # When / then
    with pytest.raises(StatusConflictError):
        claim(one)
    assert statuses(platform.repository, [one, other]) == ["RETRY", "RUNNING"]
    assert claim(one, again=2) == "QUEUED"
