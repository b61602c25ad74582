"""The recorder: what a launcher says is written for its own launch, and nobody else's word counts."""

import json
from typing import Any

import boto3
import pytest

from genolaunch.contract.launcher import LauncherRecord
from genolaunch.contract.tasks import TaskField
from lambdas.snakemake.launcher_record import FailedJob
from lambdas.snakemake.launcher_record import LauncherRecord as Record
from snakemake_launcher.engines import Failure
from snakemake_launcher.jobs import Job, Jobs, JobStatus
from snakemake_launcher.records import Records
from snakemake_launcher.settings import Settings
from tests.handlers.snakemake.conftest import LAUNCH_ID, Platform, message

OWN = f"AROAEXAMPLE:{LAUNCH_ID}-1-1"
"""The session of the task that the fake ECS starts."""

JOB = {
    "jobName": f"{LAUNCH_ID}-1-align-7",
    "status": "FAILED",
    "errorType": "ApplicationError",
    "reason": "no such reference genome",
    "exitCode": 3,
    "attempts": 1,
    "logTail": "no such reference genome",
    "jobId": "7",
}


@pytest.fixture
def started(platform: Platform) -> Platform:
    """Given: its task was started."""
    platform.broker(message())
    return platform


def said(**members: Any) -> dict[str, Any]:
    return {"launchId": LAUNCH_ID, "attempt": 1, "at": 1_000, **members}


def progress(done: int, **members: Any) -> dict[str, Any]:
    return said(progress={"done": done, "total": 7, "failed": 0}, **members)


def test_progress_and_failures_of_the_own_launch_are_written(started: Platform):
    assert started.recorder(progress(3), said(job=JOB), sender=OWN) == []

    assert started.launch()["progress"] == {"done": 3, "total": 7, "failed": 0}
    (item,) = started.tasks()
    assert item.pop("updatedAt")
    assert item == {**JOB, "launchId": LAUNCH_ID, "taskId": f"job#{LAUNCH_ID}-1-align-7#0"}


def test_what_comes_late_does_not_undo_what_is_newer_and_a_repetition_is_written_again(started: Platform):
    started.recorder(progress(5, at=2_000), progress(3, at=1_000), sender=OWN)
    assert started.launch()["progress"]["done"] == 5

    started.recorder(progress(5, at=2_000), progress(6, at=3_000), sender=OWN)
    assert started.launch()["progress"]["done"] == 6


@pytest.mark.parametrize("order", [["FAILED", "RESUBMITTED"], ["RESUBMITTED", "FAILED"], ["FAILED", "FAILED"]])
def test_a_resubmitted_job_stays_so_in_whatever_order_its_messages_come(started: Platform, order: list[str]):
    for status in order:
        assert started.recorder(said(job=JOB | {"status": status}), sender=OWN) == []

    (item,) = started.tasks()
    assert item["status"] == max(order)  # RESUBMITTED, if it was told at all


@pytest.mark.parametrize(
    "sender", ["AROAEXAMPLE:0123456789abcdef", "123456789012", f"AROAEXAMPLE:{LAUNCH_ID}", "AROAEXAMPLE:"]
)
def test_who_is_not_the_launchs_launcher_writes_nothing(started: Platform, sender: str):
    before = started.launch()

    assert started.recorder(progress(7), said(job=JOB), sender=sender) == []

    assert started.launch() == before
    assert started.tasks() == []


@pytest.mark.parametrize(
    "other",
    [
        progress(7, launchId="other-20261121t040000-1a2b3c4d"),
        progress(7, attempt=2),
        said(job={**JOB, "jobName": "other-20261121t040000-1a2b3c4d-1-align-7"}),
        said(job={**JOB, "jobName": "ledger"}),
        said(job={**JOB, "taskId": "ledger"}),
        said(job={**JOB, "launchId": "queue"}),
        progress(7, launchId="queue"),
        progress(-1),
        progress(10**12),
        said(job={**JOB, "status": "COMPLETE"}),
        said(job={**JOB, "errorType": "Whatever"}),
        said(job={**JOB, "logTail": "x" * 200_000}),
        "no json",
        [],
        {},
    ],
)
def test_a_launcher_says_nothing_of_other_launches_nor_anything_else(started: Platform, other: Any):
    before = started.launch()

    assert started.recorder(other, sender=OWN) == []

    assert started.launch() == before
    assert started.tasks() == []


def test_a_launcher_that_is_faster_than_its_broker_is_heard_later(started: Platform):
    started.broker({"detail-type": "ECS Task State Change", "detail": _lost_network()}, delivery=2)
    launchers_task = started.repository._item("launch-tasks", {"launchId": LAUNCH_ID, "taskId": "launcher#1"})
    assert launchers_task["taskArn"] != f"arn:task/{LAUNCH_ID}-1-1"  # started again: another task is the launcher now

    assert started.recorder(progress(1), sender=OWN) == []
    assert "progress" not in started.launch()
    _forget_task(started)
    assert started.recorder(progress(1), sender=OWN) == ["0"]


def test_the_members_are_the_contracts():
    named = {value for name, value in vars(LauncherRecord).items() if name.isupper()}
    attributes = {value for name, value in vars(TaskField).items() if name.isupper()}

    assert {field.alias for field in Record.model_fields.values()} == named
    assert {field.alias for field in FailedJob.model_fields.values()} <= attributes


def _lost_network() -> dict[str, Any]:
    return {
        "taskArn": f"arn:task/{LAUNCH_ID}-1-1",
        "startedBy": f"{LAUNCH_ID}-1",
        "lastStatus": "STOPPED",
        "stopCode": "TaskFailedToStart",
        "stoppedReason": "Timeout waiting for network interface provisioning to complete.",
        "containers": [{"name": "launcher"}],
    }


def _forget_task(platform: Platform) -> None:
    """As between RunTask's answer and the broker's note of it."""
    platform.repository._client.update_item(
        TableName="launch-tasks",
        Key={"launchId": {"S": LAUNCH_ID}, "taskId": {"S": "launcher#1"}},
        UpdateExpression="REMOVE taskArn",
    )


def test_what_the_launcher_sends_is_what_the_recorder_reads(started: Platform, monkeypatch: pytest.MonkeyPatch):
    """The image has no `genolaunch.contract`: both ends of the queue are held together here."""
    sent: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(boto3, "client", lambda _service: _Queue(sent))
        launcher = Records(
            Settings(stage="test", launch_id=LAUNCH_ID, attempt=1, record_queue="url", run_sheet="s3://b/k")
        )
    jobs = Jobs(total=4, done=2)
    job = Job("3", "align", {}, id="abc", name="n", submission=2, submitted_at=1.0, status=JobStatus.FAILED)

    launcher.progress(jobs)
    launcher.progress(jobs)  # nothing new
    launcher.failed(job, Failure("OutOfMemoryError", "r" * 9_000, log_tail="t" * 300_000, exit_code=137))

    assert len(sent) == 2
    assert max(map(len, sent)) < 256 * 1024
    assert started.recorder(*sent, sender=OWN) == []
    assert started.launch()["progress"] == {"done": 2, "total": 4, "failed": 0}
    (item,) = started.tasks()
    assert (item["errorType"], item["exitCode"], item["attempts"]) == ("OutOfMemoryError", 137, 2)
    assert item["jobName"] == f"{LAUNCH_ID}-1-align-abc"


class _Queue:
    def __init__(self, sent: list[str]) -> None:
        self._sent = sent

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - AWS's names
        assert QueueUrl == "url"
        self._sent.append(json.dumps(json.loads(MessageBody)))
