"""Launches from what the platform writes: items of its tables, and the feedback object."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from genolaunch.batch_jobs import label_of
from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import EventField, HeldFor, LaunchField, Status
from genolaunch.contract.tasks import JOB_TASK_PREFIX, TaskField
from genolaunch.launch import (
    ArchivedInputs,
    Estimate,
    FailedJob,
    Fault,
    JobCounts,
    JobTask,
    Launch,
    LaunchError,
    Price,
    StatusChange,
)
from genolaunch.shared.launch_item import LaunchItemError, check_item, id_of, is_moment

_EXPLAINED = (Status.WAITING, Status.HELD, Status.RUNNING)
"""Statuses with a reason; in another one, an earlier reason may still stand in the table."""


def launch_from_item(item: Mapping[str, Any]) -> Launch:
    """A launch from an item of the table (plain values); raises LaunchItemError if it is none of a launch."""
    check_item(item)
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
        lists=tuple(item.get(LaunchField.LISTS) or ()),
        findings=tuple(item.get(LaunchField.FINDINGS) or ()),
        events=tuple(_status_change(entry) for entry in item.get(LaunchField.EVENTS) or ()),
        status_reason=item.get(LaunchField.STATUS_REASON) if item[LaunchField.STATUS] in _EXPLAINED else None,
        restore=_archived_inputs(item.get(LaunchField.RESTORE)),
        estimate=estimate_from(item.get(LaunchField.ESTIMATE)),
        price=_price(item),
        held_for=HeldFor(item[LaunchField.HELD_FOR]) if item.get(LaunchField.HELD_FOR) else None,
        budget_reason=(item.get(LaunchField.BUDGET_TOLD) or {}).get("reason"),
    )


def launch_or_sick(item: Mapping[str, Any]) -> Launch:
    """The same, and one that is said to be sick where the item cannot be read: for lists of launches."""
    try:
        return launch_from_item(item)
    except LaunchItemError as error:
        status, at = item.get(LaunchField.STATUS), item.get(LaunchField.SUBMITTED_AT)
        return Launch(
            launch_id=id_of(item),
            name=id_of(item),
            status=Status(status) if status in set(Status) else Status.FAILED,
            submitted_at=time_of(at) if is_moment(at) else None,
            sick=str(error),
        )


def fault_from(entry: Mapping[str, Any]) -> Fault:
    """A fault as the feedback object and the launch table write it."""
    return Fault(
        where=str(entry.get("where", "")), problem=str(entry.get("problem", "")), remedy=str(entry.get("remedy", ""))
    )


def estimate_from(entry: Mapping[str, Any] | None) -> Estimate | None:
    """An estimate as the platform writes it (genolaunch.contract.launch.LaunchField.ESTIMATE)."""
    return Estimate(entry["usd"], entry["low"], entry["high"], entry["basis"]) if entry else None


def _price(item: Mapping[str, Any]) -> Price | None:
    known = {
        number: entry[LaunchField.TOTAL_COST] for number, entry in (item.get(LaunchField.COST_HISTORY) or {}).items()
    }
    attempt = str(item.get(LaunchField.ATTEMPT, 0))
    if LaunchField.TOTAL_COST in item:
        known[attempt] = item[LaunchField.TOTAL_COST]
    status = item.get(LaunchField.COST_STATUS)
    if not known and status is None:
        return None
    return Price(
        usd=str(sum(map(Decimal, known.values()), Decimal(0))) if known else None,
        status=CostStatus(status) if status else None,
        reason=item.get(LaunchField.COST_REASON),
        is_whole=attempt in known,
    )


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
        asked=_asked(entry),
    )


def _asked(entry: Mapping[str, Any]) -> str | None:
    """`retry by AWS:AROAEXAMPLE:ada: more memory (regenie.resources.step2)`."""
    if EventField.ACTION not in entry:
        return None
    told = f"{entry[EventField.ACTION]} by {entry.get(EventField.BY, 'nobody known')}"
    told += f": {entry[EventField.REASON]}" if entry.get(EventField.REASON) else ""
    changed = entry.get(EventField.CHANGED)
    return f"{told} ({', '.join(map(str, changed))})" if isinstance(changed, list) and changed else told


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


def job_task_from(item: Mapping[str, Any], launch_id: str) -> JobTask:
    """A failed job of any attempt from an item of the task table (plain values)."""
    return JobTask(
        label=item[TaskField.TASK_ID].removeprefix(f"{JOB_TASK_PREFIX}{launch_id}-"),
        status=item.get(TaskField.STATUS),
        updated_at=time_of(item.get(TaskField.UPDATED_AT)),
        error_type=item.get(TaskField.ERROR_TYPE),
        reason=item.get(TaskField.REASON),
    )


def failed_job_from(item: Mapping[str, Any], run: str) -> FailedJob:
    """A failed job of the attempt called `run` from an item of the task table (plain values)."""
    index = int(item[TaskField.TASK_ID].rpartition("#")[2])
    # The id of an array's child ends so, of Batch and of Slurm; a single job of Batch has index 0, too.
    is_child = item.get(TaskField.JOB_ID, "").endswith((f":{index}", f"_{index}"))
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


def time_of(value: str | None) -> datetime | None:
    """A time as the platform writes it."""
    return datetime.fromisoformat(value) if value else None


def written(moment: datetime) -> str:
    """As the platform writes times, which sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(value: object) -> int | None:
    return int(str(value)) if value is not None else None


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Python values of an item in DynamoDB's notation."""
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
