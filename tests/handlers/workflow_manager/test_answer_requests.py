"""What a person asks of a launch: done once, by whom and why is kept, and what may not be is refused in words."""

import json

import boto3
import pytest

from genolaunch.contract.launch import LaunchField, Status
from lambdas.workflow_manager import answer_requests, change_status

from .conftest import CONTEXT, GOOD, LAUNCH_BUCKET, PRINCIPAL

ARN = "arn:execution:one"
OTHER = "AWS:AROAEXAMPLE:bob"


@pytest.fixture
def launch_id(platform):
    """Given: a registered launch, which PRINCIPAL asked for."""
    platform.register(platform.put("launches/height.yaml", GOOD))
    return platform.launches()[0].launch_id


@pytest.fixture
def ask(platform, launch_id):
    """When: somebody puts a request; the answer beside it. The last one is delivered again by `ask.again()`."""

    class Ask:
        number = 0

        def __call__(self, request, by=OTHER, about=None):
            self.number += 1
            self.key = f"requests/{about or launch_id}/{self.number}.json"
            body = request if isinstance(request, str) else json.dumps(request)
            self.record = platform.put(self.key, body) | {"userIdentity": {"principalId": by}}
            return self.again()

        def again(self):
            message = {"messageId": "1", "body": json.dumps({"Records": [self.record]})}
            assert answer_requests.handler({"Records": [message]}, CONTEXT) == {"batchItemFailures": []}
            return platform.feedback(f"feedback/{self.key}.json")

    answer_requests.settings.cache_clear()
    return Ask()


def claim(launch_id, execution=ARN):
    return change_status.handler({"launchId": launch_id, "to": "RUNNING", "executionArn": execution}, CONTEXT)


def fail(launch_id):
    error = {"Error": "ApplicationError", "Cause": "no"}
    claim(launch_id)
    change_status.handler({"launchId": launch_id, "to": "FAILED", "executionArn": ARN, "error": error}, CONTEXT)


def hold(platform, launch_id):
    """Given: the launch waits for a person's word on what it costs."""
    claim(launch_id)
    estimate = {"usd": "4", "low": "3", "high": "5", "basis": "launches like it"}
    fields = {LaunchField.ESTIMATE: estimate, LaunchField.HELD_FOR: "budget"}
    platform.repository.change_status(launch_id, Status.HELD, execution_arn=ARN, fields=fields)


def last_event(platform, launch_id):
    return platform.repository.get(launch_id).events[-1]


def test_a_retry_keeps_who_asked_and_why(platform, launch_id, ask):
    fail(launch_id)

    answer = ask({"action": "retry", "reason": "more memory", "config": {"priority": "high"}})

    assert (answer["accepted"], answer["status"]) == (True, "RETRY")
    event = last_event(platform, launch_id)
    told = {name: event[name] for name in ("status", "action", "by", "reason", "changed")}
    assert told == {
        "status": "RETRY",
        "action": "retry",
        "by": OTHER,
        "reason": "more memory",
        "changed": ["priority"],
    }
    assert platform.repository.get(launch_id).requested_by == PRINCIPAL


def test_a_request_is_done_once_however_often_it_is_delivered(platform, launch_id, ask):
    fail(launch_id)
    ask({"action": "retry"})
    boto3.client("s3").delete_object(Bucket=LAUNCH_BUCKET, Key=f"feedback/{ask.key}.json")
    claim(launch_id, "arn:execution:two")
    platform.repository.change_status(launch_id, Status.FAILED, execution_arn="arn:execution:two")

    assert ask.again()["accepted"] is True

    assert platform.repository.get(launch_id).status is Status.FAILED


def test_what_was_refused_is_not_done_by_a_late_copy(platform, launch_id, ask):
    claim(launch_id)
    refused = ask({"action": "retry"})
    assert refused["faults"][0]["problem"].startswith("is RUNNING: only a launch that is FAILED")
    platform.repository.change_status(launch_id, Status.FAILED, execution_arn=ARN)

    assert ask.again() == refused
    assert platform.repository.get(launch_id).status is Status.FAILED


def test_a_launch_is_cancelled(platform, launch_id, ask):
    claim(launch_id)

    assert ask({"action": "cancel"})["status"] == "CANCEL_REQUESTED"
    assert ask({"action": "cancel"})["accepted"] is True
    assert [event.get("by") for event in platform.repository.get(launch_id).events] == [None, None, OTHER]


def test_an_approval_agrees_to_the_estimate_and_says_whose_it_was(platform, launch_id, ask):
    hold(platform, launch_id)

    assert ask({"action": "approve", "attempt": 1})["status"] == "READY"

    launch = platform.repository.get(launch_id)
    assert (launch.approved_budget, launch.held_for) == ("5", None)
    assert (launch.events[-1]["action"], launch.events[-1]["by"]) == ("approve", OTHER)


@pytest.mark.parametrize("asked_again", [False, True])
def test_with_four_eyes_nobody_approves_what_they_asked_for(platform, launch_id, ask, monkeypatch, asked_again):
    # Given: PRINCIPAL asked for the launch, and perhaps OTHER for its retry with another config
    monkeypatch.setenv("FOUR_EYES_APPROVAL", "required")
    answer_requests.settings.cache_clear()
    if asked_again:
        fail(launch_id)
        ask({"action": "retry", "config": {"priority": "high"}})
    hold(platform, launch_id) if not asked_again else _hold_again(platform, launch_id)

    # When / then
    words = "must be by a person who did not ask for the launch"
    for asker in (PRINCIPAL, *([OTHER] if asked_again else [])):
        assert ask({"action": "approve"}, by=asker)["faults"][0]["problem"] == words
    assert ask({"action": "approve"}, by="AWS:AROAEXAMPLE:cyd")["status"] == "READY"


def _hold_again(platform, launch_id):
    claim(launch_id, "arn:execution:two")
    estimate = {"usd": "4", "low": "3", "high": "5", "basis": "launches like it"}
    fields = {LaunchField.ESTIMATE: estimate, LaunchField.HELD_FOR: "budget"}
    platform.repository.change_status(launch_id, Status.HELD, execution_arn="arn:execution:two", fields=fields)


def test_an_edited_config_goes_through_the_model_and_its_copies_with_it(platform, launch_id, ask):
    fail(launch_id)

    refused = ask({"action": "edit", "reason": "x", "config": {"data": "../other", "regenie": {"traits": []}}})
    assert {fault["where"] for fault in refused["faults"]} == {"data", "regenie.traits"}
    assert platform.repository.get(launch_id).config["data"] == "cohort/"

    assert ask({"action": "edit", "reason": "moved", "config": {"data": "other"}})["status"] == "FAILED"
    launch = platform.repository.get(launch_id)
    assert (launch.config["data"], launch.data_path) == ("other/", "s3://genolaunch-test-data/other/")
    assert launch.ended_at < launch.updated_at


def test_resources_that_the_model_refuses_are_no_config_of_a_retry(platform, launch_id, ask):
    fail(launch_id)
    before = platform.repository.get(launch_id).config_json
    resources = {"regenie": {"resources": {"step2": {"vcpus": 500, "memory_gib": 9999}}}}

    refused = ask({"action": "retry", "config": resources})

    section = "regenie.resources.step2"
    assert {fault["where"] for fault in refused["faults"]} == {f"{section}.vcpus", f"{section}.memory_gib"}
    assert platform.repository.get(launch_id).status == "FAILED"
    assert platform.repository.get(launch_id).config_json == before


def test_a_team_asks_for_its_own_data_only(platform, ask, launch_id, monkeypatch):
    fail(launch_id)
    monkeypatch.setenv("TEAMS", "gwas,cardio")
    boto3.resource("dynamodb").Table(platform.repository.launch_table).update_item(
        Key={"launchId": launch_id}, UpdateExpression="SET team = :t", ExpressionAttributeValues={":t": "gwas"}
    )
    answer_requests.settings.cache_clear()

    refused = ask({"action": "retry", "config": {"data": "cardio/secret"}})
    assert refused["faults"][0]["where"] == "data"
    resources = {"regenie": {"resources": {"step2": {"vcpus": 2, "memory_gib": 8}}}}
    assert ask({"action": "retry", "config": {"data": "gwas/cohort", **resources}})["status"] == "RETRY"


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ("no json", "line 1, column 1"),
        ([], "the request"),
        ({}, "action"),
        ({"action": ["retry"]}, "action"),
        ({"action": "approve", "config": {}}, "config"),
        ({"action": "edit", "config": {"data": "x"}}, "reason"),
        ({"action": "retry", "reason": "\x1b[2J"}, "reason"),
        ({"action": "retry", "attempt": 7}, "attempt"),
        ({"action": "retry", "user": "root"}, "user"),
        ({"action": "retry", "config": {"workflow": "snakemake"}}, None),
    ],
)
def test_what_is_no_request_is_answered_with_its_faults(platform, launch_id, ask, request_, where):
    fail(launch_id)

    answer = ask(request_)

    assert answer["accepted"] is False
    assert where in [None, *(fault["where"] for fault in answer["faults"])]
    assert platform.repository.get(launch_id).status is Status.FAILED


def test_a_launch_that_does_not_exist_is_answered(ask):
    assert "does not exist" in ask({"action": "cancel"}, about="nothing-1")["faults"][0]["problem"]


def test_a_launch_that_was_changed_too_often_is_asked_for_no_more(platform, launch_id, ask):
    """Its item has room for what becomes of an attempt that has begun, whatever a program asks for in a loop."""
    fail(launch_id)
    answers = [ask({"action": "edit", "reason": "x" * 500, "config": {"priority": "high"}}) for _ in range(120)]

    refused = next(number for number, answer in enumerate(answers) if not answer["accepted"])

    assert 50 < refused < 120
    assert [fault["where"] for fault in answers[-1]["faults"]] == ["the launch"]
    assert ask({"action": "retry"})["accepted"] is False
    assert all(event.get("reason", "x" * 500) == "x" * 500 for event in platform.repository.get(launch_id).events)


def test_a_config_does_not_grow_without_end_by_changes(platform, ask):
    config = "{name: n, workflow: snakemake, data: d, snakemake: {snakefile: snakefiles/n/Snakefile}}"
    platform.register(platform.put("launches/flow.yaml", config))
    launch_id = next(each.launch_id for each in platform.launches() if each.workflow == "snakemake")
    fail(launch_id)

    def grow(number):
        values = {f"key{number}": "x" * 60_000}
        return ask({"action": "edit", "reason": "more", "config": {"snakemake": {"config": values}}}, about=launch_id)

    answers = [grow(number) for number in range(6)]

    assert [answer["accepted"] for answer in answers] == [True] * 3 + [False] * 3
    assert "bytes" in answers[-1]["faults"][0]["problem"]


def test_a_request_is_judged_by_what_became_of_the_launch_and_not_by_what_somebody_wrote(platform, launch_id, ask):
    claim(launch_id)
    table = boto3.resource("dynamodb").Table(platform.repository.launch_table)
    table.update_item(
        Key={"launchId": launch_id},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": "COMPLETE"},
    )

    assert ask({"action": "cancel"})["status"] == "CANCEL_REQUESTED"
