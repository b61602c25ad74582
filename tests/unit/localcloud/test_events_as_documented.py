"""Events of the embedded cloud have the keys and types of AWS's own: what reads them here reads them there."""

from typing import Any

import botocore.session
import pytest

from tests.documented_events import differences, documented
from tests.unit.localcloud_batch.support import Cloud, environment, queue


def members(service: str, shape: str) -> set[str]:
    """What AWS's service model gives a structure."""
    model: Any = botocore.session.get_session().get_service_model(service)
    return set(model.shape_for(shape).members)


JOB = {
    # "The detail section resembles the JobDetail object" (AWS Batch user guide, "Job state change events").
    "detail": members("batch", "JobDetail") - {"tags"},
    "detail.container": members("batch", "ContainerDetail"),
    "detail.attempts[]": members("batch", "AttemptDetail"),
    "detail.retryStrategy": members("batch", "RetryStrategy"),
    # Names of the launch's parameters.
    "detail.parameters": (),
}


@pytest.fixture
def batch(tmp_path):
    """Given: a Batch."""
    cloud = Cloud(tmp_path, cores=2, clock_speed=36_000.0)
    yield cloud
    cloud.batch.close()


@pytest.fixture
def heard(batch):
    """What it tells EventBridge."""
    events: list[dict[str, Any]] = []
    batch.batch.subscribe(events.append)
    return events


def of_service(event):
    """What the sample has and the service tells: the bus adds the rest."""
    return {key: event[key] for key in ("detail-type", "resources", "detail")}


@pytest.mark.parametrize("array", [{}, {"arrayProperties": {"size": 2}}], ids=["a job", "an array"])
def test_batch_tells_of_jobs(batch, heard, array):
    batch.run(["sh", "-c", "exit 3"], tags={"launchId": "exome"}, retryStrategy={"attempts": 2}, **array)
    batch.batch.close()

    sample = of_service(documented("batch-job-state-change"))
    assert {event["detail"]["status"] for event in heard} >= {"RUNNABLE", "STARTING", "RUNNING", "FAILED"}
    for event in heard:
        assert differences(event, sample, added=JOB) == []
        assert event["detail-type"] == sample["detail-type"]
        assert event["resources"] == [event["detail"]["jobArn"]]
        assert event["detail"]["tags"] == {"resourceArn": event["detail"]["jobArn"]}


def test_batch_tells_once_of_a_job_that_blocks_its_queue(batch, heard):
    small = {**environment("small")["computeResources"], "maxvCpus": 4}
    batch.call("CreateComputeEnvironment", **environment("small") | {"computeResources": small})
    order = [{"order": 1, "computeEnvironment": "small"}]
    limit = {
        "action": "CANCEL",
        "state": "RUNNABLE",
        "reason": "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        "maxTimeSeconds": 3600,
    }
    narrow = queue("narrow", 1, jobStateTimeLimitActions=[limit]) | {"computeEnvironmentOrder": order}
    arn = batch.call("CreateJobQueue", **narrow)["jobQueueArn"]
    job_id = batch.submit(cores=5, queue="narrow", tags={"launchId": "exome"})
    batch.submit(queue="narrow")
    batch.batch.wait(job_id, 10)
    batch.batch.close()

    sample = of_service(documented("batch-job-queue-blocked"))
    (event,) = [each for each in heard if each["detail-type"] == sample["detail-type"]]
    assert differences(event, sample, added=JOB) == []
    assert event["resources"] == [event["detail"]["jobArn"], arn]
    assert (event["detail"]["jobId"], event["detail"]["status"]) == (job_id, "RUNNABLE")
    assert event["detail"]["statusReason"].startswith("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - ")
