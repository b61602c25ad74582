"""How a restore ends: the launch goes on, or fails with the objects that it cannot have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import LaunchField, Status
from genolaunch.shared.errors import StatusConflictError
from lambdas.restore.restore_items import RestoreItems
from lambdas.restore.restore_model import OpenRestore, WantedObject
from lambdas.shared.announcement import Channels, announce
from lambdas.shared.failure import status_after
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger

_MOST_NAMED: Final = 20
"""Objects that the error names; `genolaunch restores` shows all."""


class Places(Channels, Protocol):
    """Settings of a function that may end restores."""

    @property
    def launch_table(self) -> str:
        """The launch table's name."""

    @property
    def task_table(self) -> str:
        """The task table's name."""


@dataclass(frozen=True, slots=True)
class Endings:
    """Ends restores; each ending may be repeated, and changes nothing for a launch that does not wait any more."""

    repository: LaunchRepository
    items: RestoreItems
    channels: Channels

    @classmethod
    def at(cls, places: Places) -> "Endings":
        """With a function's settings."""
        return cls(LaunchRepository(places.launch_table), RestoreItems(places.task_table), places)

    def go_on_if_over(self, restore: OpenRestore) -> bool:
        """Make the launch READY if nothing is left to wait for; whoever comes last does it."""
        counts = self.items.counts(restore)
        if counts is None or not counts.is_over or counts.failed:
            return False
        self._change(restore, Status.READY, {})
        return True

    def fail(self, restore: OpenRestore, reasons: Mapping[WantedObject, str], *, besides: int = 0) -> None:
        """Record objects that cannot be restored, and end the launch at once: nobody is to learn of it days later.

        `besides` are so many more objects that are only counted.
        """
        self.items.mark_failed(restore, reasons)
        self.end_for(restore, reasons, besides=besides)

    def end_for(self, restore: OpenRestore, reasons: Mapping[WantedObject, str], *, besides: int = 0) -> None:
        """End the launch for objects that cannot be restored, and are recorded as such."""
        count = len(reasons) + besides
        error = {"type": ErrorType.RESTORE.value, "message": _message(reasons, count), "public": f"{_told(count)}."}
        self.end(restore, error)

    def end(self, restore: OpenRestore, error: Mapping[str, Any]) -> None:
        """End the launch with an error `{type, message, ...}`."""
        self._change(restore, status_after(error), {LaunchField.ERROR: error})

    def _change(self, restore: OpenRestore, to: Status, fields: Mapping[str, object]) -> None:
        try:
            launch = self.repository.change_status(
                restore.launch_id, to, execution_arn=None, attempt=restore.attempt, fields=fields
            )
        except StatusConflictError:  # cancelled, ended, or on its way already
            logger.info("The launch does not wait any more", extra={"launchId": restore.launch_id})
        else:
            announce(launch, self.channels)
        self.items.forget(restore)


def _message(reasons: Mapping[WantedObject, str], count: int) -> str:
    """What is the matter with which objects, of `count` in all."""
    named = [f"{item.uri} {reason}" for item, reason in list(reasons.items())[:_MOST_NAMED]]
    more = f"; and {count - len(named):,} more" if count > len(named) else ""
    return f"{_told(count)}: {'; '.join(named)}{more}."


def _told(count: int) -> str:
    return f"{count:,} archived input{'' if count == 1 else 's'} could not be restored"
