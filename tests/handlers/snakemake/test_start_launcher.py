"""The broker: every launch message starts one task, comes again, or is kept and told of."""

import pytest

from genolaunch.contract.launch import Status
from genolaunch.shared import aws
from lambdas.snakemake.start_launcher import MOST_DELIVERIES, MOST_STARTS
from tests.handlers.snakemake.conftest import CLUSTER, LAUNCH_ID, Platform, message, task_event

NO_INTERFACE = "Timeout waiting for network interface provisioning to complete."
FIRST, SECOND = f"arn:task/{LAUNCH_ID}-1-1", f"arn:task/{LAUNCH_ID}-1-2"


def lacking_network(arn):
    return task_event(arn, stopCode="TaskFailedToStart", stoppedReason=NO_INTERFACE)


def test_a_message_starts_one_task_that_carries_the_launch(platform: Platform):
    assert platform.broker(message()) == []

    (request,) = platform.ecs.requests
    assert (request["cluster"], request["launchType"], request["startedBy"]) == (CLUSTER, "FARGATE", f"{LAUNCH_ID}-1")
    assert len(request["clientToken"]) <= 64
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    assert tags == {"project": "genolaunch", "stage": "test", "launchId": LAUNCH_ID, "attempt": "1"}
    network = request["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "DISABLED"
    assert request["overrides"]["taskRoleArn"] == message()["role"]
    (override,) = request["overrides"]["containerOverrides"]
    environment = {pair["name"]: pair["value"] for pair in override["environment"]}
    assert environment == {
        "STAGE": "test",
        "LAUNCH_ID": LAUNCH_ID,
        "ATTEMPT": "1",
        "RECORD_QUEUE": "https://sqs/records",
        "RUN_SHEET": message()["runSheet"],
    }


def test_a_message_that_comes_twice_starts_one_task(platform: Platform):
    assert platform.broker(message()) == []
    assert platform.broker(message(), delivery=2) == []

    assert len(platform.ecs.requests) == 1


def test_after_a_crash_between_two_steps_the_same_task_is_asked_for(platform: Platform):
    platform.ecs.refusals = [("ThrottlingException", "Rate exceeded")] * 6
    assert platform.broker(message()) == ["0"]
    assert platform.broker(message(), delivery=2) == []

    assert {request["clientToken"] for request in platform.ecs.requests} == {f"{LAUNCH_ID}-1-1"}


def test_a_task_of_before_a_deployment_is_kept(platform: Platform):
    platform.ecs.refusals = [("ConflictException", "The client token is in use with other parameters", "arn:task/1")]

    assert platform.broker(message()) == []
    assert platform.broker(message(), delivery=2) == []

    assert platform.states.answers == []
    assert len(platform.ecs.requests) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        ("ThrottlingException", "Rate exceeded"),
        ("ClientException", "Capacity is unavailable at this time. Please try again later or in a different zone"),
        ("ServerException", "Service Unavailable"),
        ("LimitExceededException", "You've reached the limit on the number of tasks you can run concurrently"),
        # A role that was made a moment ago (pulumi/pulumi-awsx#927).
        (
            "ClientException",
            "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task. Please verify "
            "that the role being passed has the proper trust relationship and permissions",
        ),
        "RESOURCE:ENI",
        "Capacity is unavailable at this time",
    ],
)
def test_what_passes_is_waited_out(platform: Platform, refusal):
    platform.ecs.refusals = [refusal] * 3

    assert platform.broker(message()) == []

    assert len(platform.ecs.requests) == 4
    assert platform.states.answers == []


def test_what_lasts_goes_back_to_the_queue_with_growing_pauses(platform: Platform, monkeypatch):
    pauses = []
    monkeypatch.setattr(
        aws.client("sqs"), "change_message_visibility", lambda **request: pauses.append(request["VisibilityTimeout"])
    )
    for delivery in (1, 2, 5, 20):
        platform.ecs.refusals = [("ThrottlingException", "Rate exceeded")] * 6
        assert platform.broker(message(), delivery=delivery) == ["0"]

    assert pauses == [1, 2, 16, 900]


def test_at_the_limit_the_launch_fails_with_the_cause_and_people_are_told(platform: Platform):
    platform.ecs.refusals = ["RESOURCE:ENI"] * 6

    assert platform.broker(message(), delivery=MOST_DELIVERIES) == []

    ((token, error, cause),) = platform.states.answers
    assert (token, error) == ("token", "CapacityUnavailableError")
    assert "RESOURCE:ENI" in cause
    (letter,) = platform.received(platform.dead_letters)
    assert LAUNCH_ID in letter["Body"]
    assert "RESOURCE:ENI" in letter["MessageAttributes"]["reason"]["StringValue"]
    (notice,) = platform.received(platform.notices)
    assert "RESOURCE:ENI" in notice["Body"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (message(subnets=[]), "subnets must be 1 to 16 ids of subnets (subnet-...); it is []"),
        (message(subnets=...), "subnets must be 1 to 16 ids of subnets (subnet-...); it is missing"),
        (message(securityGroups=["default"]), "securityGroups must be 1 to 5 ids of security groups (sg-...)"),
        (message(container="other"), "container must be launcher, the container of the task definition"),
        (message(runSheet="/tmp/x"), "runSheet must be an s3:// URL"),
        (message(role="launcher"), "role must be the ARN of a role"),
    ],
)
def test_a_message_that_cannot_be_mended_fails_its_launch_at_once(platform: Platform, body, fault):
    assert platform.broker(body) == []

    ((token, error, cause),) = platform.states.answers
    assert (token, error) == ("token", "InvalidArguments")
    assert fault in cause
    assert len(platform.received(platform.dead_letters)) == 1
    assert len(platform.received(platform.notices)) == 1
    assert platform.ecs.requests == []


@pytest.mark.parametrize("body", ["no json", "[]", message(taskToken=...)])
def test_without_a_token_it_is_at_least_kept_and_told_of(platform: Platform, body):
    assert platform.broker(body) == []

    assert platform.states.answers == []
    assert len(platform.received(platform.dead_letters)) == 1
    assert len(platform.received(platform.notices)) == 1


def test_a_message_of_before_launches_had_roles_of_their_own_is_read(platform: Platform):
    """Of launchers that run while this is deployed; one that starts then finds that it may do nothing."""
    assert platform.broker(message(role=...)) == []

    assert "taskRoleArn" not in platform.ecs.requests[0]["overrides"]


def test_what_ecs_will_never_take_fails_the_launch_at_once(platform: Platform):
    platform.ecs.refusals = [("InvalidParameterException", "The subnet ID 'subnet-1' does not exist")]

    assert platform.broker(message()) == []

    assert platform.states.answers[0][1] == "InvalidArguments"
    assert len(platform.ecs.requests) == 1


def test_one_bad_message_does_not_hold_up_its_neighbours(platform: Platform):
    platform.ecs.refusals = [("ThrottlingException", "Rate exceeded")] * 6

    assert platform.broker("no json", message(), message(attempt=2)) == ["1"]


def test_a_launch_that_was_cancelled_meanwhile_gets_no_task(platform: Platform):
    platform.repository.change_status(LAUNCH_ID, Status.CANCEL_REQUESTED, execution_arn=None)

    assert platform.broker(message()) == []
    assert platform.ecs.requests == []


def test_a_task_that_was_started_while_its_launch_was_cancelled_is_stopped(platform: Platform, monkeypatch):
    def cancel(**request):
        platform.repository.change_status(LAUNCH_ID, Status.CANCEL_REQUESTED, execution_arn=None)
        return {"tasks": [{"taskArn": FIRST}], "failures": []}

    monkeypatch.setattr(platform.ecs, "run_task", cancel)

    assert platform.broker(message()) == []
    assert platform.ecs.stopped == [FIRST]


class TestStartedAgain:
    def test_for_want_of_network_after_a_pause(self, platform: Platform):
        platform.broker(message())

        assert platform.broker(lacking_network(FIRST)) == ["0"]  # addresses do not come free at once
        assert platform.broker(lacking_network(FIRST), delivery=2) == []

        assert [request["clientToken"][-3:] for request in platform.ecs.requests] == ["1-1", "1-2"]

    def test_once_for_each_stopped_task_however_often_the_event_comes(self, platform: Platform):
        platform.broker(message())
        for delivery in (2, 3):
            assert platform.broker(lacking_network(FIRST), delivery=delivery) == []
        assert platform.broker(lacking_network(SECOND), delivery=2) == []

        assert [request["clientToken"][-3:] for request in platform.ecs.requests] == ["1-1", "1-2", "1-3"]

    def test_not_when_the_container_ran(self, platform: Platform):
        platform.broker(message())
        assert platform.broker(task_event(FIRST, exitCode=1, stoppedReason="Essential container in task exited")) == []

        assert len(platform.ecs.requests) == 1

    @pytest.mark.parametrize("reason", ["CannotPullContainerError: image not found", "ResourceInitializationError: …"])
    def test_not_when_it_never_ran_for_another_reason(self, platform: Platform, reason):
        platform.broker(message())
        assert platform.broker(task_event(FIRST, stopCode="TaskFailedToStart", stoppedReason=reason)) == []

        assert len(platform.ecs.requests) == 1
        assert platform.received(platform.dead_letters) == []

    def test_not_for_ever(self, platform: Platform):
        platform.broker(message())
        for start in range(1, MOST_STARTS + 2):
            assert platform.broker(lacking_network(f"arn:task/{LAUNCH_ID}-1-{start}"), delivery=2) == []

        ((_, error, cause),) = platform.states.answers
        assert error == "CapacityUnavailableError"
        assert NO_INTERFACE in cause
        assert len(platform.received(platform.dead_letters)) == 1
