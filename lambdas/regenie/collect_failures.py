"""Finds out why a run of regenie failed, keeps its failed jobs' last words, and says it in one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from contract import run_name
from lambdas.regenie.failed_jobs import FailedJob, JobGroup, in_order_of_blame, sentence
from lambdas.regenie.workflow_error import WorkflowError
from lambdas.shared import aws, batch_jobs
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.placements import all_queues, read_placements
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_batch.type_defs import JobSummaryTypeDef
    from types_boto3_logs.client import CloudWatchLogsClient

_LOGS_READ_AT_MOST: Final = 100
"""Jobs whose logs are read: the others of an array most often failed alike, and GetLogEvents is throttled."""
_LOG_TAIL_LINES: Final = 50
_LOG_TAIL_BYTES: Final = 8192
"""An item of the table may have 400 KB, and a list of failed jobs is read many items at a time."""


@dataclass(frozen=True, slots=True)
class FailureSettings:
    """Environment variables of the function."""

    task_table: str
    placements: str
    job_log_group: str


@cache
def settings() -> FailureSettings:
    """Read once in the life of the process."""
    return read_settings(FailureSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """`{launchId, attempt, error: {Error, Cause}, step}` -> `{type, message}`."""
    error = collect_failures(
        event["launchId"], int(event["attempt"]), event.get("error") or {}, event.get("step") or ""
    )
    logger.info("Run failed", extra={"launchId": event["launchId"], "type": error.type, "reason": error.message})
    return {"type": error.type.value, "message": error.message}


def collect_failures(launch_id: str, attempt: int, error: Mapping[str, str], step: str) -> WorkflowError:
    """Record the attempt's failed jobs, if there are any. Asked again, it records the same ones."""
    name = run_name(launch_id, attempt)
    jobs = in_order_of_blame(list(_failed_jobs(name)))
    metrics.add_metric(name="JobsFailed", unit=MetricUnit.Count, value=len(jobs))
    if not jobs:
        return WorkflowError.of_step(error, step)
    told = [_with_log_tail(job) for job in jobs[:_LOGS_READ_AT_MOST]] + jobs[_LOGS_READ_AT_MOST:]
    repository = LaunchRepository(launch_table="", task_table=settings().task_table)  # launches are not its business
    repository.record_tasks(job.task(launch_id, settings().job_log_group) for job in told)
    return WorkflowError(told[0].error_type, sentence(told, name))


def _failed_jobs(name: str) -> Iterator[FailedJob]:
    queues = all_queues(read_placements(settings().placements))
    failed = [job for job in batch_jobs.jobs_named(queues, f"{name}-") if job.get("status") == "FAILED"]
    for job in failed:
        group = JobGroup(job["jobName"], job.get("arrayProperties", {}).get("size", 1))
        for detail in batch_jobs.describe(_failed_ids(job)):
            yield FailedJob.from_detail(detail, group)


def _failed_ids(job: "JobSummaryTypeDef") -> Sequence[str]:
    """A failed array's failed children; the job itself if it is a plain one, or an array that never had children."""
    if "size" not in job.get("arrayProperties", {}):
        return [job["jobId"]]
    return [child["jobId"] for child in batch_jobs.failed_children(job["jobId"])] or [job["jobId"]]


def _with_log_tail(job: FailedJob) -> FailedJob:
    return replace(job, log_tail=_log_tail(job.log_stream)) if job.log_stream else job


def _log_tail(stream: str) -> str:
    """The last lines of a job's log; nothing if it never wrote one."""
    client: CloudWatchLogsClient = aws.client("logs")
    try:
        response = client.get_log_events(
            logGroupName=settings().job_log_group, logStreamName=stream, limit=_LOG_TAIL_LINES, startFromHead=False
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ""
    text = "\n".join(event["message"] for event in response["events"])
    return text.encode()[-_LOG_TAIL_BYTES:].decode(errors="ignore")
