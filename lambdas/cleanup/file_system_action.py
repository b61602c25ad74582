"""Decides the next action for the file system of an attempt that is over. It keeps no state, so it gives the next
action after any step, even after a failed one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from genolaunch.contract.launch import Status
from lambdas.cleanup.launch_resources import FileSystem
from lambdas.shared.launch import Launch

if TYPE_CHECKING:
    from types_boto3_fsx.type_defs import DataRepositoryAssociationTypeDef, DataRepositoryTaskTypeDef


class Action(StrEnum):
    """See docs/architecture.md, `find_leftovers`."""

    WAIT = "WAIT"
    EXPORT = "EXPORT"
    UNLINK = "UNLINK"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class FileSystemState:
    """A file system with its associations and data repository tasks."""

    file_system: FileSystem
    associations: "Sequence[DataRepositoryAssociationTypeDef]"
    tasks: "Sequence[DataRepositoryTaskTypeDef]"
    is_in_use: bool
    """Jobs or executions of the launch's ended attempts still run, and may write to it or link it."""


_WORK_ASSOCIATION: Final = "/work"
_WORK_EXPORT: Final = "work"
_PENDING_TASKS: Final = frozenset({"PENDING", "EXECUTING", "CANCELING"})
"""A file system with one of these cannot be deleted (Amazon FSx API reference, DataRepositoryTask)."""
_CHANGING: Final = frozenset({"CREATING", "UPDATING", "DELETING"})
_LONGEST_TRY_TO_EXPORT: Final = timedelta(hours=6)
"""After this time the file system is deleted without its export: if FSx refuses the export again and again, the file
system must not exist, and cost money, for ever."""


def next_action(state: FileSystemState, launch: Launch | None, now: datetime) -> Action:
    """Return the first action that applies, of WAIT, EXPORT, UNLINK and DELETE."""
    if _must_wait(state):
        return Action.WAIT
    if _can_export(state) and _is_worth_exporting(state.file_system, launch, now):
        return Action.EXPORT
    return Action.UNLINK if state.associations else Action.DELETE


def _must_wait(state: FileSystemState) -> bool:
    return (
        state.is_in_use
        or state.file_system.lifecycle in _CHANGING
        or any(task["Lifecycle"] in _PENDING_TASKS for task in state.tasks)
        or any(association.get("Lifecycle") in _CHANGING for association in state.associations)
    )


def _can_export(state: FileSystemState) -> bool:
    """Return whether the file system is linked and was not exported before. A failed export would fail again.

    Only clean-up exports the whole folder `work`; a run that succeeds exports narrower paths.
    """
    is_linked = any(
        association.get("FileSystemPath") == _WORK_ASSOCIATION and association.get("Lifecycle") == "AVAILABLE"
        for association in state.associations
    )
    return is_linked and not any(_is_export_of_work(task) for task in state.tasks)


def _is_export_of_work(task: "DataRepositoryTaskTypeDef") -> bool:
    paths = [path.strip("/") for path in task.get("Paths", [])]
    return task["Type"] == "EXPORT_TO_REPOSITORY" and _WORK_EXPORT in paths


def _is_worth_exporting(file_system: FileSystem, launch: Launch | None, now: datetime) -> bool:
    """Return whether a retry can use the work: the launch exists, is not COMPLETE, and has no newer file system.

    A newer attempt that has no file system yet waits for this export before it links the same prefix.
    """
    if launch is None or launch.status is Status.COMPLETE:
        return False
    is_of_this_attempt = file_system.owner.attempt == launch.attempt
    if not is_of_this_attempt and file_system.id != launch.file_system_id:
        return False
    # The table no longer has the time at which an older attempt ended, but it has the start of the newer one.
    over_since = launch.ended_at if is_of_this_attempt else launch.started_at
    return over_since is None or now - datetime.fromisoformat(over_since) < _LONGEST_TRY_TO_EXPORT
