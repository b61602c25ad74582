"""Launches without a price are priced again: those whose price is unknown, and those that the pipe lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from genolaunch.contract.events import GRACE_MINUTES
from genolaunch.contract.launch import Status
from lambdas.pricing import retry_pricing
from lambdas.shared.clock import timestamp
from tests.handlers.pricing.conftest import CONTEXT, LAUNCH, register

HOUR_AGO = timestamp(datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def machine(account: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Given: the state machine that prices launches."""
    made = boto3.client("stepfunctions").create_state_machine(
        name="benchmark",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/benchmark",
    )
    monkeypatch.setenv("BENCHMARK_STATE_MACHINE", made["stateMachineArn"])
    retry_pricing.settings.cache_clear()
    return str(made["stateMachineArn"])


def launch(status: Status = Status.COMPLETE, ended: str = HOUR_AGO, **fields: str) -> None:
    values: dict[str, Any] = {"submittedAt": HOUR_AGO, "endedAt": ended, **fields}
    register(status, **values)


def retry(**event: object) -> int:
    started: int = retry_pricing.handler(event, CONTEXT)["started"]
    return started


def inputs(machine: str) -> list[Any]:
    """What the executions that were started got."""
    client = boto3.client("stepfunctions")
    found = client.list_executions(stateMachineArn=machine)["executions"]
    return [json.loads(client.describe_execution(executionArn=each["executionArn"])["input"]) for each in found]


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.FAILED, Status.CANCELLED])
def test_an_unknown_price_is_asked_for_again(machine, status):
    launch(status, costStatus="UNKNOWN", costReason="The Price List could not be asked.")
    assert retry() == 1
    assert inputs(machine) == [[{"launchId": LAUNCH, "attempt": "1"}]]


def test_what_the_pipe_lost_is_priced_after_a_while(machine):
    launch(ended=timestamp())
    assert retry() == 0
    assert retry(**{GRACE_MINUTES: 0}) == 1


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (Status.COMPLETE, {"costStatus": "PRICED", "totalCost": "1.000000"}),
        (Status.RUNNING, {}),
        (Status.REJECTED, {}),
        (Status.FAILED, {"submittedAt": "2026-01-01T00:00:00.000Z"}),
    ],
    ids=["priced", "running", "rejected", "of long ago"],
)
def test_others_are_left_alone(machine, status, fields):
    launch(status, **fields)
    assert retry() == 0
    assert inputs(machine) == []


def test_a_claim_is_left_to_an_execution_that_runs(machine):
    arn = boto3.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    launch(costStatus="PRICING", costExecutionArn=arn)
    assert retry() == 0


def test_a_claim_is_taken_from_an_execution_that_ended_without_a_word(machine):
    client = boto3.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine)["executionArn"]
    client.stop_execution(executionArn=arn)
    launch(costStatus="PRICING", costExecutionArn=arn)
    assert retry() == 1
    item = boto3.resource("dynamodb").Table("launches").get_item(Key={"launchId": LAUNCH})["Item"]
    assert (item["costStatus"], item["costReason"]) == (
        "UNKNOWN",
        "The execution that should price it ended without a result.",
    )
