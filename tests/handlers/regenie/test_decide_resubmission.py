"""What becomes of the failed jobs of a phase, from AWS Batch to the task table."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.regenie.decide_resubmission import handler
from lambdas.shared import aws
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
    """Given: an array of three in the Spot queue, of which the child 1 failed."""
    boto3.client("logs").create_log_group(logGroupName=JOB_LOG_GROUP)
    stubbed, real = boto3.client("batch"), aws.client
    with pytest.MonkeyPatch.context() as patch, Stubber(stubbed) as stubber:
        patch.setattr(aws, "client", lambda service: stubbed if service == "batch" else real(service))
        array = {"jobId": "array", "jobName": NAME, "status": "FAILED", "arrayProperties": {"size": 3}}
        job_filter = [{"name": "JOB_NAME", "values": [f"{NAME}*"]}]
        stubber.add_response("list_jobs", {"jobSummaryList": [array]}, {"jobQueue": SPOT, "filters": job_filter})
        child = {"jobId": "array:1", "jobName": NAME, "status": "FAILED"}
        stubber.add_response("list_jobs", {"jobSummaryList": [child]}, {"arrayJobId": "array", "jobStatus": "FAILED"})
        yield stubber


def failed_with(batch: Stubber, status_reason: str, exit_code: int) -> None:
    detail = {
        "jobId": "array:1",
        "jobName": NAME,
        "jobQueue": SPOT,
        "status": "FAILED",
        "startedAt": 0,
        "jobDefinition": "definition",
        "statusReason": status_reason,
        "container": {"exitCode": exit_code, "logStreamName": "launch-1/array:1"},
        "arrayProperties": {"index": 1},
    }
    batch.add_response("describe_jobs", {"jobs": [detail]}, {"jobs": ["array:1"]})


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
            }
        ]
    }
    (task,) = repository.tasks("launch-1")
    assert (task["taskId"], task["status"], task["errorType"]) == (f"job#{NAME}#1", "RESUBMITTED", "SpotReclaimedError")


def test_a_chunk_that_failed_by_itself_is_left_to_collect_failures(repository: LaunchRepository, batch: Stubber):
    failed_with(batch, "Essential container in task exited", 1)

    answer = handler({"launchId": "launch-1", "onDemandQueue": ON_DEMAND, "failed": [job()]}, CONTEXT)

    assert answer == {"jobs": []}
    assert list(repository.tasks("launch-1")) == []
