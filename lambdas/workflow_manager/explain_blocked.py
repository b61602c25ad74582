"""Writes to a running launch why one of its jobs cannot start, long before Batch gives up the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.project import TAG_ATTEMPT, TAG_LAUNCH_ID, run_name
from lambdas.shared import batch_jobs
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.placements import read_places
from lambdas.shared.run_names import Owner, owner_by_name
from lambdas.shared.settings import settings_of
from lambdas.shared.stuck_jobs import why_stuck

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class BlockedSettings:
    """Environment variables of the function."""

    launch_table: str
    placements: str


settings = settings_of(BlockedSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> None:
    """EventBridge's “Batch Job Queue Blocked”: its `detail` is the job that blocks the queue, without its tags."""
    explain(event["detail"], datetime.fromisoformat(event["time"]))


def explain(job: Mapping[str, Any], at: datetime) -> None:
    """Write the reason to the job's launch, if that attempt runs. Jobs of other owners are ignored."""
    places = read_places(settings().placements)
    owner = owner_by_name(job["jobName"])
    if owner is None or job["jobQueue"] not in places.queues:
        return
    if job["jobQueue"] in places.snakemake.values() and not _is_of(job["jobId"], owner):
        logger.warning("A job has the name of another launch's", extra={"job": job["jobName"]})
        return
    metrics.add_metric(name="QueuesBlocked", unit=MetricUnit.Count, value=1)
    name = job["jobName"].removeprefix(run_name(owner.launch_id, owner.attempt) + "-")
    reason = (
        f"At {at:%H:%M} UTC on {at:%Y-%m-%d} its job {name} could not start: "
        f"{why_stuck(job.get('statusReason') or 'AWS Batch gave no reason', 'the resources of its jobs')}"
    )
    LaunchRepository(settings().launch_table).explain(owner.launch_id, owner.attempt, reason)
    logger.warning("A job cannot start", extra={"launchId": owner.launch_id, "job": job["jobName"], "reason": reason})


def _is_of(job_id: str, owner: Owner) -> bool:
    """Check the job's tags, because a launcher, which runs its user's program, chooses the names of Snakemake's
    jobs."""
    tags = next((job.get("tags", {}) for job in batch_jobs.describe([job_id])), {})
    return (tags.get(TAG_LAUNCH_ID), tags.get(TAG_ATTEMPT)) == (owner.launch_id, str(owner.attempt))
