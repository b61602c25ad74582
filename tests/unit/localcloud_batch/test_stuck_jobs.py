"""A job that no instance of its queue's environments could hold waits in vain, until its queue gives it up."""

import time

import pytest

from localcloud.batch.capacity import TOO_LARGE, TOO_MANY_VCPUS
from tests.unit.localcloud_batch.support import Cloud, environment, queue

HOUR = 3600
QUICK = 36_000.0  # an hour in a tenth of a second


def limits(*reasons):
    actions = [{"action": "CANCEL", "state": "RUNNABLE", "reason": each, "maxTimeSeconds": HOUR} for each in reasons]
    return {"jobStateTimeLimitActions": actions}


def impatient(cloud, instance_types=("m6i",), max_vcpus=256, reasons=(TOO_MANY_VCPUS, TOO_LARGE)):
    """Given: a queue that gives jobs up after an hour, with an environment of its own."""
    resources = {**environment("x")["computeResources"], "maxvCpus": max_vcpus, "instanceTypes": list(instance_types)}
    cloud.call("CreateComputeEnvironment", **{**environment("small"), "computeResources": resources})
    order = [{"order": 1, "computeEnvironment": "small"}]
    cloud.call("CreateJobQueue", **queue("impatient", 1, **limits(*reasons)) | {"computeEnvironmentOrder": order})


@pytest.fixture
def quick(tmp_path):
    """Given: a Batch whose queues' clocks are fast."""
    cloud = Cloud(tmp_path, cores=2, clock_speed=QUICK)
    yield cloud
    cloud.batch.close()


def submit(cloud, vcpus=1, memory=512, **members):
    definition = cloud.define(
        name=f"d{vcpus}-{memory}",
        container={
            "resourceRequirements": [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": str(memory)}]
        },
    )
    return cloud.submit(definition=definition, queue="impatient", **members)


@pytest.mark.parametrize(
    ("asked", "environment", "reason"),
    [
        ({"vcpus": 33}, {"max_vcpus": 32}, TOO_MANY_VCPUS),
        ({"memory": 513 * 1024}, {}, TOO_LARGE),
        ({"vcpus": 9}, {"instance_types": ["m6i.2xlarge", "c6i.xlarge", "r6i.large"]}, TOO_LARGE),
        ({"memory": 33 * 1024}, {"instance_types": ["c6i.4xlarge", "m6i.2xlarge"]}, TOO_LARGE),
    ],
)
def test_a_job_that_fits_nowhere_is_cancelled_with_the_reason(quick, asked, environment, reason):
    impatient(quick, **environment)

    ended = quick.batch.wait(submit(quick, **asked), 10)

    assert ended["status"] == "FAILED"
    assert ended["statusReason"] == f"Canceled by JobStateTimeLimit action due to reason: {reason}"
    assert ended["isCancelled"]
    assert ended["attempts"] == []


@pytest.mark.parametrize(
    ("asked", "environment"),
    [
        ({"vcpus": 32}, {"max_vcpus": 32}),
        ({"memory": 512 * 1024}, {}),
        ({"memory": 32 * 1024}, {"instance_types": ["c6i.4xlarge"]}),
        ({"memory": 9000 * 1024}, {"instance_types": ["c6i", "x2idn.32xlarge"]}),  # of which nothing is known here
        ({"memory": 9000 * 1024}, {"instance_types": ["optimal"]}),
    ],
)
def test_a_job_that_an_instance_could_hold_runs(quick, asked, environment):
    impatient(quick, **environment)

    assert quick.batch.wait(submit(quick, **asked), 10)["status"] == "SUCCEEDED"


def test_while_it_waits_its_reason_is_shown_and_the_jobs_behind_it_wait_too(cloud):
    impatient(cloud, max_vcpus=4)
    stuck, behind = submit(cloud, vcpus=5), submit(cloud)
    elsewhere = cloud.submit(queue="low")

    assert cloud.batch.wait(elsewhere, 10)["status"] == "SUCCEEDED"
    waiting = cloud.describe(stuck, behind)
    assert [job["status"] for job in waiting] == ["RUNNABLE", "RUNNABLE"]
    assert waiting[0]["statusReason"].startswith(f"{TOO_MANY_VCPUS} - ")


def test_an_array_fails_when_its_children_were_given_up_one_after_another(quick):
    impatient(quick, max_vcpus=4)

    ended = quick.batch.wait(submit(quick, vcpus=5, arrayProperties={"size": 3}), 10)

    assert ended["status"] == "FAILED"
    assert ended["arrayProperties"]["statusSummary"]["FAILED"] == 3


def test_a_queue_without_a_limit_for_the_reason_waits_on(quick):
    impatient(quick, max_vcpus=4, reasons=[TOO_LARGE])
    job = submit(quick, vcpus=5)

    time.sleep(3 * HOUR / QUICK)

    assert quick.describe(job)[0]["status"] == "RUNNABLE"


def test_an_environment_that_is_made_larger_takes_the_job(cloud):
    impatient(cloud, max_vcpus=4)
    job = submit(cloud, vcpus=5)

    cloud.call("UpdateComputeEnvironment", computeEnvironment="small", computeResources={"maxvCpus": 8})

    assert cloud.batch.wait(job, 10)["status"] == "SUCCEEDED"
