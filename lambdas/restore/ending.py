"""How a restore ends: the launch goes on, or fails with the objects that it cannot have."""

from collections.abc import Mapping
from typing import Any, Final

from contract import ErrorType, LaunchField, Status
from lambdas.restore.restore_items import OpenRestore, RestoreItems, WantedObject
from lambdas.shared.errors import StatusConflictError
from lambdas.shared.failure import status_after
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.notifications import notify
from lambdas.shared.observability import logger

_MOST_NAMED: Final = 20
"""Objects that the error names; `genolaunch restores` shows all."""


def go_on_if_over(repository: LaunchRepository, items: RestoreItems, restore: OpenRestore) -> bool:
    """Make the launch READY if nothing is left to wait for. Whoever comes last does it, and once more does no harm."""
    counts = items.counts(restore)
    if counts is None or not counts.is_over or counts.failed:
        return False
    try:
        repository.change_status(restore.launch_id, Status.READY, execution_arn=None, attempt=restore.attempt)
    except StatusConflictError:  # cancelled, failed, or on its way already
        logger.info("The launch does not wait any more", extra={"launchId": restore.launch_id})
    items.forget(restore)
    return True


def fail(
    repository: LaunchRepository,
    items: RestoreItems,
    restore: OpenRestore,
    reasons: Mapping[WantedObject, str],
    *,
    topic_arn: str,
    stage: str,
) -> None:
    """Record objects that cannot be restored, and end the launch at once: nobody is to learn of it two days later."""
    items.mark_failed(restore, reasons)
    end_failed(repository, items, restore, message(reasons), topic_arn=topic_arn, stage=stage)


def end_failed(
    repository: LaunchRepository, items: RestoreItems, restore: OpenRestore, text: str, *, topic_arn: str, stage: str
) -> None:
    """End the launch for objects that cannot be restored, unless it does not wait any more."""
    error = {"type": ErrorType.RESTORE.value, "message": text}
    end(repository, items, restore, error, topic_arn=topic_arn, stage=stage)


def end(
    repository: LaunchRepository,
    items: RestoreItems,
    restore: OpenRestore,
    error: Mapping[str, Any],
    *,
    topic_arn: str,
    stage: str,
) -> None:
    """End the launch with an error `{type, message, ...}`, unless it does not wait any more."""
    try:
        launch = repository.change_status(
            restore.launch_id,
            status_after(error),
            execution_arn=None,
            attempt=restore.attempt,
            fields={LaunchField.ERROR: error},
        )
    except StatusConflictError:
        logger.info("The launch does not wait any more", extra={"launchId": restore.launch_id})
    else:
        notify(launch, topic_arn=topic_arn, stage=stage)
    items.forget(restore)


def message(reasons: Mapping[WantedObject, str]) -> str:
    """The error's message: what is the matter with which objects."""
    count = len(reasons)
    named = [f"{item.uri} {reason}" for item, reason in list(reasons.items())[:_MOST_NAMED]]
    more = f"; and {count - _MOST_NAMED:,} more" if count > _MOST_NAMED else ""
    return f"{count:,} archived input{'' if count == 1 else 's'} could not be restored: {'; '.join(named)}{more}."
