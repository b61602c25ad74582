"""The sweep starts clean-up where something was forgotten."""

import json
import os
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from contract import Status
from lambdas.cleanup.sweep import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.cleanup.conftest import CONTEXT, file_system, register

LONG_AGO = "2020-01-01T00:00:00.000Z"


def exists(stubs: SimpleNamespace, file_systems: list[Any], definitions: list[dict[str, str]] | None = None) -> None:
    """What a sweep finds: file systems, and the tags of ACTIVE job definitions."""
    found = [
        {"jobDefinitionName": "x", "jobDefinitionArn": "arn", "revision": 1, "type": "container", "tags": tags}
        for tags in definitions or []
    ]
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": file_systems})
    stubs.batch.add_response("describe_job_definitions", {"jobDefinitions": found}, {"status": "ACTIVE"})


def started() -> list[dict[str, Any]]:
    """Inputs of the clean-up executions."""
    client = boto3.client("stepfunctions")
    executions = client.list_executions(stateMachineArn=os.environ["CLEANUP_STATE_MACHINE"])["executions"]
    return [json.loads(client.describe_execution(executionArn=found["executionArn"])["input"]) for found in executions]


def test_a_forgotten_file_system_is_cleaned_up_once_an_hour(repository: LaunchRepository, stubs: SimpleNamespace):
    register(repository, Status.FAILED, attempt=2, ended_at=LONG_AGO)
    exists(stubs, [file_system("fs-00000000000000001"), file_system("fs-00000000000000002", attempt="2")])
    exists(stubs, [file_system("fs-00000000000000001"), file_system("fs-00000000000000002", attempt="2")])

    handler({}, CONTEXT)
    handler({}, CONTEXT)

    assert started() == [{"launchId": "launch-1", "endedAttempt": 2}]


def test_a_forgotten_job_definition_of_an_unknown_launch_is_cleaned_up(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    tags = {"project": "genolaunch", "stage": "test", "launchId": "launch-9", "attempt": "3"}
    exists(stubs, [], [tags, {**tags, "stage": "prod", "launchId": "launch-8"}, {}])

    assert handler({}, CONTEXT) == {"started": 1}
    assert started() == [{"launchId": "launch-9", "endedAttempt": 3}]


@pytest.mark.parametrize(
    "left",
    [
        file_system("fs-00000000000000001"),
        file_system("fs-00000000000000001", "DELETING", attempt="0"),
        file_system("fs-00000000000000001", stage="prod", attempt="0"),
    ],
    ids=["of the running attempt", "being deleted", "another stage's"],
)
def test_what_is_in_use_or_going_or_not_ours_is_left_alone(
    repository: LaunchRepository, stubs: SimpleNamespace, left: dict[str, Any]
):
    register(repository, Status.RUNNING)
    exists(stubs, [left])

    assert handler({}, CONTEXT) == {"started": 0}
    assert started() == []
