"""Repairs lost work from the launch table: starts launches that the pipe lost, and corrects the queue.

The pipe gives a record up after an hour, and its dead letters contain only pointers into the stream. So this function
searches the launch table for launches whose start or cancel was requested but not done.
`lambdas/cleanup/lost_endings.py` finds executions whose end was lost.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.events import GRACE_MINUTES
from genolaunch.contract.launch import FINAL_STATUSES, PIPE_STATUSES, STARTING_STATUSES, LaunchField, Status
from genolaunch.contract.metrics import Metric
from genolaunch.contract.project import run_name
from genolaunch.shared import aws
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.settings import settings_of
from lambdas.workflow_manager.launch_queue import LaunchQueue, user_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_stepfunctions.client import SFNClient


_OPEN_STATUSES: Final = tuple(status for status in Status if status not in FINAL_STATUSES)
"""Statuses of launches that are not over. Few launches have them, so all their items can be read."""


@dataclass(frozen=True, slots=True)
class LostRequestSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str
    launch_state_machine: str
    launches_at_once: str
    sweep_grace_minutes: str


settings = settings_of(LostRequestSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """A schedule's event, or `{graceMinutes}` -> `{started: n}`."""
    grace = float(event.get(GRACE_MINUTES, settings().sweep_grace_minutes))
    starts = OneByOne("A request was not started")
    started = start_lost_requests(datetime.now(UTC), timedelta(minutes=grace), starts)
    metrics.add_metric(name=Metric.LOST_REQUESTS, unit=MetricUnit.Count, value=started)
    queue = _queue()
    mends = OneByOne("A launch's slot, or its place in the queue, was not looked at")
    mend_queue(queue, mends)
    measure(queue, datetime.now(UTC))
    for each in (starts, mends):
        each.raise_if_any()
    return {"started": started}


def start_lost_requests(now: datetime, grace: timedelta, one_by_one: OneByOne) -> int:
    """Start an execution of **launch** for each request older than `grace`.

    An additional execution does no harm, since only one execution wins a claim or a cancellation. A launch whose item
    cannot be read is started as well: its claim rejects it, and says what to correct.

    Returns:
        The number of executions that were started.
    """
    repository = LaunchRepository(settings().launch_table)
    started = 0
    for status in PIPE_STATUSES:
        for launch in repository.with_status(status):
            if datetime.fromisoformat(launch.updated_at or launch.submitted_at) <= now - grace:
                with one_by_one.launch(launch.launch_id):
                    started += _start(launch.launch_id, _run(launch), status, now)
        for sick in repository.sick_with_status(status):
            with one_by_one.launch(sick.launch_id):
                started += _start(sick.launch_id, f"{sick.launch_id}-sick", status, now)
    return started


def mend_queue(queue: LaunchQueue, one_by_one: OneByOne) -> None:
    """Correct the ledger of slots, and the places in the queue, by the launch table."""
    repository = queue.repository
    for status in _OPEN_STATUSES:
        for sick in repository.sick_with_status(status):
            with one_by_one.launch(sick.launch_id):
                repository.mend_status(sick.launch_id)
    slots = queue.slots()
    for run in slots.running:
        launch_id, _, attempt = run.rpartition("-")
        with one_by_one.launch(launch_id):
            repository.mend_status(launch_id)  # with one that is final, or none, no schedule would find it
            if not _may_hold_slot(repository.get_salvaged(launch_id), int(attempt)):
                logger.warning("A slot was not given back", extra={"run": run})
                queue.give_back(launch_id, int(attempt))
    for listed in repository.with_status(Status.RUNNING):
        with one_by_one.launch(listed.launch_id):
            launch = repository.get(listed.launch_id)  # the index is a moment behind
            if launch and launch.status is Status.RUNNING and _run(launch) not in slots.running:
                queue.hold_slot(launch)
    for listed in repository.with_status(Status.QUEUED):
        with one_by_one.launch(listed.launch_id):
            launch = repository.get(listed.launch_id)
            if launch is None or launch.status is not Status.QUEUED:
                continue
            if not queue.has_place(launch) or user_of(launch) not in slots.waiting:
                queue.restore_place(launch)
    queue.start_next()


def measure(queue: LaunchQueue, now: datetime) -> None:
    """Measure the queue's length, how long its oldest launch has waited, and how many slots are taken."""
    waiting = list(queue.repository.with_status(Status.QUEUED))
    since = [datetime.fromisoformat(launch.updated_at or launch.submitted_at) for launch in waiting]
    longest = max(((now - moment).total_seconds() for moment in since), default=0)
    metrics.add_metric(name=Metric.LAUNCHES_WAITING, unit=MetricUnit.Count, value=len(waiting))
    metrics.add_metric(name=Metric.LONGEST_WAIT, unit=MetricUnit.Seconds, value=longest)
    metrics.add_metric(name=Metric.SLOTS_TAKEN, unit=MetricUnit.Count, value=len(queue.slots().running))


def _may_hold_slot(launch: Launch | None, attempt: int) -> bool:
    """Return whether the attempt runs, or is the next one of a launch that is about to start."""
    if launch is None:
        return False
    if attempt == launch.attempt:
        return launch.status in (Status.RUNNING, Status.CANCEL_REQUESTED)
    is_next = attempt == launch.attempt + 1
    return is_next and launch.status in (*STARTING_STATUSES, Status.QUEUED, Status.CANCEL_REQUESTED)


def _start(launch_id: str, run: str, status: Status, now: datetime) -> int:
    """Start an execution as the pipe does. Its name fits into Step Functions' 80 characters.

    Returns:
        1, or 0 if an earlier round of this hour started it.
    """
    client: SFNClient = aws.client("stepfunctions")
    request = {LaunchField.LAUNCH_ID: launch_id, LaunchField.STATUS: status.value}
    try:
        client.start_execution(
            stateMachineArn=settings().launch_state_machine,
            name=f"{run}-{status.lower()[:6]}-{now:%d%H}",
            input=json.dumps([request]),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return 0
    logger.warning("A request was lost", extra=request)
    return 1


def _run(launch: Launch) -> str:
    return run_name(launch.launch_id, launch.attempt)


def _queue() -> LaunchQueue:
    repository = LaunchRepository(settings().launch_table, settings().task_table)
    return LaunchQueue(repository, int(settings().launches_at_once))
