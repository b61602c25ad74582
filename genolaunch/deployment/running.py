"""What runs in a stage now, and what becomes of it when the stage is deployed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from contract import MINUTES_ON_REPLACED_HOSTS, PROJECT, Status
from genolaunch.launches import Launches
from genolaunch.verify.account import Account, listed

if TYPE_CHECKING:
    from types_boto3_batch.literals import JobStatusType

_MOST_LAUNCHES: Final = 500
"""As many as a stage may run at once (`launches_at_once`)."""

_DESCRIBED_AT_ONCE: Final = 100
"""The most that one DescribeJobs, or DescribeTasks, call takes."""

_ON_HOSTS: "Final[tuple[JobStatusType, ...]]" = ("STARTING", "RUNNING")
_WAITING: "Final[tuple[JobStatusType, ...]]" = ("SUBMITTED", "PENDING", "RUNNABLE")

WHAT_HAPPENS: Final = (
    f"A deployment that replaces hosts (instance types, their image or set-up) lets a job go on for "
    f"{MINUTES_ON_REPLACED_HOSTS} minutes, and waits for that. What runs still is ended then, and done again from its "
    "beginning on a new host.",
    "Jobs that wait, Snakemake's launchers, Tibanna's instances and executions of state machines are not touched: they "
    "go on as they were when they began. Functions are the new ones at once.",
)


@dataclass(frozen=True)
class RunningLaunch:
    """A launch that is RUNNING."""

    launch_id: str
    workflow: str | None
    requested_by: str | None


@dataclass(frozen=True)
class RunningJob:
    """A Batch job on a host of the stage; of an array, all of its jobs that are."""

    name: str
    jobs: int
    minutes: int | None
    """Since it began; of an array, since its first job did. None: it is just starting."""


@dataclass(frozen=True)
class Running:
    """What runs in a stage."""

    stage: str
    is_deployed: bool
    launches: Sequence[RunningLaunch] = ()
    jobs: Sequence[RunningJob] = ()
    jobs_waiting: int = 0
    launchers: int = 0
    """Fargate tasks that run Snakemake."""
    environments_updating: Sequence[str] = ()
    """Compute environments of which Batch replaces hosts now: it refuses another change until that is over."""

    @property
    def is_idle(self) -> bool:
        return not (self.launches or self.jobs or self.launchers or self.environments_updating)

    def sentences(self) -> Iterator[str]:
        """For people: what runs, and what becomes of it."""
        if not self.is_deployed:
            yield f"The stage {self.stage} is not deployed yet: nothing runs."
            return
        if self.is_idle:
            yield f"Nothing runs in the stage {self.stage}."
            return
        yield from self._what_runs()
        yield from WHAT_HAPPENS
        for name in self.environments_updating:
            yield (
                f"Batch still replaces hosts of {name}: a deployment that changes it fails, and can be repeated once "
                "that is over."
            )

    def _what_runs(self) -> Iterator[str]:
        yield f"In the stage {self.stage} run {_count(len(self.launches), 'launch', 'launches')}:"
        for launch in self.launches:
            yield f"  {launch.launch_id} ({launch.workflow or 'unknown'}, {launch.requested_by or 'unknown'})"
        on_hosts = sum(job.jobs for job in self.jobs)
        yield (
            f"{_count(on_hosts, 'job', 'jobs')} on Batch's hosts ({self.jobs_waiting:,} more wait), and "
            f"{_count(self.launchers, 'launcher', 'launchers')} of Snakemake:"
        )
        for job in self.jobs:
            many = f", {job.jobs:,} of an array" if job.jobs > 1 else ""
            since = "it is starting" if job.minutes is None else f"for {job.minutes:,} minutes"
            yield f"  {job.name} ({since}{many})"


def running(account: Account, now: datetime | None = None) -> Running:
    """Look. It only reads."""
    if not {"data", "compute", "workflow-manager"} <= set(account.stacks):
        return Running(account.stage, is_deployed=False)
    jobs, waiting = _jobs(account, now or datetime.now(UTC))
    return Running(
        account.stage,
        is_deployed=True,
        launches=[
            RunningLaunch(launch.launch_id, launch.workflow, launch.requested_by)
            for launch in Launches(account.platform).newest(_MOST_LAUNCHES, [Status.RUNNING])
        ],
        jobs=jobs,
        jobs_waiting=waiting,
        launchers=_launchers(account),
        environments_updating=_updating(account),
    )


def _jobs(account: Account, now: datetime) -> tuple[list[RunningJob], int]:
    """What is on hosts, and how many jobs wait. An array's parent is PENDING until all of its jobs are over."""
    found: list[RunningJob] = []
    waiting = 0
    for queue in account.platform.names.job_queues:
        for status in (*_ON_HOSTS, *_WAITING):
            pages = account.platform.batch.get_paginator("list_jobs").paginate(jobQueue=queue, jobStatus=status)
            summaries: list[Any] = listed(pages, "jobSummaryList")
            arrays = [each for each in summaries if each.get("arrayProperties", {}).get("size")]
            single = [each for each in summaries if each not in arrays]
            if status in _ON_HOSTS:
                found += [RunningJob(each["jobName"], 1, _minutes(each.get("startedAt"), now)) for each in single]
            else:
                waiting += len(single)
            for array in _described(account, arrays):
                counts = array["arrayProperties"].get("statusSummary", {})
                on_hosts = sum(counts.get(each, 0) for each in _ON_HOSTS)
                waiting += sum(counts.get(each, 0) for each in _WAITING)
                if on_hosts:
                    found.append(RunningJob(array["jobName"], on_hosts, _minutes(array.get("startedAt"), now)))
    return sorted(found, key=lambda job: (-(job.minutes or 0), job.name)), waiting


def _described(account: Account, summaries: Sequence[Any]) -> Iterator[Any]:
    ids = [each["jobId"] for each in summaries]
    for start in range(0, len(ids), _DESCRIBED_AT_ONCE):
        yield from account.platform.batch.describe_jobs(jobs=ids[start : start + _DESCRIBED_AT_ONCE])["jobs"]


def _minutes(started: int | None, now: datetime) -> int | None:
    """`started`: milliseconds since 1970, as Batch tells it."""
    return None if not started else max(0, int((now.timestamp() - started / 1000) // 60))


def _launchers(account: Account) -> int:
    ecs = account.client("ecs")
    pages = ecs.get_paginator("list_tasks").paginate(cluster=account.launchers, desiredStatus="RUNNING")
    return len(listed(pages, "taskArns"))


def _updating(account: Account) -> list[str]:
    prefix = f"{PROJECT}-{account.stage}-"
    pages = account.client("batch").get_paginator("describe_compute_environments").paginate()
    return sorted(
        each["computeEnvironmentName"]
        for each in listed(pages, "computeEnvironments")
        if each["computeEnvironmentName"].startswith(prefix) and each.get("status") == "UPDATING"
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
