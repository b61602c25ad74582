"""The same facts for scripts: plain JSON values with the platform's own names (camelCase, ISO 8601 times, seconds)."""

from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genolaunch.costs import By, Cost, Sum
    from genolaunch.progress import Snapshot


def document_of(value: object) -> Any:  # noqa: ANN401 - JSON values
    """JSON value of a dataclass, or of anything one may hold."""
    if hasattr(value, "__dataclass_fields__"):
        return {_camel(field.name): document_of(getattr(value, field.name)) for field in fields(value)}  # type: ignore[arg-type]  # it has fields
    if isinstance(value, list | tuple):
        return [document_of(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def snapshot_document(snapshot: "Snapshot") -> dict[str, Any]:
    """A launch's facts at the top level, beside its `steps`, `jobs` and `failedJobs`."""
    return {
        **document_of(snapshot.launch),
        "steps": [
            {**document_of(step), "elapsedSeconds": round(step.elapsed(snapshot.at).total_seconds(), 3)}
            for step in snapshot.steps
        ],
        "jobs": document_of(snapshot.jobs),
        "failedJobs": document_of(snapshot.failed_jobs),
    }


def cost_document(cost: "Cost") -> dict[str, Any]:
    """A bill; amounts are text, since they are exact."""

    def text(amount: object) -> str | None:
        return None if amount is None else str(amount)

    return {
        "launchId": cost.launch_id,
        "status": cost.status,
        "costStatus": cost.cost_status,
        "reason": cost.reason,
        "currency": "USD",
        "total": text(cost.total),
        "instances": text(cost.instances),
        "volumes": text(cost.volumes),
        "fileSystems": text(cost.file_systems),
        "reconciliation": cost.reconciliation,
        "earlierAttempts": {str(attempt): str(total) for attempt, total in cost.earlier.items()},
        "lines": document_of(cost.lines),
        "statusSeconds": dict(cost.status_seconds),
        "stepSeconds": dict(cost.step_seconds),
    }


def sums_document(found: "Sequence[Sum]", by: "By") -> list[dict[str, Any]]:
    """Sums over launches, each with what it is over under the name of `by`."""
    return [
        {
            by.value: each.name,
            "launches": each.launches,
            "unpriced": each.unpriced,
            "totalUsd": str(each.total),
            "runSeconds": each.run_time.total_seconds(),
        }
        for each in found
    ]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
