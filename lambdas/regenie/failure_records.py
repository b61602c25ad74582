"""Failed jobs of a launch, read from AWS Batch and CloudWatch Logs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from genolaunch.shared import aws
from lambdas.regenie.failed_jobs import FailedJob, JobGroup
from lambdas.shared import batch_jobs

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobSummaryTypeDef
    from types_boto3_logs.client import CloudWatchLogsClient

_LOGS_READ_AT_MOST: Final = 100
"""Jobs whose logs are read: the others of an array most often failed alike, and GetLogEvents is throttled."""
_LOG_TAIL_LINES: Final = 50
_LOG_TAIL_BYTES: Final = 8192
"""An item of the table may have 400 KB, and a list of failed jobs is read many items at a time."""


def failed_jobs(queues: Iterable[str], name_prefix: str) -> Iterator[FailedJob]:
    """Failed plain jobs, and failed children of arrays, whose names begin so."""
    failed = [job for job in batch_jobs.jobs_named(queues, name_prefix) if job.get("status") == "FAILED"]
    for job in failed:
        group = JobGroup(job["jobName"], job.get("arrayProperties", {}).get("size", 1))
        for detail in batch_jobs.describe(_failed_ids(job)):
            yield FailedJob.from_detail(detail, group)


def with_log_tails(jobs: Sequence[FailedJob], log_group: str) -> list[FailedJob]:
    """The jobs with their last lines, as far as they wrote any; only the first hundred."""
    told = [_with_log_tail(job, log_group) for job in jobs[:_LOGS_READ_AT_MOST]]
    return [*told, *jobs[_LOGS_READ_AT_MOST:]]


def _failed_ids(job: "JobSummaryTypeDef") -> Sequence[str]:
    """A failed array's failed children; the job itself if it is a plain one, or an array that never had children."""
    if "size" not in job.get("arrayProperties", {}):
        return [job["jobId"]]
    return [child["jobId"] for child in batch_jobs.failed_children(job["jobId"])] or [job["jobId"]]


def _with_log_tail(job: FailedJob, log_group: str) -> FailedJob:
    return job.told_by(_log_tail(log_group, job.log_stream)) if job.log_stream else job


def _log_tail(log_group: str, stream: str) -> str:
    """The last lines of a job's log; nothing if it never wrote one."""
    client: CloudWatchLogsClient = aws.client("logs")
    try:
        response = client.get_log_events(
            logGroupName=log_group, logStreamName=stream, limit=_LOG_TAIL_LINES, startFromHead=False
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ""
    text = "\n".join(event["message"] for event in response["events"])
    return text.encode()[-_LOG_TAIL_BYTES:].decode(errors="ignore")
