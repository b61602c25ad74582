"""Collecting why a run failed, from AWS Batch and CloudWatch Logs to the task table."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from genolaunch.shared import aws
from lambdas.regenie import failure_records
from lambdas.regenie.collect_failures import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT, JOB_LOG_GROUP, QUEUES

EVENT = {
    "launchId": "launch-1",
    "attempt": 1,
    "error": {"Error": "States.TaskFailed", "Cause": "{}"},
    "step": "Step 2: chunks",
}
STEP2 = "launch-1-1-step2"


@pytest.fixture
def batch(cloud: None) -> Iterator[Stubber]:
    """Given: AWS Batch that answers the calls a test expects, in order, and no others; the rest of AWS is moto's."""
    stubbed = boto3.client("batch")
    real = aws.client
    # A patch of its own, taken back before the fixture `cloud` empties the real function's cache.
    with pytest.MonkeyPatch.context() as patch, Stubber(stubbed) as stubber:
        patch.setattr(aws, "client", lambda service: stubbed if service == "batch" else real(service))
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture(autouse=True)
def log_group(cloud: None) -> Any:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=JOB_LOG_GROUP)
    return logs


def write_log(logs: Any, stream: str, *lines: str) -> None:
    logs.create_log_stream(logGroupName=JOB_LOG_GROUP, logStreamName=stream)
    now = 1_795_000_000_000
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=JOB_LOG_GROUP, logStreamName=stream, logEvents=events)


def queues_hold(batch: Stubber, *first_queue: dict[str, Any]) -> None:
    """The first queue holds these jobs, the others none. Those of Snakemake's jobs are not asked."""
    for queue, jobs in zip(QUEUES, (list(first_queue), [], [], []), strict=True):
        batch.add_response(
            "list_jobs",
            {"jobSummaryList": jobs},
            {"jobQueue": queue, "filters": [{"name": "JOB_NAME", "values": ["launch-1-1-*"]}]},
        )


def summary(job_id: str, name: str, status: str, size: int | None = None) -> dict[str, Any]:
    array = {"arrayProperties": {"size": size}} if size else {}
    return {"jobId": job_id, "jobName": name, "status": status, **array}


def detail(job_id: str, name: str, index: int | None = None, exit_code: int = 1, **given: Any) -> dict[str, Any]:
    """A failed job as DescribeJobs tells of it."""
    array = {"arrayProperties": {"index": index}} if index is not None else {}
    return {
        "jobId": job_id,
        "jobName": name,
        "jobQueue": QUEUES[0],
        "status": "FAILED",
        "startedAt": 0,
        "jobDefinition": "definition",
        "statusReason": "Essential container in task exited",
        "attempts": [{}],
        "container": {"exitCode": exit_code, "logStreamName": f"launch-1/{job_id}"},
        **array,
        **given,
    }


def test_failed_children_of_an_array_are_recorded_with_their_last_words(
    repository: LaunchRepository, batch: Stubber, log_group: Any
):
    # Given an array of 12 with two failed children on two pages, and an earlier phase that succeeded
    queues_hold(batch, summary("array", STEP2, "FAILED", 12), summary("done", "launch-1-1-step1", "SUCCEEDED"))
    failed = {"arrayJobId": "array", "jobStatus": "FAILED"}
    batch.add_response(
        "list_jobs", {"jobSummaryList": [summary("array:7", STEP2, "FAILED")], "nextToken": "more"}, failed
    )
    batch.add_response(
        "list_jobs", {"jobSummaryList": [summary("array:3", STEP2, "FAILED")]}, {**failed, "nextToken": "more"}
    )
    batch.add_response(
        "describe_jobs",
        {"jobs": [detail("array:7", STEP2, 7), detail("array:3", STEP2, 3, exit_code=2)]},
        {"jobs": ["array:7", "array:3"]},
    )
    write_log(log_group, "launch-1/array:3", "$ regenie", "ERROR: no variant left", "The command ended with 2.")

    answer = handler(EVENT, CONTEXT)

    said = "2 of 12 jobs of step 2 failed; first: array index 3 (exit code 2): "
    assert (answer["type"], opened(answer["message"])) == (
        "ApplicationError",
        {
            "message": f"{said}ERROR: no variant left",
            "public": f"{said}the launch's error says what the job said",
        },
    )
    first, second = repository.tasks("launch-1", "job#")
    assert first["updatedAt"]
    assert {**first, "updatedAt": None} == {
        "launchId": "launch-1",
        "taskId": "job#launch-1-1-step2#3",
        "status": "FAILED",
        "errorType": "ApplicationError",
        "reason": "Essential container in task exited",
        "exitCode": 2,
        "attempts": 1,
        "logGroup": JOB_LOG_GROUP,
        "logStream": "launch-1/array:3",
        "logTail": "$ regenie\nERROR: no variant left\nThe command ended with 2.",
        "jobId": "array:3",
        "jobName": STEP2,
        "updatedAt": None,
    }
    # The other one never wrote a log.
    assert second["taskId"] == "job#launch-1-1-step2#7"
    assert "logTail" not in second


def test_a_plain_job_is_recorded_as_index_0(repository: LaunchRepository, batch: Stubber):
    queues_hold(batch, summary("plain", "launch-1-1-report", "FAILED"))
    reason = "OutOfMemoryError: Container killed due to memory usage"
    killed = {"exitCode": 137, "reason": reason, "logStreamName": "launch-1/plain"}
    batch.add_response("describe_jobs", {"jobs": [detail("plain", "launch-1-1-report", container=killed)]})

    answer = handler(EVENT, CONTEXT)

    assert answer["type"] == "OutOfMemoryError"
    assert "raise regenie.resources.small.memory_gib" in answer["message"]
    (task,) = repository.tasks("launch-1", "job#")
    assert task["taskId"] == "job#launch-1-1-report#0"
    assert task["reason"] == f"{reason}; Essential container in task exited"


def test_a_broken_merge_is_the_platforms_fault(repository: LaunchRepository, batch: Stubber, log_group: Any):
    queues_hold(batch, summary("plain", "launch-1-1-merge", "FAILED"))
    batch.add_response("describe_jobs", {"jobs": [detail("plain", "launch-1-1-merge")]})
    write_log(log_group, "launch-1/plain", "Traceback (most recent call last):", "KeyError: 'columns'")

    answer = handler(EVENT, CONTEXT)

    assert answer["type"] == "PlatformError"
    assert opened(answer["message"])["message"] == "The job of the merge failed (exit code 1): KeyError: 'columns'"
    assert [task["errorType"] for task in repository.tasks("launch-1", "job#")] == ["PlatformError"]


def test_a_failure_that_another_job_was_to_mend_is_not_blamed(repository: LaunchRepository, batch: Stubber):
    # Given a chunk that ran out of memory, and failed otherwise with more of it
    repository.record_tasks([{"launchId": "launch-1", "taskId": f"job#{STEP2}#0", "status": "RESUBMITTED"}])
    again = f"{STEP2}-more-memory"
    queues_hold(batch, summary("first", STEP2, "FAILED"), summary("second", again, "FAILED"))
    batch.add_response("describe_jobs", {"jobs": [detail("first", STEP2, exit_code=137)]})
    batch.add_response("describe_jobs", {"jobs": [detail("second", again)]})

    answer = handler(EVENT, CONTEXT)

    assert opened(answer["message"])["message"].startswith("The job of step 2 (more memory) failed (exit code 1)")
    assert [task["status"] for task in repository.tasks("launch-1", "job#")] == ["RESUBMITTED", "FAILED"]


def test_many_failed_jobs_are_described_by_the_hundred_and_read_in_part(
    repository: LaunchRepository, batch: Stubber, monkeypatch: pytest.MonkeyPatch
):
    # Given 150 failed children, and room for the logs of 2
    monkeypatch.setattr(failure_records, "_LOGS_READ_AT_MOST", 2)
    read: list[str] = []

    def log_tail(_group: str, stream: str) -> str:
        read.append(stream)
        return "the end"

    monkeypatch.setattr(failure_records, "_log_tail", log_tail)
    ids = [f"array:{index}" for index in range(150)]
    queues_hold(batch, summary("array", STEP2, "FAILED", 200))
    batch.add_response("list_jobs", {"jobSummaryList": [summary(id_, STEP2, "FAILED") for id_ in ids]})
    for hundred in (range(100), range(100, 150)):
        details = [detail(ids[index], STEP2, index) for index in hundred]
        batch.add_response("describe_jobs", {"jobs": details}, {"jobs": [ids[index] for index in hundred]})

    answer = handler(EVENT, CONTEXT)

    assert (
        opened(answer["message"])["message"]
        == "150 of 200 jobs of step 2 failed; first: array index 0 (exit code 1): the end"
    )
    assert read == ["launch-1/array:0", "launch-1/array:1"]
    assert len(list(repository.tasks("launch-1", "job#"))) == 150


def test_a_long_log_is_kept_from_its_end(repository: LaunchRepository, batch: Stubber, log_group: Any):
    queues_hold(batch, summary("plain", STEP2, "FAILED"))
    batch.add_response("describe_jobs", {"jobs": [detail("plain", STEP2)]})
    write_log(log_group, "launch-1/plain", *(f"line {number} " + "é" * 500 for number in range(60)), "the end")

    handler(EVENT, CONTEXT)

    (task,) = repository.tasks("launch-1", "job#")
    assert len(task["logTail"].encode()) <= 8192
    assert task["logTail"].endswith("\nthe end")


def test_without_failed_jobs_the_workflows_error_is_told(repository: LaunchRepository, batch: Stubber):
    queues_hold(batch, summary("plain", STEP2, "RUNNING"))
    error = {"Error": "FileSystemError", "Cause": "The file system fs-1 did not become available."}

    answer = handler({**EVENT, "error": error, "step": "File system"}, CONTEXT)

    assert answer == {"type": "FileSystemError", "message": "The file system fs-1 did not become available."}
    assert list(repository.tasks("launch-1", "job#")) == []


def test_jobs_of_another_launch_with_the_same_beginning_are_not_this_ones(repository: LaunchRepository, batch: Stubber):
    # Given Batch's comparison without case
    queues_hold(batch, summary("other", "LAUNCH-1-1-step2", "FAILED"))

    assert handler({**EVENT, "error": {}}, CONTEXT)["type"] == "PlatformError"


def test_changed_inputs_are_told_whatever_the_jobs_made_of_them(repository: LaunchRepository, batch: Stubber):
    queues_hold(batch, summary("plain", STEP2, "FAILED"))
    batch.add_response("describe_jobs", {"jobs": [detail("plain", STEP2, exit_code=139)]})
    cause = json.dumps({"errorType": "InputsChangedError", "errorMessage": "Inputs changed while the launch ran."})

    answer = handler({**EVENT, "error": {"Error": "InputsChangedError", "Cause": cause}}, CONTEXT)

    assert answer == {"type": "InputsChangedError", "message": "Inputs changed while the launch ran."}
    assert [task["exitCode"] for task in repository.tasks("launch-1")] == [139]
