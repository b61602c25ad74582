"""Decides a launch's status after its execution ended, and which attempts are over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genolaunch.contract.launch import Status
from lambdas.shared.failure import failure_of_ending, status_after
from lambdas.shared.launch import Launch

_WORKED_ON = frozenset({Status.RUNNING, Status.CANCEL_REQUESTED})
"""Statuses in which the execution that owns a launch may still be at work."""


@dataclass(frozen=True, slots=True)
class EndedExecution:
    """An execution of the launch state machine that is over, however it ended."""

    arn: str
    launch_id: str | None
    """None when its input names no launch."""
    ending: str
    """SUCCEEDED, FAILED, ABORTED or TIMED_OUT."""
    error: Mapping[str, Any]
    """{Error, Cause}, as far as there is one."""

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> "EndedExecution":
        """Read the `detail` of a Step Functions Execution Status Change."""
        return cls(
            arn=detail["executionArn"],
            launch_id=_launch_id(detail.get("input")),
            ending=detail["status"],
            error={"Error": detail.get("error"), "Cause": detail.get("cause")},
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What follows from an execution's end."""

    ended_attempt: int
    """Attempts 1 … ended_attempt are over."""
    to: Status | None = None
    """The status that is true now, if the table says another."""
    error: Mapping[str, Any] | None = None
    is_unclaimed: bool = False
    """The launch is over, and its next attempt was not claimed, but may have a slot: it is taken before the claim."""

    @property
    def attempts_without_slot(self) -> tuple[int, ...]:
        """Those whose slot nobody uses."""
        last = (self.ended_attempt,) if self.ended_attempt else ()
        return (*last, self.ended_attempt + 1) if self.is_unclaimed else last


def settle(launch: Launch | None, ended: EndedExecution) -> Settlement:
    """Decide; `launch` is what the table says now."""
    if launch is None:
        return Settlement(0)
    is_over = launch.execution_arn in (ended.arn, None)  # None: no other execution works on it
    if not is_over:
        return Settlement(max(0, launch.attempt - 1) if launch.status in _WORKED_ON else launch.attempt)
    if launch.status is Status.CANCEL_REQUESTED:
        return Settlement(launch.attempt, Status.CANCELLED, is_unclaimed=True)
    if launch.status is Status.RUNNING:
        error = failure_of_ending(ended.ending, ended.error)
        return Settlement(launch.attempt, status_after(error), error)
    if _never_started(launch, ended):
        error = failure_of_ending(ended.ending, ended.error)
        return Settlement(launch.attempt, Status.FAILED, error, is_unclaimed=True)
    return Settlement(launch.attempt, is_unclaimed=_ended_unclaimed(launch))


def _never_started(launch: Launch, ended: EndedExecution) -> bool:
    """The execution that was to claim a new launch ended before it did. READY and RETRY may be newer than its end."""
    return launch.status is Status.SUBMITTED and ended.ending != "SUCCEEDED"


def _ended_unclaimed(launch: Launch) -> bool:
    """As an earlier call left it that stopped before it gave slots back."""
    return launch.status is Status.CANCELLED or (launch.status is Status.FAILED and launch.attempt == 0)


def _launch_id(execution_input: str | None) -> str | None:
    """The launch an execution was about: the pipe gives `[{"launchId": ...}]`, a person perhaps only the object."""
    try:
        given = json.loads(execution_input or "null")
    except ValueError:
        return None
    request = given[0] if isinstance(given, list) and given else given
    launch_id = request.get("launchId") if isinstance(request, dict) else None
    return launch_id if isinstance(launch_id, str) and launch_id else None
