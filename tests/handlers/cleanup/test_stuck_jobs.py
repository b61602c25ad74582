"""Jobs that no instance takes are ended, whatever the reason; those that wait their turn are not.

Batch is the embedded one, with its own rules of what is RUNNABLE and why.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genolaunch.contract.compute import SNAKEMAKE_JOBS, ComputeService, Priority, job_queue_name
from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.shared import aws
from lambdas.cleanup import sweep
from lambdas.regenie.failed_jobs import FailedJob, JobGroup, sentence
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.cleanup.conftest import register, tags_of
from tests.unit.localcloud_batch.support import Cloud, environment, queue

STAGE = "genolaunch-test"
NAMES = {
    priority.value: job_queue_name(STAGE, SNAKEMAKE_JOBS, ComputeService.BATCH_SPOT, priority) for priority in Priority
}

NAME = "launch-1-1-step2"
UNDETERMINED = "UNDETERMINED - The job cannot be placed."


class BatchClient:
    """The embedded Batch, called as boto3's client is."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_paginator(self, _operation: str) -> "BatchClient":
        return self

    def paginate(self, **params: Any) -> list[dict[str, Any]]:
        return [self._cloud.call("ListJobs", **params)]

    def describe_jobs(self, **params: Any) -> dict[str, Any]:
        return dict(self._cloud.call("DescribeJobs", **params))

    def terminate_job(self, **params: Any) -> dict[str, Any]:
        return dict(self._cloud.call("TerminateJob", **params))


@pytest.fixture
def batch(stubs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Given: a stage with a queue of high and one of low priority that share an environment."""
    embedded = Cloud(tmp_path, cores=2)
    for number, name in enumerate(NAMES.values(), start=2):
        embedded.call("CreateJobQueue", **queue(name, number))
    embedded.call("CreateComputeEnvironment", **environment("on-demand"))
    for number, priority in enumerate(Priority, start=9):
        other = {"computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "on-demand"}]}
        name = job_queue_name(STAGE, SNAKEMAKE_JOBS, ComputeService.BATCH_ON_DEMAND, priority)
        embedded.call("CreateJobQueue", **{**queue(name, number), **other})
    (made,) = embedded.call("DescribeJobQueues", jobQueues=[NAMES["low"]])["jobQueues"]
    start = made["jobQueueArn"].removesuffix(NAMES["low"]) + STAGE
    monkeypatch.setenv("PLACEMENTS", json.dumps({"queues": start, "zones": {}}))
    sweep.settings.cache_clear()
    client, real = BatchClient(embedded), aws.client
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws, "client", lambda service: client if service == "batch" else real(service))
        yield embedded
    embedded.batch.close()


def submit(
    batch: Cloud, command: Sequence[str] = ("true",), *, name: str = NAME, on: str = "low", **members: Any
) -> str:
    job_id: str = batch.submit(command, name=name, queue=NAMES[on], tags=tags_of(), **members)
    return job_id


def after(minutes: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize("reason", [UNDETERMINED, "CAPACITY:SOMETHING_NEW - x", "MISCONFIGURATION:SERVICE_ROLE - x"])
@pytest.mark.parametrize("array", [{}, {"arrayProperties": {"size": 3}}])
def test_a_job_that_waits_too_long_is_ended_with_the_reason(
    batch: Cloud, repository: LaunchRepository, reason: str, array: dict[str, Any]
):
    register(repository, Status.RUNNING)
    batch.batch.hold_back(f"{NAME}*", reason)
    job_id = submit(batch, **array)

    assert sweep.give_up_stuck_jobs(after(59)) == 0
    assert sweep.give_up_stuck_jobs(after(61)) == 1

    ended = batch.batch.wait(job_id, 10)
    assert ended["status"] == "FAILED"
    launch = repository.get("launch-1")
    assert launch is not None
    assert launch.status_reason is not None
    assert "its job step2 was given up, since no instance took it" in launch.status_reason
    child = batch.call("DescribeJobs", jobs=[f"{job_id}:0" if array else job_id])["jobs"][0]
    failed = FailedJob.from_detail(child, JobGroup(NAME, 3 if array else 1))
    assert failed.error_type is ErrorType.NEVER_STARTED
    assert "it could not start" in sentence([failed], "launch-1-1")


def test_a_job_of_which_batch_says_nothing_is_told_in_plain_words(batch: Cloud, repository: LaunchRepository):
    register(repository, Status.RUNNING)
    batch.batch.hold_back(f"{NAME}*", "something that is no code")
    submit(batch)

    sweep.give_up_stuck_jobs(after(61))

    launch = repository.get("launch-1")
    assert launch is not None
    assert "the account's quota of vCPUs" in (launch.status_reason or "")


def test_a_job_that_waits_its_turn_is_left(batch: Cloud, repository: LaunchRepository):
    register(repository, Status.RUNNING)
    batch.batch.hold_back(f"{NAME}*", UNDETERMINED)
    running = submit(batch, ["sleep", "60"], name="launch-2-1-step2", on="high")
    batch.until(running, "RUNNING")
    submit(batch)

    assert sweep.give_up_stuck_jobs(after(300)) == 0


def test_a_job_is_left_while_others_ended_a_short_time_ago(batch: Cloud, repository: LaunchRepository):
    register(repository, Status.RUNNING)
    batch.batch.hold_back(f"{NAME}*", UNDETERMINED)
    submit(batch)
    batch.batch.wait(submit(batch, name="launch-2-1-step2", on="high"), 10)

    assert sweep.give_up_stuck_jobs(after(59)) == 0


def test_jobs_of_nobody_are_left(batch: Cloud):
    batch.batch.hold_back("*", UNDETERMINED)
    batch.submit(name="other")

    assert sweep.give_up_stuck_jobs(after(300)) == 0
