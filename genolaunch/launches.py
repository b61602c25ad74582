"""Launches as the launch table tells them, and their failed jobs as the task table does."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from contract import (
    FINAL_STATUSES,
    JOB_TASK_PREFIX,
    STATUS_INDEX,
    TASK_RESUBMITTED,
    HeldFor,
    LaunchField,
    Status,
    TaskField,
    run_name,
)
from genolaunch.batch_jobs import label_of
from genolaunch.errors import GenolaunchError

if TYPE_CHECKING:
    from genolaunch.platform import Platform

LATEST = "latest"
"""Stands for the newest launch wherever an id is asked for."""

_EXPLAINED = (Status.WAITING, Status.HELD, Status.RUNNING)
"""Statuses with a reason; in another one, an earlier reason may still stand in the table."""

_PREFIX_SEARCH_DEPTH = 1000
"""How many launches of each status, newest first, are searched for a prefix: bounds what the search reads."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a launch's config."""

    where: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class LaunchError:
    """Why a launch failed or was rejected."""

    type: str
    message: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class StatusChange:
    """A status that a launch had from then on."""

    status: Status
    at: datetime
    error: LaunchError | None = None
    execution_arn: str | None = None


@dataclass(frozen=True)
class ArchivedInputs:
    """What a launch waits for, or did: estimated before it was asked for."""

    attempt: int
    objects: int
    size: int
    """Bytes."""
    bytes: int
    """Of them, those that are retrieved; the others were asked for by somebody else, or are restored already."""
    usd: float
    tier: str
    days: int
    expected_at: datetime | None


@dataclass(frozen=True)
class Estimate:
    """What a launch was expected to cost before it started: USD as exact text."""

    usd: str
    low: str
    high: str
    basis: str
    """Launches like it, or first principles."""


@dataclass(frozen=True)
class JobCounts:
    """How far the jobs of a Snakemake launch are."""

    done: int
    total: int
    failed: int


@dataclass(frozen=True)
class Launch:
    """One item of the launch table. Times are aware datetimes; what the platform has not set yet is None."""

    launch_id: str
    name: str
    status: Status
    workflow: str | None = None
    compute_service: str | None = None
    data_path: str | None = None
    config_uri: str | None = None
    requested_by: str | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    execution_arn: str | None = None
    workflow_execution_arn: str | None = None
    results_uri: str | None = None
    report_uri: str | None = None
    progress: JobCounts | None = None
    """Of a Snakemake launch, as soon as Snakemake knows its jobs."""
    error: LaunchError | None = None
    warnings: tuple[str, ...] = ()
    """What the check of the inputs found, short of a fault."""
    events: tuple[StatusChange, ...] = ()
    """Oldest first. What a person wrote into the table by hand is not among them."""
    status_reason: str | None = None
    """What it waits for, while it is WAITING or HELD; why one of its jobs could not start, while it is RUNNING."""
    restore: ArchivedInputs | None = None
    estimate: Estimate | None = None
    held_for: HeldFor | None = None
    """What a person is to approve while it is HELD; None: a restore."""
    budget_reason: str | None = None
    """Why people were told, in this attempt, that it is above its budget."""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def run_name(self) -> str:
        """Name of the current attempt: what its executions and jobs are called by."""
        return run_name(self.launch_id, self.attempt)

    def at_attempt(self, attempt: int) -> "Launch":
        """The launch as of an earlier attempt, as far as names go; GenolaunchError if it never had that one."""
        if attempt > self.attempt:
            raise GenolaunchError(f"Launch {self.launch_id} has had {self.attempt} attempts, and no attempt {attempt}.")
        return replace(self, attempt=attempt)

    def elapsed(self, now: datetime) -> timedelta | None:
        """From submission to its end, or to `now`."""
        if self.submitted_at is None:
            return None
        return (self.ended_at or now) - self.submitted_at if self.is_final else now - self.submitted_at


@dataclass(frozen=True)
class JobTask:
    """A failed job of any attempt, as far as a launch's history tells of it. `label` has the attempt in it."""

    label: str
    status: str | None
    updated_at: datetime | None
    error_type: str | None
    reason: str | None


@dataclass(frozen=True)
class FailedJob:
    """A failed Batch job, as the task table keeps it. `label` is its name within the run: `merge`, `step2[3]`."""

    job_name: str
    label: str
    array_index: int
    error_type: str | None
    reason: str | None
    exit_code: int | None
    attempts: int | None
    job_id: str | None
    log_group: str | None
    log_stream: str | None
    log_tail: tuple[str, ...]


class Launches:
    """Reads launches of one stage."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def get(self, launch_id: str) -> Launch:
        """The launch of exactly this id; raises GenolaunchError when there is none."""
        launch = self._find(launch_id)
        if launch is None:
            raise GenolaunchError(f"Stage “{self._platform.stage}” has no launch {launch_id}.")
        return launch

    def resolve(self, text: str) -> Launch:
        """The launch that `text` means: an id, the unique beginning of one, or "latest".

        Raises GenolaunchError when none or several are meant.
        """
        if text == LATEST:
            newest = self.newest(1)
            if not newest:
                raise GenolaunchError(f"Stage “{self._platform.stage}” has no launches yet.")
            return self.get(newest[0].launch_id)
        return self._find(text) or self.get(self._only_id_beginning_with(text))

    def newest(
        self, limit: int, status: Status | None = None, *, since: datetime | None = None, user: str | None = None
    ) -> list[Launch]:
        """The `limit` newest launches: of one status, submitted `since` then, by who has `user` in the name, if given.

        Attributes that the index lacks are None.
        """
        statuses = [status] if status else list(Status)
        merged = heapq.merge(
            *(self._of_status(each, limit, since) for each in statuses), key=_newest_first, reverse=True
        )
        chosen = (launch for launch in merged if user is None or user.lower() in (launch.requested_by or "").lower())
        return list(islice(chosen, limit))

    def job_tasks(self, launch: Launch) -> list[JobTask]:
        """Failed jobs of all of the launch's attempts."""
        pages = self._platform.dynamodb.get_paginator("query").paginate(**self._job_items(launch, JOB_TASK_PREFIX))
        items = [plain(item) for page in pages for item in page["Items"]]
        return [
            JobTask(
                label=item[TaskField.TASK_ID].removeprefix(f"{JOB_TASK_PREFIX}{launch.launch_id}-"),
                status=item.get(TaskField.STATUS),
                updated_at=time_of(item.get(TaskField.UPDATED_AT)),
                error_type=item.get(TaskField.ERROR_TYPE),
                reason=item.get(TaskField.REASON),
            )
            for item in items
        ]

    def failed_jobs(self, launch: Launch) -> list[FailedJob]:
        """The failed jobs of the launch's current attempt, in the order of their names."""
        query = self._job_items(launch, f"{JOB_TASK_PREFIX}{launch.run_name}-")
        pages = self._platform.dynamodb.get_paginator("query").paginate(**query)
        items = [plain(item) for page in pages for item in page["Items"]]
        # A failure that another job was to mend is not among them: if it did not, that job's own is.
        jobs = [_failed_job(item, launch.run_name) for item in items if item.get(TaskField.STATUS) != TASK_RESUBMITTED]
        return sorted(jobs, key=lambda job: (job.job_name, job.array_index))

    def _find(self, launch_id: str) -> Launch | None:
        answer = self._platform.dynamodb.get_item(
            TableName=self._platform.names.launch_table,
            Key={LaunchField.LAUNCH_ID: {"S": launch_id}},
            ConsistentRead=True,
        )
        return launch_from_item(plain(answer["Item"])) if "Item" in answer else None

    def _job_items(self, launch: Launch, prefix: str) -> dict[str, Any]:
        return {
            "TableName": self._platform.names.task_table,
            "KeyConditionExpression": "#launch = :launch AND begins_with(#task, :prefix)",
            "ExpressionAttributeNames": {"#launch": TaskField.LAUNCH_ID, "#task": TaskField.TASK_ID},
            "ExpressionAttributeValues": {":launch": {"S": launch.launch_id}, ":prefix": {"S": prefix}},
        }

    def _of_status(self, status: Status, page_size: int, since: datetime | None) -> Iterator[Launch]:
        query = {**self._status_query(status), "Limit": page_size}
        if since is not None:
            query["KeyConditionExpression"] += " AND #submitted >= :since"
            query["ExpressionAttributeNames"]["#submitted"] = LaunchField.SUBMITTED_AT
            query["ExpressionAttributeValues"][":since"] = {"S": _written(since)}
        for page in self._platform.dynamodb.get_paginator("query").paginate(**query):
            yield from (launch_from_item(plain(item)) for item in page["Items"])

    def _only_id_beginning_with(self, prefix: str) -> str:
        found = sorted(
            item[LaunchField.LAUNCH_ID]["S"]
            for status in Status
            for item in self._platform.dynamodb.query(**self._status_query(status, prefix), Limit=_PREFIX_SEARCH_DEPTH)[
                "Items"
            ]
        )
        if not found:
            raise GenolaunchError(
                f"Stage “{self._platform.stage}” has no launch {prefix}, and none of its newest begins with it: "
                "`genolaunch list` shows them."
            )
        if len(found) > 1:
            shown = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
            raise GenolaunchError(f"{len(found)} launches begin with {prefix} ({shown}): give more of the id.")
        return found[0]

    def _status_query(self, status: Status, prefix: str | None = None) -> dict[str, Any]:
        names = {"#status": LaunchField.STATUS}
        values: dict[str, Any] = {":status": {"S": status.value}}
        query: dict[str, Any] = {
            "TableName": self._platform.names.launch_table,
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": "#status = :status",
            "ScanIndexForward": False,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        if prefix is not None:
            names["#id"] = LaunchField.LAUNCH_ID
            values[":prefix"] = {"S": prefix}
            query["FilterExpression"] = "begins_with(#id, :prefix)"
        return query


def launch_from_item(item: Mapping[str, Any]) -> Launch:
    """A launch from an item of the table (plain values)."""
    return Launch(
        launch_id=item[LaunchField.LAUNCH_ID],
        name=item.get(LaunchField.NAME, item[LaunchField.LAUNCH_ID]),
        status=Status(item[LaunchField.STATUS]),
        workflow=item.get(LaunchField.WORKFLOW),
        compute_service=item.get(LaunchField.COMPUTE_SERVICE),
        data_path=item.get(LaunchField.DATA_PATH),
        config_uri=item.get(LaunchField.CONFIG_URI),
        requested_by=item.get(LaunchField.REQUESTED_BY),
        submitted_at=time_of(item.get(LaunchField.SUBMITTED_AT)),
        updated_at=time_of(item.get(LaunchField.UPDATED_AT)),
        started_at=time_of(item.get(LaunchField.STARTED_AT)),
        ended_at=time_of(item.get(LaunchField.ENDED_AT)),
        attempt=int(item.get(LaunchField.ATTEMPT, 0)),
        execution_arn=item.get(LaunchField.EXECUTION_ARN),
        workflow_execution_arn=item.get(LaunchField.WORKFLOW_EXECUTION_ARN),
        results_uri=item.get(LaunchField.RESULTS_URI),
        report_uri=item.get(LaunchField.REPORT_URI),
        progress=_progress(item.get(LaunchField.PROGRESS)),
        error=_error(item.get(LaunchField.ERROR)),
        warnings=tuple(item.get(LaunchField.WARNINGS) or ()),
        events=tuple(_status_change(entry) for entry in item.get(LaunchField.EVENTS) or ()),
        status_reason=item.get(LaunchField.STATUS_REASON) if item[LaunchField.STATUS] in _EXPLAINED else None,
        restore=_archived_inputs(item.get(LaunchField.RESTORE)),
        estimate=estimate_from(item.get(LaunchField.ESTIMATE)),
        held_for=HeldFor(item[LaunchField.HELD_FOR]) if item.get(LaunchField.HELD_FOR) else None,
        budget_reason=(item.get(LaunchField.BUDGET_TOLD) or {}).get("reason"),
    )


def fault_from(entry: Mapping[str, Any]) -> Fault:
    """A fault as the feedback object and the launch table write it."""
    return Fault(
        where=str(entry.get("where", "")), problem=str(entry.get("problem", "")), remedy=str(entry.get("remedy", ""))
    )


def estimate_from(entry: Mapping[str, Any] | None) -> Estimate | None:
    """An estimate as the platform writes it (contract.LaunchField.ESTIMATE)."""
    return Estimate(entry["usd"], entry["low"], entry["high"], entry["basis"]) if entry else None


def _error(entry: Mapping[str, Any] | None) -> LaunchError | None:
    if not entry:
        return None
    return LaunchError(
        type=str(entry.get("type", "")),
        message=str(entry.get("message", "")),
        faults=tuple(fault_from(fault) for fault in entry.get("faults") or ()),
    )


def _status_change(entry: Mapping[str, Any]) -> StatusChange:
    return StatusChange(
        status=Status(entry["status"]),
        at=datetime.fromisoformat(entry["at"]),
        error=_error(entry.get("error")),
        execution_arn=entry.get("executionArn"),
    )


def _archived_inputs(entry: Mapping[str, Any] | None) -> ArchivedInputs | None:
    if not entry:
        return None
    return ArchivedInputs(
        attempt=int(entry["attempt"]),
        objects=int(entry["objects"]),
        size=int(entry["size"]),
        bytes=int(entry["bytes"]),
        usd=float(entry["usd"]),
        tier=entry["tier"],
        days=int(entry["days"]),
        expected_at=time_of(entry.get("expectedAt")),
    )


def _progress(entry: Mapping[str, Any] | None) -> JobCounts | None:
    return JobCounts(*(int(entry.get(key, 0)) for key in ("done", "total", "failed"))) if entry else None


def _failed_job(item: Mapping[str, Any], run: str) -> FailedJob:
    index = int(item[TaskField.TASK_ID].rpartition("#")[2])
    # The id of an array's child is `<array's id>:<index>`; a single job has index 0, too.
    is_child = ":" in item.get(TaskField.JOB_ID, "")
    return FailedJob(
        job_name=item[TaskField.JOB_NAME],
        label=label_of(item[TaskField.JOB_NAME], run, index if is_child else None),
        array_index=index,
        error_type=item.get(TaskField.ERROR_TYPE),
        reason=item.get(TaskField.REASON),
        exit_code=_whole(item.get(TaskField.EXIT_CODE)),
        attempts=_whole(item.get(TaskField.ATTEMPTS)),
        job_id=item.get(TaskField.JOB_ID),
        log_group=item.get(TaskField.LOG_GROUP),
        log_stream=item.get(TaskField.LOG_STREAM),
        log_tail=tuple(str(item.get(TaskField.LOG_TAIL) or "").splitlines()),
    )


def _newest_first(launch: Launch) -> str:
    return launch.submitted_at.isoformat() if launch.submitted_at else ""


def time_of(value: str | None) -> datetime | None:
    """A time as the platform writes it."""
    return datetime.fromisoformat(value) if value else None


def _written(moment: datetime) -> str:
    """As the platform writes times, which sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(value: object) -> int | None:
    return int(str(value)) if value is not None else None


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Python values of an item in DynamoDB's notation."""
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
