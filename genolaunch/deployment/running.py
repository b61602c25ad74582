"""Finds what runs in a stage, what a deployment would do to it, and what forbids deleting the stage."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.compute import MINUTES_ON_REPLACED_HOSTS
from genolaunch.contract.launch import FINAL_STATUSES, STATUS_INDEX, LaunchField, Status
from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from genolaunch.contract.settings import Parameter
from genolaunch.launch_items import launch_or_sick, plain
from genolaunch.shared.counted import counted
from genolaunch.verify.account import NEVER_FILLED, Account, listed

if TYPE_CHECKING:
    from types_boto3_batch.literals import JobStatusType

_DESCRIBED_AT_ONCE: Final = 100
"""The most that one DescribeJobs, or DescribeTasks, call takes."""

_ON_HOSTS: "Final[tuple[JobStatusType, ...]]" = ("STARTING", "RUNNING")
_WAITING: "Final[tuple[JobStatusType, ...]]" = ("SUBMITTED", "PENDING", "RUNNABLE")

_VPC: Final = "AWS::EC2::VPC"

_INSTANCE_STATES: Final = ("pending", "running", "stopping", "stopped")
"""Of an instance that is there, or keeps volumes; the others are being ended, or were (EC2 API reference)."""

WHAT_HAPPENS: Final = (
    f"A deployment that replaces hosts (instance types, their image or set-up) lets a job go on for "
    f"{MINUTES_ON_REPLACED_HOSTS} minutes, and waits for that. What runs still is ended then, and done again from its "
    "beginning on a new host.",
    "Jobs that wait, Snakemake's launchers, Tibanna's instances and executions of state machines are not touched: they "
    "go on as they were when they began. Functions are the new ones at once.",
)


@dataclass(frozen=True)
class RunningLaunch:
    """A launch that is not over."""

    launch_id: str
    workflow: str | None
    requested_by: str | None
    status: str = Status.RUNNING.value


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
    """That are RUNNING."""
    jobs: Sequence[RunningJob] = ()
    jobs_waiting: int = 0
    launchers: int = 0
    """Fargate tasks that run Snakemake."""
    environments_updating: Sequence[str] = ()
    """Compute environments of which Batch replaces hosts now: it refuses another change until that is over."""
    other_launches: Sequence[RunningLaunch] = ()
    """That wait, start, or are being cancelled."""
    executions: Sequence[str] = ()
    """Of the stage's state machines, clean-up among them: `<state machine> <execution>`."""
    file_systems: Sequence[str] = ()
    """Of FSx, by id."""
    instances: Sequence[str] = ()
    """EC2 instances by id: those with the stage's tags, and all others in its network (Tibanna's)."""
    unseen: Sequence[str] = ()
    """What could not be looked at, since the stage does not say where it is."""

    @property
    def is_idle(self) -> bool:
        """Nothing that a deployment would touch runs. Launches that only wait go on after it as before."""
        return not (self.launches or self.jobs or self.launchers or self.environments_updating or self.unseen)

    @property
    def is_finished(self) -> bool:
        """Nothing is left that somebody waits for, or that costs money: only then may the stage be deleted."""
        return self.is_idle and not (
            self.jobs_waiting or self.other_launches or self.executions or self.file_systems or self.instances
        )

    def unfinished_sentences(self) -> Iterator[str]:
        """For people: each thing that is to end before the stage may be deleted, by name, and what ends it."""
        launches = [f"{each.launch_id} ({each.status})" for each in (*self.launches, *self.other_launches)]
        on_hosts = [f"{job.name} ({job.jobs:,})" for job in self.jobs]
        yield from _named("Launches that are not over", launches, "wait, or `genolaunch cancel` them")
        yield from _named("Jobs on Batch's hosts", on_hosts, "they end with their launches")
        if self.jobs_waiting:
            waiting = _count(self.jobs_waiting, "job waits", "jobs wait")
            yield f"{waiting} in Batch's queues: they end with their launches."
        if self.launchers:
            yield f"{_count(self.launchers, 'launcher', 'launchers')} of Snakemake: they end with their launches."
        yield from _named("Executions that run", self.executions, "wait for them, clean-up takes minutes")
        yield from _named("File systems", self.file_systems, "clean-up deletes those of launches that are over")
        yield from _named(
            "Instances", self.instances, "Batch ends idle hosts within minutes, clean-up what launches left; end others"
        )
        yield from _named("Environments whose hosts Batch replaces", self.environments_updating, "wait")
        yield from _named(
            "What cannot be looked at, since its parameter is missing", self.unseen, "deploy the stage again"
        )

    def sentences(self) -> Iterator[str]:
        """For people: what runs, and what a deployment does to it."""
        if not self.is_deployed:
            yield f"The stage {self.stage} is not deployed yet: nothing runs."
            return
        if self.is_idle:
            yield f"Nothing runs in the stage {self.stage}."
            return
        yield from self._what_runs()
        yield from WHAT_HAPPENS
        yield from (f"{each} cannot be looked at: the parameter that tells where is missing." for each in self.unseen)
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
            since = "it is starting" if job.minutes is None else f"for {counted(job.minutes, 'minute')}"
            yield f"  {job.name} ({since}{many})"


def running(account: Account, now: datetime | None = None) -> Running:
    """Look. It only reads. Of half a stage it looks at what is there."""
    there = {name for name, stack in account.stacks.items() if stack.get("StackStatus") != NEVER_FILLED}
    if not there:
        return Running(account.stage, is_deployed=False)
    published = account.platform.published
    jobs, waiting = _jobs(account, json.loads(published.get(Parameter.JOB_QUEUES, "[]")), now or datetime.now(UTC))
    launches = _launches(account, published.get(Parameter.LAUNCH_TABLE))
    return Running(
        account.stage,
        is_deployed=True,
        launches=[launch for launch in launches if launch.status == Status.RUNNING],
        jobs=jobs,
        jobs_waiting=waiting,
        launchers=_launchers(account),
        environments_updating=_updating(account),
        other_launches=[launch for launch in launches if launch.status != Status.RUNNING],
        executions=list(_executions(account)),
        file_systems=list(_file_systems(account)),
        instances=_instances(account),
        unseen=_unseen(there, published),
    )


def _unseen(there: set[str], published: dict[str, str]) -> list[str]:
    """Before the workflow manager is there, nothing can have begun: what is missing then holds nothing."""
    if "workflow-manager" not in there:
        return []
    return [name for name in (Parameter.LAUNCH_TABLE, Parameter.JOB_QUEUES) if name not in published]


def _launches(account: Account, table: str | None) -> list[RunningLaunch]:
    """That are not over, newest first in each status."""
    if table is None:
        return []
    found = []
    for status in Status:
        if status in FINAL_STATUSES:
            continue
        pages = account.platform.dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName=STATUS_INDEX,
            KeyConditionExpression="#status = :status",
            ScanIndexForward=False,
            ExpressionAttributeNames={"#status": LaunchField.STATUS},
            ExpressionAttributeValues={":status": {"S": status.value}},
        )
        launches = [launch_or_sick(plain(item)) for item in listed(pages, "Items")]
        found += [RunningLaunch(each.launch_id, each.workflow, each.requested_by, status.value) for each in launches]
    return found


def _jobs(account: Account, queues: Sequence[str], now: datetime) -> tuple[list[RunningJob], int]:
    """What is on hosts, and how many jobs wait. An array's parent is PENDING until all of its jobs are over."""
    found: list[RunningJob] = []
    waiting = 0
    for queue in queues:
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
    try:
        return len(listed(pages, "taskArns"))
    except ecs.exceptions.ClusterNotFoundException:  # half a stage
        return 0


def _executions(account: Account) -> Iterator[str]:
    paginator = account.client("stepfunctions").get_paginator("list_executions")
    for machine, arn in sorted(account.machines.items()):
        for each in listed(paginator.paginate(stateMachineArn=arn, statusFilter="RUNNING"), "executions"):
            yield f"{machine} {each['name']}"


def _file_systems(account: Account) -> Iterator[str]:
    """Those that are being deleted, too: their network interfaces are there until they are gone."""
    for each in listed(account.client("fsx").get_paginator("describe_file_systems").paginate(), "FileSystems"):
        tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
        if (tags.get(TAG_PROJECT), tags.get(TAG_STAGE)) == (PROJECT, account.stage):
            yield each["FileSystemId"]


def _instances(account: Account) -> list[str]:
    """Tibanna tags its instances with nothing that tells the stage: they are in its network."""
    tagged = [
        {"Name": f"tag:{TAG_PROJECT}", "Values": [PROJECT]},
        {"Name": f"tag:{TAG_STAGE}", "Values": [account.stage]},
    ]
    networks = [each["PhysicalResourceId"] for each in account.resources("network") if each["ResourceType"] == _VPC]
    found = set(_instances_with(account, tagged))
    if networks:
        found.update(_instances_with(account, [{"Name": "vpc-id", "Values": networks}]))
    return sorted(found)


def _instances_with(account: Account, filters: Sequence[Any]) -> Iterator[str]:
    paginator = account.client("ec2").get_paginator("describe_instances")
    there = {"Name": "instance-state-name", "Values": list(_INSTANCE_STATES)}
    for reservation in listed(paginator.paginate(Filters=[*filters, there]), "Reservations"):
        yield from (each["InstanceId"] for each in reservation["Instances"])


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


def _named(what: str, names: Sequence[str], mend: str) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(names)}: {mend}."
