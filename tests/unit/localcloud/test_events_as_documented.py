"""Events of the embedded cloud have the keys and types of AWS's own: what reads them here reads them there."""

from typing import Any

import botocore.session
import pytest

from localcloud.instances import instance_event
from tests.documented_events import differences, documented
from tests.unit.localcloud_batch.support import Cloud, environment, queue
from tests.unit.localcloud_ecs.test_tasks import Ecs


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


OVERRIDE = {"name": "launcher", "environment": [{"name": "ATTEMPT", "value": "3"}]}


@pytest.fixture
def ecs(tmp_path):
    """Given: an ECS, and what it tells EventBridge."""
    ecs = Ecs(tmp_path)
    yield ecs
    ecs.service.close()


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


TASK = {
    # "The detail section resembles the Task object" (Amazon ECS developer guide).
    "detail": members("ecs", "Task") - {"tags"},
    "detail.containers[]": members("ecs", "Container"),
    "detail.overrides": members("ecs", "TaskOverride"),
    "detail.overrides.containerOverrides[]": members("ecs", "ContainerOverride"),
}
NOT_PULLED = "detail.containers[].imageDigest"
"""Nothing is pulled from a registry here; nor is it of Amazon ECR alone that AWS tells a digest."""
NOT_SAID = "detail.containers[].reason"
"""Only of a container with which something is wrong."""


@pytest.mark.parametrize(
    ("given", "sample"),
    [
        ({}, "ecs-task-started-by"),
        ({"overrides": {"containerOverrides": [OVERRIDE]}}, "ecs-task-started-by"),
        ({"overrides": {"containerOverrides": [OVERRIDE]}}, "ecs-task-stopped"),
    ],
)
def test_ecs_tells_of_tasks(ecs, given, sample):
    arn = ecs.run("exit 3", startedBy="exome-1", **given)
    ecs.until(arn, "STOPPED")

    documented_ = of_service(documented(sample))
    status = documented_["detail"]["lastStatus"]
    (event,) = [each for each in ecs.told if each["detail"]["lastStatus"] == status]
    lacking = [] if given else ["detail.overrides.containerOverrides[].environment"]
    assert differences(event, documented_, added=TASK, left_out=[NOT_PULLED, NOT_SAID, *lacking]) == []
    assert (event["detail-type"], event["resources"]) == (documented_["detail-type"], [arn])
    assert [each["name"] for each in event["detail"]["overrides"]["containerOverrides"]] == ["launcher"]
    assert all(value.endswith("Z") for key, value in event["detail"].items() if key.endswith("At"))


def test_ec2_tells_of_instances_of_batch_and_of_tibanna(tmp_path):
    told = [instance_event.state_change("i-0123456789abcdef0", "running")]
    warning = instance_event.interruption_warning("i-0123456789abcdef0", "us-east-1a")

    assert differences(told[0], of_service(documented("ec2-instance-state-change"))) == []
    sample = of_service(documented("ec2-spot-interruption-warning"))
    assert differences(warning, sample) == []
    # The zone, where all other ARNs have region and account
    assert warning["resources"] == ["arn:aws:ec2:us-east-1a:instance/i-0123456789abcdef0"]
    assert [each["detail-type"] for each in (*told, warning)] == [
        documented(name)["detail-type"] for name in ("ec2-instance-state-change", "ec2-spot-interruption-warning")
    ]


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
