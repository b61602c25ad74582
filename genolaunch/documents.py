"""The same facts for scripts: plain JSON values with the platform's own names (camelCase, ISO 8601 times, seconds)."""

from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
