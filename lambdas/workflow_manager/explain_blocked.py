"""Says of a running launch why one of its jobs cannot start, long before Batch gives the job up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from contract import PROJECT, TAG_ATTEMPT, TAG_LAUNCH_ID, TAG_PROJECT, TAG_STAGE, run_name
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.settings import read_settings
from lambdas.shared.stuck_jobs import why_stuck

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class BlockedSettings:
    """Environment variables of the function."""

    stage: str
    launch_table: str


@cache
def settings() -> BlockedSettings:
    """Read once in the life of the process."""
    return read_settings(BlockedSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> None:  # noqa: ARG001 - Lambda's signature
    """EventBridge's “Batch Job Queue Blocked”: its `detail` is the job that blocks the queue."""
    metrics.add_metric(name="QueuesBlocked", unit=MetricUnit.Count, value=1)
    explain(event["detail"], datetime.fromisoformat(event["time"]))


def explain(job: Mapping[str, Any], at: datetime) -> None:
    """Keep the reason with the job's launch, if that attempt of it runs; a job of somebody else is passed over."""
    tags = job.get("tags", {})
    attempt = tags.get(TAG_ATTEMPT, "")
    is_ours = tags.get(TAG_PROJECT) == PROJECT and tags.get(TAG_STAGE) == settings().stage and TAG_LAUNCH_ID in tags
    if not is_ours or not attempt.isdecimal():
        return
    launch_id = tags[TAG_LAUNCH_ID]
    name = job["jobName"].removeprefix(run_name(launch_id, int(attempt)) + "-")
    reason = (
        f"At {at:%H:%M} UTC on {at:%Y-%m-%d} its job {name} could not start: "
        f"{why_stuck(job.get('statusReason') or 'AWS Batch gave no reason', 'the resources of its jobs')}"
    )
    LaunchRepository(settings().launch_table).explain(launch_id, int(attempt), reason)
    logger.warning("A job cannot start", extra={"launchId": launch_id, "job": job["jobName"], "reason": reason})
