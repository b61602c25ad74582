"""What becomes of the failed jobs of a phase, from AWS Batch to the task table."""

import time
from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from genolaunch.shared import aws
from lambdas.regenie.decide_resubmission import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.regenie.conftest import CONTEXT, JOB_LOG_GROUP

SPOT, ON_DEMAND = "arn:spot", "arn:on-demand"
NAME = "launch-1-1-step2"


def job(**changes: Any) -> dict[str, Any]:
    """A job as the state machine hands it over."""
    given = {"name": NAME, "queue": SPOT, "memory": "2048", "size": 3, "tasks": "0-2", "hasMoreMemory": False}
    return {**given, "error": "States.TaskFailed", "cause": "{...", **changes}


@pytest.fixture
def batch(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Given: an array of three in the Spot queue that failed."""
    boto3.client("logs").create_log_group(logGroupName=JOB_LOG_GROUP)
    stubbed, real = boto3.client("batch"), aws.client
    with pytest.MonkeyPatch.context() as patch, Stubber(stubbed) as stubber:
        patch.setattr(aws, "client", lambda service: stubbed if service == "batch" else real(service))
        array = {"jobId": "array", "jobName": NAME, "status": "FAILED", "arrayProperties": {"size": 3}}
        job_filter = [{"name": "JOB_NAME", "values": [f"{NAME}*"]}]
        stubber.add_response("list_jobs", {"jobSummaryList": [array]}, {"jobQueue": SPOT, "filters": job_filter})
        yield stubber


def failed_with(batch: Stubber, status_reason: str, exit_code: int, children: Sequence[int] = (1,)) -> None:
    ids = [f"array:{index}" for index in children]
    summaries = [{"jobId": child, "jobName": NAME, "status": "FAILED"} for child in ids]
    batch.add_response("list_jobs", {"jobSummaryList": summaries}, {"arrayJobId": "array", "jobStatus": "FAILED"})
    details = [_detail(index, status_reason, exit_code) for index in children]
    batch.add_response("describe_jobs", {"jobs": details}, {"jobs": ids})


def _detail(index: int, status_reason: str, exit_code: int) -> dict[str, Any]:
    return {
        "jobId": f"array:{index}",
        "jobName": NAME,
        "jobQueue": SPOT,
        "status": "FAILED",
        "startedAt": 0,
        "jobDefinition": "definition",
        "statusReason": status_reason,
        "container": {"exitCode": exit_code, "logStreamName": f"launch-1/array:{index}"},
        "arrayProperties": {"index": index},
    }


def test_a_chunk_that_lost_its_spot_instances_goes_on_demand(repository: LaunchRepository, batch: Stubber):
    failed_with(batch, "Host EC2 (instance i-0123) terminated.", 137)

    answer = handler({"launchId": "launch-1", "onDemandQueue": ON_DEMAND, "failed": [job()]}, CONTEXT)

    assert answer == {
        "jobs": [
            {
                "name": f"{NAME}-on-demand",
                "queue": ON_DEMAND,
                "memory": "2048",
                "size": 1,
                "tasks": "1",
                "hasMoreMemory": False,
                "isStartedAgain": False,
            }
        ]
    }
    (task,) = repository.tasks("launch-1")
    assert (task["taskId"], task["status"], task["errorType"]) == (f"job#{NAME}#1", "RESUBMITTED", "SpotReclaimedError")


def log_says(stream: str, *lines: str) -> None:
    """Given: the last lines of a job's log."""
    logs = boto3.client("logs")
    logs.create_log_stream(logGroupName=JOB_LOG_GROUP, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=JOB_LOG_GROUP, logStreamName=stream, logEvents=events)


BAD_ALLOC = "ERROR: bad_alloc caught, not enough memory (std::bad_alloc)"


def test_memory_that_regenie_could_not_get_is_given_though_its_exit_code_is_1(
    repository: LaunchRepository, batch: Stubber
):
    failed_with(batch, "Essential container in task exited", 1)
    log_says("launch-1/array:1", BAD_ALLOC, "regenie ended with exit code 1; its last lines in the log say why.")

    answer = handler({"launchId": "launch-1", "onDemandQueue": ON_DEMAND, "failed": [job()]}, CONTEXT)

    (again,) = answer["jobs"]
    assert (again["name"], again["memory"], again["tasks"]) == (f"{NAME}-more-memory", "4096", "1")
    (task,) = repository.tasks("launch-1")
    assert (task["status"], task["errorType"]) == ("RESUBMITTED", "OutOfMemoryError")
    assert BAD_ALLOC in task["logTail"]


def test_of_many_alike_failures_some_logs_speak_for_all(
    repository: LaunchRepository, batch: Stubber, monkeypatch: pytest.MonkeyPatch
):
    # Given: two failed tasks of which only one has its log read
    monkeypatch.setattr("lambdas.regenie.failure_records._LOGS_READ_AT_MOST", 1)
    failed_with(batch, "Essential container in task exited", 1, children=(1, 2))
    log_says("launch-1/array:1", BAD_ALLOC)

    answer = handler({"launchId": "launch-1", "onDemandQueue": ON_DEMAND, "failed": [job()]}, CONTEXT)

    assert [(again["name"], again["tasks"]) for again in answer["jobs"]] == [(f"{NAME}-more-memory", "1-2")]


def test_a_chunk_that_failed_by_itself_is_left_to_collect_failures(repository: LaunchRepository, batch: Stubber):
    failed_with(batch, "Essential container in task exited", 1)

    answer = handler({"launchId": "launch-1", "onDemandQueue": ON_DEMAND, "failed": [job()]}, CONTEXT)

    assert answer == {"jobs": []}
    assert list(repository.tasks("launch-1")) == []
