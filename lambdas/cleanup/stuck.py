"""Ends jobs that no instance takes, because a launch that waits for one pays for its file system.

Batch gives up jobs by itself only for the reasons that its queues can name (stacks/compute.py). It does not where the
account's quota of vCPUs is used up, or where instances come up and never join ("UNDETERMINED": AWS Batch user guide,
"Jobs stuck in a RUNNABLE status").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genolaunch.contract.project import run_name
from lambdas.cleanup.launch_resources import Owner
from lambdas.shared import batch_jobs
from lambdas.shared.stuck_jobs import GIVEN_UP, UNDETERMINED, is_code, why_stuck

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobDetailTypeDef

_ON_A_HOST = ("STARTING", "RUNNING")


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A job or an array of a launch that cannot start."""

    id: str
    name: str
    owner: Owner
    reason: str
    """Batch's, or UNDETERMINED."""

    def end(self) -> None:
        """Terminate it, with a reason from which its workflow recognises that it never started."""
        batch_jobs.client().terminate_job(jobId=self.id, reason=f"{GIVEN_UP}: {self.reason}")

    def said_at(self, now: datetime) -> str:
        """For people."""
        name = self.name.removeprefix(run_name(self.owner.launch_id, self.owner.attempt) + "-")
        why = why_stuck(self.reason, "the resources of its jobs")
        return f"At {now:%H:%M} UTC on {now:%Y-%m-%d} its job {name} was given up, since no instance took it: {why}"


def stuck_jobs(queues: Sequence[str], stage: str, waiting_since: datetime) -> list[StuckJob]:
    """Find jobs that have waited since `waiting_since` in queues of one compute environment while nothing ran there.

    A job may wait for others for any time. So no job is stuck while a job runs on an instance of the environment, or
    ran there since `waiting_since`."""
    jobs = list(batch_jobs.describe(batch_jobs.unfinished(queues)))
    if any(_in_status(job, *_ON_A_HOST) for job in jobs):
        return []
    waiting = [job for job in jobs if _in_status(job, "RUNNABLE")]
    old = [job for job in waiting if _moment(job["createdAt"]) <= waiting_since]
    if not old or any(ended > waiting_since for ended in _endings(queues, waiting)):
        return []
    owners = [(job, Owner.of(job.get("tags", {}), stage)) for job in old]
    return [StuckJob(job["jobId"], job["jobName"], owner, _reason(job)) for job, owner in owners if owner]


def _in_status(job: "JobDetailTypeDef", *statuses: str) -> bool:
    """Whether the job, or any job of the array, has one of these statuses."""
    summary = job.get("arrayProperties", {}).get("statusSummary")
    return any(summary.get(status) for status in statuses) if summary else job["status"] in statuses


def _endings(queues: Sequence[str], waiting: Sequence["JobDetailTypeDef"]) -> Iterator[datetime]:
    """When attempts in these queues ended, as far as Batch remembers: of jobs, of arrays' jobs, and of those that wait
    to be tried again."""
    for ended in batch_jobs.ended(queues):
        yield _moment(ended["stoppedAt"])
    for job in waiting:
        yield from _attempts(job)
        if "statusSummary" in job.get("arrayProperties", {}):
            for child in batch_jobs.children(job["jobId"], "SUCCEEDED", "FAILED"):
                yield _moment(child["stoppedAt"])
            again = [child["jobId"] for child in batch_jobs.children(job["jobId"], "RUNNABLE") if "startedAt" in child]
            for child_detail in batch_jobs.describe(again):
                yield from _attempts(child_detail)


def _attempts(job: "JobDetailTypeDef") -> Iterator[datetime]:
    for attempt in job.get("attempts", []):
        if "stoppedAt" in attempt:
            yield _moment(attempt["stoppedAt"])


def _reason(job: "JobDetailTypeDef") -> str:
    """Batch's reason for the job, or for the first job of the array that has one."""
    own = job.get("statusReason", "")
    if "statusSummary" not in job.get("arrayProperties", {}):
        return own if is_code(own) else UNDETERMINED
    said = (child.get("statusReason", "") for child in batch_jobs.children(job["jobId"], "RUNNABLE"))
    return next((reason for reason in (own, *said) if is_code(reason)), UNDETERMINED)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
