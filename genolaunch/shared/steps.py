"""The steps of a workflow as people name them, with their times, from a Step Functions execution history.

State names are `Step: detail`; the part before `: ` is the step. States without it belong to no step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

_SEPARATOR = ": "

_FAILURES = ("Failed", "TimedOut")
"""How the types of events end that tell of a failure (TaskFailed, LambdaFunctionTimedOut, TaskSubmitFailed, …)."""


class StepState(StrEnum):
    """How far a step is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


_FAILED_DETAIL = "failed"
"""A state `<step>: failed` stands for the failure of its step, though the state itself only passes on."""

_LEFT_OPEN_BY = {
    "ExecutionSucceeded": StepState.DONE,
    "ExecutionFailed": StepState.FAILED,
    "ExecutionTimedOut": StepState.FAILED,
    "ExecutionAborted": StepState.STOPPED,
}
"""End of the execution -> result of a step with a state that was entered and never left."""


@dataclass(frozen=True)
class Step:
    """A step, from the first entry of one of its states to the last exit (None while one of them is open)."""

    name: str
    state: StepState
    started_at: datetime
    ended_at: datetime | None

    def elapsed(self, now: datetime) -> timedelta:
        return (self.ended_at or now) - self.started_at


def read_steps(stepfunctions: "SFNClient", execution_arn: str) -> list[Step]:
    """The steps of an execution so far; none when it has not been started or its history is gone (90 days)."""
    try:
        pages = stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn, includeExecutionData=False
        )
        return steps_of([event for page in pages for event in page["events"]])
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return []


def steps_of(events: Sequence[Mapping[str, Any]]) -> list[Step]:
    """The steps told by the whole history so far, in the order in which they began."""
    visits_of: dict[str, list[_Visit]] = {}
    for visit in _visits(events):
        visits_of.setdefault(visit.step, []).append(visit)
    left_open, ended_at = _ending(events)
    return [_step(name, visits, left_open, ended_at) for name, visits in visits_of.items()]


@dataclass
class _Visit:
    """One passage through one state."""

    step: str
    state_name: str
    entered_at: datetime
    exited_at: datetime | None = None
    failed: bool = False


def _visits(events: Iterable[Mapping[str, Any]]) -> list[_Visit]:
    """The passages through states that belong to a step, in order of entry."""
    visits: list[_Visit] = []
    type_of: dict[int, str] = {}
    for event in events:
        type_of[event["id"]] = event["type"]
        if event["type"].endswith("StateEntered"):
            state_name = event["stateEnteredEventDetails"]["name"]
            step, separator, detail = state_name.partition(_SEPARATOR)
            if separator:
                visits.append(_Visit(step, state_name, event["timestamp"], failed=detail == _FAILED_DETAIL))
        elif event["type"].endswith("StateExited"):
            # A retried failure is followed by another TaskScheduled: only what directly precedes the exit was caught.
            # `previousEventId` is optional in the API; without it, nothing runs in parallel that could come between.
            failed = type_of.get(event.get("previousEventId", event["id"] - 1), "").endswith(_FAILURES)
            _leave(visits, event["stateExitedEventDetails"]["name"], event["timestamp"], failed=failed)
    return visits


def _leave(visits: list[_Visit], state_name: str, at: datetime, *, failed: bool) -> None:
    """Close the oldest open visit of a state: which of several, of a Map, makes no difference to the step's times."""
    for visit in visits:
        if visit.state_name == state_name and visit.exited_at is None:
            visit.exited_at = at
            visit.failed = visit.failed or failed
            return


def _ending(events: Sequence[Mapping[str, Any]]) -> tuple[StepState, datetime | None]:
    """What a step is whose states were left open, and when the execution ended (None while it runs)."""
    # The last event, not any: a redriven execution goes on after its ending.
    last = events[-1] if events else None
    if last is None or last["type"] not in _LEFT_OPEN_BY:
        return StepState.RUNNING, None
    return _LEFT_OPEN_BY[last["type"]], last["timestamp"]


def _step(name: str, visits: Sequence[_Visit], left_open: StepState, ended_at: datetime | None) -> Step:
    started_at = min(visit.entered_at for visit in visits)
    if any(visit.exited_at is None for visit in visits):
        return Step(name, left_open, started_at, ended_at)
    exits = [(visit.exited_at, visit.failed) for visit in visits if visit.exited_at is not None]
    last_exit, failed = max(exits)
    return Step(name, StepState.FAILED if failed else StepState.DONE, started_at, last_exit)
