"""The Batch jobs of a launch's current attempt, and how far they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_batch.literals import JobStatusType
    from types_boto3_batch.type_defs import JobDetailTypeDef, JobSummaryTypeDef

    from genolaunch.platform import Platform

_DESCRIBED_AT_ONCE = 100
"""The most that one DescribeJobs call takes."""

_ENDED = frozenset({"SUCCEEDED", "FAILED"})

_STATUSES: "tuple[JobStatusType, ...]" = (
    "SUBMITTED",
    "PENDING",
    "RUNNABLE",
    "STARTING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
)


@dataclass(frozen=True)
class Job:
    """A Batch job: a single one, a whole array (`size` > 1), or one child of an array.

    `label` is the name without the run's, with the index of a child: `step2`, `step2[3]`.
    """

    job_id: str
    label: str
    status: str
    size: int
    succeeded: int
    failed: int
    running: int
    log_stream: str | None

    @property
    def is_array(self) -> bool:
        return self.size > 1

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED


def label_of(job_name: str, run_name: str, index: int | None = None) -> str:
    """The part of a job's name that tells it from the others of its run."""
    label = job_name.removeprefix(f"{run_name}-")
    return label if index is None else f"{label}[{index}]"


class RunJobs:
    """Reads the jobs of one run. It remembers the queue that they are in, so that later looks ask for that one only.

    As long as nothing failed: then a job may be submitted again to another queue.
    """

    def __init__(self, platform: "Platform", run_name: str) -> None:
        self._platform = platform
        self._run_name = run_name
        self._first_queues: Sequence[str] = platform.names.job_queues

    def whole(self) -> list[Job]:
        """The run's single jobs and arrays, oldest first (children are not listed)."""
        listed = self._all_listed()
        listed.sort(key=lambda summary: summary.get("createdAt", 0))
        return list(self._described(summary["jobId"] for summary in listed))

    def single(self) -> list[Job]:
        """Every job that runs a command: single ones, and the children of the arrays."""
        jobs: list[Job] = []
        for job in self.whole():
            jobs.extend(self._children(job) if job.is_array else [job])
        return jobs

    def _all_listed(self) -> "list[JobSummaryTypeDef]":
        listed: list[JobSummaryTypeDef] = []
        for queue in dict.fromkeys([*self._first_queues, *self._platform.names.job_queues]):
            found = self._listed(queue)
            if found and not listed:
                self._first_queues = [queue]
            listed += found
            if listed and all(summary.get("status") != "FAILED" for summary in listed):
                break
        return listed

    def _listed(self, queue: str) -> "list[JobSummaryTypeDef]":
        pages = self._platform.batch.get_paginator("list_jobs").paginate(
            jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{self._run_name}-*"]}]
        )
        return [summary for page in pages for summary in page["jobSummaryList"]]

    def _children(self, array: Job) -> Iterator[Job]:
        # One call for each status: without one, ListJobs answers with the RUNNING children only.
        paginator = self._platform.batch.get_paginator("list_jobs")
        ids = [
            summary["jobId"]
            for status in _STATUSES
            for page in paginator.paginate(arrayJobId=array.job_id, jobStatus=status)
            for summary in page["jobSummaryList"]
        ]
        # A child that changes its status between two of the calls is listed twice.
        unique = sorted(dict.fromkeys(ids), key=_child_index)
        return self._described(unique)

    def _described(self, job_ids: Iterable[str]) -> Iterator[Job]:
        ids = list(job_ids)
        for start in range(0, len(ids), _DESCRIBED_AT_ONCE):
            answer = self._platform.batch.describe_jobs(jobs=ids[start : start + _DESCRIBED_AT_ONCE])
            by_id = {detail["jobId"]: detail for detail in answer["jobs"]}
            for job_id in ids[start : start + _DESCRIBED_AT_ONCE]:
                if job_id in by_id:
                    yield _job(by_id[job_id], self._run_name)


def _job(detail: "JobDetailTypeDef", run_name: str) -> Job:
    array = detail.get("arrayProperties", {})
    counts = array.get("statusSummary") or {detail["status"]: 1}
    return Job(
        job_id=detail["jobId"],
        label=label_of(detail["jobName"], run_name, array.get("index")),
        status=detail["status"],
        size=array.get("size", 1),
        succeeded=counts.get("SUCCEEDED", 0),
        failed=counts.get("FAILED", 0),
        running=counts.get("RUNNING", 0),
        log_stream=detail.get("container", {}).get("logStreamName"),
    )


def _child_index(job_id: str) -> int:
    """Number of a child in its array: the id of a child is `<array's id>:<index>`."""
    return int(job_id.rpartition(":")[2])
