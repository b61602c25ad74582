"""The sweep starts clean-up where something was forgotten."""

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import Status
from lambdas.cleanup.sweep import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.cleanup.conftest import (
    CONTEXT,
    QUEUE,
    QUEUES,
    as_list,
    file_system,
    instance,
    launch_template,
    register,
    tags_of,
)

ARN = "arn:aws:batch:eu-central-1:123456789012:job-definition"
LONG_AGO = "2020-01-01T00:00:00.000Z"


def exists(
    stubs: SimpleNamespace,
    file_systems: list[Any],
    definitions: list[dict[str, str]] | None = None,
    associations: list[dict[str, Any]] | None = None,
    jobs: list[dict[str, Any]] | None = None,
) -> None:
    """What a sweep finds: file systems, associations, jobs that run, and the tags of ACTIVE job definitions."""
    found = [
        {"jobDefinitionName": "x", "jobDefinitionArn": f"{ARN}/x:1", "revision": 1, "type": "container", "tags": tags}
        for tags in definitions or []
    ]
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": file_systems})
    stubs.fsx.add_response("describe_data_repository_associations", {"Associations": associations or []}, {})
    _unfinished(stubs, jobs, QUEUES)
    stubs.batch.add_response("describe_job_definitions", {"jobDefinitions": found}, {"status": "ACTIVE"})
    on_demand, spot = QUEUES[:2], QUEUES[2:]
    _unfinished(stubs, jobs, spot)  # whether any of them is stuck
    _unfinished(stubs, None, on_demand)


def _unfinished(stubs: SimpleNamespace, jobs: list[dict[str, Any]] | None, queues: Sequence[str]) -> None:
    for queue, status in product(queues, ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")):
        held = [job for job in jobs or [] if (queue, job["status"]) == (QUEUE, status)]
        summaries = [{"jobId": job["jobId"], "jobName": job["jobName"]} for job in held]
        stubs.batch.add_response("list_jobs", {"jobSummaryList": summaries}, {"jobQueue": queue, "jobStatus": status})
    if jobs:
        stubs.batch.add_response("describe_jobs", {"jobs": jobs}, {"jobs": [job["jobId"] for job in jobs]})


def job(id_: str, status: str, array: dict[str, Any] | None = None, **tags: str) -> dict[str, Any]:
    """As DescribeJobs tells of it: four vCPUs, and by default of launch-1, attempt 1."""
    more = {"arrayProperties": array} if array else {}
    return {
        "jobId": id_,
        "jobName": "launch-1-1-step2",
        "jobQueue": QUEUE,
        "jobDefinition": "x",
        "startedAt": 0,
        "status": status,
        "createdAt": 1_577_836_800_000,  # 2020-01-01
        "container": {"resourceRequirements": [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8192"}]},
        "tags": tags_of(**tags),
        **more,
    }


@pytest.fixture
def notices(stubs: SimpleNamespace) -> Callable[[], list[dict[str, str]]]:
    """Reads what was published since the last call."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=os.environ["NOTIFICATION_TOPIC"], Protocol="sqs", Endpoint=arn)

    def read() -> list[dict[str, str]]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    return read


def started() -> list[dict[str, Any]]:
    """Which clean-ups were asked for."""
    client = boto3.client("stepfunctions")
    executions = client.list_executions(stateMachineArn=os.environ["CLEANUP_STATE_MACHINE"])["executions"]
    inputs = [
        json.loads(client.describe_execution(executionArn=found["executionArn"])["input"]) for found in executions
    ]
    return [{key: given[key] for key in ("launchId", "endedAttempt")} for given in inputs]


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


def test_an_instance_of_tibannas_of_an_unknown_launch_is_cleaned_up_and_told_of(
    repository: LaunchRepository,
    stubs: SimpleNamespace,
    notices: Callable[[], list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
):
    forgotten = instance("launch-9-2.abc", "launch-9-2")
    instance("somebodys-own")
    exists(stubs, [])
    monkeypatch.setenv("SWEEP_GRACE_MINUTES", "0")

    assert handler({}, CONTEXT) == {"started": 1}
    assert started() == [{"launchId": "launch-9", "endedAttempt": 2}]
    (notice,) = notices()
    assert f"Tibanna's instance {forgotten}" in notice["Message"]


def test_a_launch_that_cannot_be_judged_keeps_no_other_one_from_being_swept(
    repository: LaunchRepository, stubs: SimpleNamespace, capsys: pytest.CaptureFixture[str]
):
    # Given: three launches that left resources behind; one's item was spoilt by hand, one's clean-up cannot be named so
    table = boto3.resource("dynamodb").Table(repository.launch_table)
    table.put_item(Item={"launchId": "launch-0", "name": "n", "status": "BROKEN", "submittedAt": LONG_AGO})
    register(repository, Status.FAILED, ended_at=LONG_AGO)
    exists(
        stubs,
        [
            file_system("fs-00000000000000001", launchId="launch-0"),
            file_system("fs-00000000000000002", launchId="x" * 90),
            file_system("fs-00000000000000003"),
        ],
    )

    # When: the function's alarm has to tell of the one, the alarm of broken items of the other
    with pytest.raises(RuntimeError, match=f"A launch was not swept: 1 launches, {'x' * 90}"):
        handler({}, CONTEXT)

    # Then
    assert '"SickLaunches":[1.0]' in capsys.readouterr().out
    assert started() == [{"launchId": "launch-1", "endedAttempt": 1}]


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


def test_everything_that_an_ended_launch_left_is_told_once_with_its_age_and_price(
    repository: LaunchRepository,
    stubs: SimpleNamespace,
    notices: Callable[[], list[dict[str, str]]],
    capsys: pytest.CaptureFixture[str],
):
    # Given one thing of each kind, and an array of which two jobs run
    register(repository, Status.CANCELLED, ended_at=LONG_AGO)
    template = launch_template("one")
    association = {
        "AssociationId": "dra-00000000000000001",
        "FileSystemId": "fs-00000000000000001",
        "Lifecycle": "AVAILABLE",
        "CreationTime": datetime(2019, 12, 31, 22, 5, tzinfo=UTC),
        "Tags": as_list(tags_of()),
    }
    running = [
        job("array", "PENDING", {"size": 3, "statusSummary": {"RUNNING": 2, "RUNNABLE": 1}}),
        job("foreign", "RUNNING", stage="prod"),
        job("single", "RUNNING"),
    ]
    for _ in range(2):
        exists(stubs, [file_system("fs-00000000000000001")], [tags_of()], [association], running)

    handler({}, CONTEXT)
    handler({}, CONTEXT)  # a second sweep of the same hour

    (notice,) = notices()
    assert notice["Subject"] == "Genolaunch test: a launch left resources behind"
    # 1,200 GiB at 0.14 USD a month, and 12 vCPUs at 0.05 USD an hour
    assert notice["Message"].splitlines()[3:] == [
        "launch-1: CANCELLED since 2020-01-01 00:00 UTC; about 0.83 USD an hour",
        "- file system fs-00000000000000001, 1200 GiB, made 2026-11-21 04:00 UTC",
        "- data repository association dra-00000000000000001 of fs-00000000000000001, made 2019-12-31 22:05 UTC",
        "- job launch-1-1-step2 (array), 8 vCPUs running, made 2020-01-01 00:00 UTC",
        "- job launch-1-1-step2 (single), 4 vCPUs running, made 2020-01-01 00:00 UTC",
        "- job definition x:1",
        f"- launch template {template}, made {made(template)}",
    ]
    assert [count for _, count in counted(capsys)] == [6, 6]


def test_a_sweep_that_finds_nothing_is_silent_but_counts(
    repository: LaunchRepository,
    stubs: SimpleNamespace,
    notices: Callable[[], list[dict[str, str]]],
    capsys: pytest.CaptureFixture[str],
):
    exists(stubs, [])

    handler({}, CONTEXT)

    assert notices() == []
    # The dimensions are those of the alarm (tests/infrastructure).
    assert counted(capsys) == [({"stage", "service"}, 0)]


def test_of_much_that_was_left_the_notice_names_the_first_ten(
    repository: LaunchRepository, stubs: SimpleNamespace, notices: Callable[[], list[dict[str, str]]]
):
    exists(stubs, [], [tags_of(launchId="launch-9")] * 12 + [tags_of(launchId="launch-8")])

    handler({}, CONTEXT)

    (notice,) = notices()
    assert notice["Subject"] == "Genolaunch test: 2 launches left resources behind"
    assert "launch-9: unknown to the launch table; free of charge" in notice["Message"]
    assert notice["Message"].count("- job definition x:1") == 11
    assert "... and 2 more things." in notice["Message"]


def made(template: str) -> str:
    """When moto made the launch template."""
    (found,) = boto3.client("ec2").describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    return f"{found['CreateTime']:%Y-%m-%d %H:%M} UTC"


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[set[str], int]]:
    """Dimensions and value of each LeftoversOverdue that the function wrote."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "LeftoversOverdue" in line]
    return [
        (set(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]), int(line["LeftoversOverdue"][0])) for line in lines
    ]


def test_a_forgotten_launcher_is_cleaned_up_and_told_of_with_its_price(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    register(repository, Status.CANCELLED, ended_at=LONG_AGO)
    exists(stubs, [])
    stubs.ecs.add("arn:aws:ecs:eu-central-1:123456789012:task/launchers/0123")
    stubs.ecs.add("arn:aws:ecs:eu-central-1:123456789012:task/launchers/4567", started_by="a person")

    assert handler({}, CONTEXT) == {"started": 1}
