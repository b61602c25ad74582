"""A Batch job as the engine keeps it, and as the API shows it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from localcloud.batch.retry import RetryStrategy
from localcloud.batch.runner import StopSignal


class JobStatus(StrEnum):
    """Batch's job states, in the order in which a job goes through them."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


FINAL: Final = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED})
STARTED: Final = frozenset({JobStatus.STARTING, JobStatus.RUNNING})

_LISTS: Final[Mapping[str, Any]] = {
    name: []
    for name in (
        "volumes",
        "environment",
        "mountPoints",
        "ulimits",
        "networkInterfaces",
        "resourceRequirements",
        "secrets",
    )
}
"""What Batch tells of every container, also where there is none of it."""

EndListener = Callable[[dict[str, Any]], None]


def now_ms() -> int:
    """Milliseconds since 1970, Batch's unit of time."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What was asked for; an array's children share it."""

    name: str
    queue_arn: str
    definition_arn: str
    definition_name: str
    container: Mapping[str, Any]
    """The definition's containerProperties with the submission's overrides applied."""
    cores: int
    """Cores of the host that the job takes while it runs."""
    memory_mib: int
    retry: RetryStrategy
    timeout_seconds: int | None
    depends_on: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, str]
    share_identifier: str | None
    propagate_tags: bool
    platform_capabilities: Sequence[str]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """The submission's containerOverrides, which ECS limits."""


@dataclass(slots=True)
class Attempt:
    """One try at running a job's container."""

    task_arn: str
    container_instance_arn: str
    log_stream: str
    started_at: int | None = None
    stopped_at: int | None = None
    exit_code: int | None = None
    reason: str | None = None
    status_reason: str | None = None

    def container(self) -> dict[str, Any]:
        """The members that an attempt and the job's container have in common."""
        return _without_none(
            {
                "containerInstanceArn": self.container_instance_arn,
                "taskArn": self.task_arn,
                "logStreamName": self.log_stream,
                "exitCode": self.exit_code,
                "reason": self.reason,
            }
        )

    def describe(self) -> dict[str, Any]:
        """An `AttemptDetail`."""
        return _without_none(
            {
                "container": {**self.container(), "networkInterfaces": []},
                "startedAt": self.started_at,
                "stoppedAt": self.stopped_at,
                "statusReason": self.status_reason,
            }
        )


@dataclass(eq=False, slots=True)
class Job:
    """A job: plain, an array's parent (it has children and never runs itself) or one of the children."""

    id: str
    arn: str
    spec: JobSpec
    sequence: int
    """Order of submission."""
    tags: dict[str, str]
    parent: "Job | None" = None
    index: int | None = None
    children: "list[Job]" = field(default_factory=list)
    status: JobStatus = JobStatus.SUBMITTED
    status_reason: str | None = None
    created_at: int = field(default_factory=now_ms)
    started_at: int | None = None
    stopped_at: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    """Attempts that have ended."""
    current: Attempt | None = None
    """The attempt that is under way."""
    stop: StopSignal | None = None
    cancelled: bool = False
    terminated: bool = False
    ending_reason: str | None = None
    """Of an array's parent: why its children were ended from outside, if they were."""
    blockers: int = 0
    """Dependencies that have not succeeded yet."""
    dependents: "list[Job]" = field(default_factory=list)
    end_listeners: list[EndListener] = field(default_factory=list)
    child_statuses: Counter[JobStatus] = field(default_factory=Counter)

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL

    @property
    def is_blocked(self) -> bool:
        """Whether the job, or the array it belongs to, waits for another job."""
        return self.blockers > 0 or (self.parent is not None and self.parent.blockers > 0)

    @property
    def unfinished_children(self) -> int:
        """How many children have not ended."""
        return len(self.children) - sum(self.child_statuses[status] for status in FINAL)


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as asked for, checked already."""

    spec: JobSpec
    tags: Mapping[str, str]
    array_size: int | None = None
    after: Sequence[Job] = ()
    """Jobs that must succeed before this one, or before any child of it."""
    after_same_index: Sequence[Job] = ()
    """Arrays of the same size: child i waits for their child i (N_TO_N)."""
    sequential: bool = False
    """Whether each child waits for the one before it (SEQUENTIAL)."""


def unstarted(job: Job) -> list[Job]:
    """The job, or of an array its children, as far as they have neither started nor ended."""
    return [each for each in job.children or (job,) if not each.ended and each.status not in STARTED]


def describe_job(job: Job) -> dict[str, Any]:
    """The `JobDetail` of DescribeJobs."""
    spec = job.spec
    return _without_none(
        {
            "jobArn": job.arn,
            "jobId": job.id,
            "jobName": spec.name,
            "jobQueue": spec.queue_arn,
            "jobDefinition": spec.definition_arn,
            "status": str(job.status),
            "statusReason": job.status_reason,
            "shareIdentifier": spec.share_identifier,
            "attempts": [attempt.describe() for attempt in job.attempts],
            "createdAt": job.created_at,
            "startedAt": job.started_at,
            "stoppedAt": job.stopped_at,
            "retryStrategy": spec.retry.describe(),
            "dependsOn": [dict(dependency) for dependency in spec.depends_on],
            "parameters": dict(spec.parameters),
            "container": _container(job),
            "arrayProperties": _array_properties(job),
            "timeout": {"attemptDurationSeconds": spec.timeout_seconds} if spec.timeout_seconds else None,
            "tags": dict(job.tags),
            "propagateTags": spec.propagate_tags,
            "platformCapabilities": list(spec.platform_capabilities),
            "isCancelled": job.cancelled,
            "isTerminated": job.terminated,
        }
    )


def summarize_job(job: Job) -> dict[str, Any]:
    """The `JobSummary` of ListJobs."""
    last = _last_attempt(job)
    container = _without_none({"exitCode": last.exit_code, "reason": last.reason}) if last else {}
    return _without_none(
        {
            "jobArn": job.arn,
            "jobId": job.id,
            "jobName": job.spec.name,
            "jobDefinition": job.spec.definition_arn,
            "shareIdentifier": job.spec.share_identifier,
            "status": str(job.status),
            "statusReason": job.status_reason,
            "createdAt": job.created_at,
            "startedAt": job.started_at,
            "stoppedAt": job.stopped_at,
            "container": container or None,
            "arrayProperties": _array_properties(job),
            "isCancelled": job.cancelled,
            "isTerminated": job.terminated,
        }
    )


def _container(job: Job) -> dict[str, Any]:
    last = _last_attempt(job)
    return {**_LISTS, **job.spec.container, **(last.container() if last else {})}


def _last_attempt(job: Job) -> Attempt | None:
    return job.current or (job.attempts[-1] if job.attempts else None)


def _array_properties(job: Job) -> dict[str, Any] | None:
    if job.children:
        summary = {str(status): job.child_statuses[status] for status in JobStatus}
        return {"size": len(job.children), "statusSummary": summary}
    return None if job.index is None else {"index": job.index}


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
