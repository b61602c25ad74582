"""Launches whose execution ended without an event are handed to clean-up, as the event would have done."""

import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import LaunchField, Status
from lambdas.cleanup.lost_endings import handler, settings, settle_lost_endings
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.one_by_one import OneByOne
from tests.handlers.cleanup.conftest import CONTEXT, register

LATER = timedelta(hours=2)


@pytest.fixture
def execution(stubs: SimpleNamespace) -> str:
    """Given: an execution of the launch state machine that runs."""
    settings.cache_clear()
    client = boto3.client("stepfunctions")
    definition = client.describe_state_machine(stateMachineArn=os.environ["CLEANUP_STATE_MACHINE"])["definition"]
    role = "arn:aws:iam::123456789012:role/launch"
    machine = client.create_state_machine(name="launch", definition=definition, roleArn=role)["stateMachineArn"]
    started = client.start_execution(stateMachineArn=machine, input='[{"launchId": "launch-1"}]')
    return str(started["executionArn"])


def own(repository: LaunchRepository, execution: str, status: Status = Status.RUNNING) -> None:
    """Given: launch-1, which that execution claimed."""
    register(repository, status)
    boto3.resource("dynamodb").Table(repository.launch_table).update_item(
        Key={LaunchField.LAUNCH_ID: "launch-1"},
        UpdateExpression=f"SET {LaunchField.EXECUTION_ARN} = :arn",
        ExpressionAttributeValues={":arn": execution},
    )


def settle(now: datetime) -> int:
    """When: a round finds this many."""
    return settle_lost_endings(now, OneByOne("x"))


def events() -> list[dict[str, Any]]:
    """What clean-up was started with."""
    client = boto3.client("stepfunctions")
    started = client.list_executions(stateMachineArn=os.environ["CLEANUP_STATE_MACHINE"])["executions"]
    return [json.loads(client.describe_execution(executionArn=e["executionArn"])["input"]) for e in started]


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CANCEL_REQUESTED])
def test_clean_up_is_told_once_an_hour_what_the_lost_event_would_have_said(repository, execution, status):
    own(repository, execution, status)
    boto3.client("stepfunctions").stop_execution(executionArn=execution, error="Why", cause="Because")
    now = datetime.now(UTC).replace(minute=0) + LATER

    assert [settle(now), settle(now + timedelta(minutes=15))] == [1, 1]

    (event,) = events()
    assert (event["detail"]["executionArn"], event["detail"]["status"]) == (execution, "ABORTED")
    assert json.loads(event["detail"]["input"]) == [{"launchId": "launch-1"}]


def test_an_ending_within_the_grace_is_left_to_its_own_event(repository, execution):
    own(repository, execution)
    boto3.client("stepfunctions").stop_execution(executionArn=execution)

    assert handler({}, CONTEXT) == {"found": 0}
    assert events() == []


def test_a_running_execution_and_an_ended_launch_are_left_alone(repository, execution):
    own(repository, execution)
    assert settle(datetime.now(UTC) + LATER) == 0

    boto3.client("stepfunctions").stop_execution(executionArn=execution)
    own(repository, execution, Status.FAILED)
    assert settle(datetime.now(UTC) + LATER) == 0
    assert events() == []
