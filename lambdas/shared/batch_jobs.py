"""What AWS Batch knows of a launch's jobs, found by their names: nobody has to remember ids."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from genolaunch.shared import aws

if TYPE_CHECKING:
    from types_boto3_batch.client import BatchClient
    from types_boto3_batch.literals import JobStatusType
    from types_boto3_batch.type_defs import JobDetailTypeDef, JobSummaryTypeDef

_DESCRIBE_LIMIT = 100
"""Job ids of one DescribeJobs call (AWS Batch API reference)."""
_UNFINISHED: Final[tuple["JobStatusType", ...]] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_ENDED: Final[tuple["JobStatusType", ...]] = ("SUCCEEDED", "FAILED")


def client() -> "BatchClient":
    """The client of AWS Batch."""
    batch: BatchClient = aws.client("batch")
    return batch


def jobs_named(queues: Iterable[str], prefix: str) -> Iterator["JobSummaryTypeDef"]:
    """Jobs in any status whose name starts with `prefix`: plain jobs and parents of arrays.

    ListJobs ignores a status beside a JOB_NAME filter, compares names without case, and leaves out the children of
    arrays (AWS Batch API reference).
    """
    pages = client().get_paginator("list_jobs")
    for queue in queues:
        for page in pages.paginate(jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{prefix}*"]}]):
            yield from (job for job in page["jobSummaryList"] if job["jobName"].startswith(prefix))


def unfinished(queues: Iterable[str]) -> Iterator[str]:
    """Ids of the jobs, and arrays, that have not ended, whoever submitted them."""
    pages = client().get_paginator("list_jobs")
    for queue in queues:
        for status in _UNFINISHED:  # without a status ListJobs answers with running jobs only
            for page in pages.paginate(jobQueue=queue, jobStatus=status):
                yield from (job["jobId"] for job in page["jobSummaryList"])


def ended(queues: Iterable[str]) -> Iterator["JobSummaryTypeDef"]:
    """The jobs, and arrays, of which Batch still knows that they have ended; at least seven days of them."""
    pages = client().get_paginator("list_jobs")
    for queue in queues:
        for status in _ENDED:
            for page in pages.paginate(jobQueue=queue, jobStatus=status):
                yield from page["jobSummaryList"]


def children(array_job_id: str, *statuses: "JobStatusType") -> Iterator["JobSummaryTypeDef"]:
    """The jobs of an array in these statuses."""
    for status in statuses:
        for page in client().get_paginator("list_jobs").paginate(arrayJobId=array_job_id, jobStatus=status):
            yield from page["jobSummaryList"]


def failed_children(array_job_id: str) -> Iterator["JobSummaryTypeDef"]:
    """The failed jobs of an array: its parent says that there are any, but not which."""
    return children(array_job_id, "FAILED")


def describe(job_ids: Iterable[str]) -> Iterator["JobDetailTypeDef"]:
    """Details of jobs, a hundred a call."""
    ids = list(job_ids)
    for start in range(0, len(ids), _DESCRIBE_LIMIT):
        yield from client().describe_jobs(jobs=ids[start : start + _DESCRIBE_LIMIT])["jobs"]


def attempt_of(job_name: str, launch_id: str) -> int | None:
    """The attempt of the launch that a job belongs to, or None.

    Its name begins with genolaunch.contract.project.run_name.
    """
    match = re.match(rf"{re.escape(launch_id)}-(\d+)-", job_name)
    return int(match[1]) if match else None
