"""Starts clean-up for launches that are over but left something: a safety net under the clean-up of every ending. Ends
jobs that no instance takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from contract.metrics import Metric
from contract.project import run_name
from lambdas.cleanup import leftovers
from lambdas.cleanup.overdue import Leftover, overdue_attempt
from lambdas.cleanup.overdue_notice import Overdue, notify
from lambdas.cleanup.stuck import stuck_jobs
from lambdas.shared import aws
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_stepfunctions.client import SFNClient


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Environment variables of the function."""

    stage: str
    launch_table: str
    cleanup_state_machine: str
    sweep_grace_minutes: str
    stuck_minutes: str
    placements: str
    cluster: str
    notification_topic: str


settings = settings_of(SweepSettings)


@function
def handler(_event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """Anything (a schedule) -> `{started: n}`."""
    now = datetime.now(UTC)
    try:
        started = sweep(now)
    finally:  # neither keeps the other from its turn
        given_up = give_up_stuck_jobs(now)
    metrics.add_metric(name="JobsGivenUp", unit=MetricUnit.Count, value=given_up)
    metrics.add_metric(name="SweepsStarted", unit=MetricUnit.Count, value=started)
    return {"started": started}


def give_up_stuck_jobs(now: datetime) -> int:
    """End the jobs that no instance takes, and say why of their launches; how many they were.

    What goes wrong with one keeps no other from its turn.
    """
    repository = LaunchRepository(settings().launch_table)
    waiting_since = now - timedelta(minutes=float(settings().stuck_minutes))
    given_up = 0
    for queues in read_places(settings().placements).queues_by_environment:
        for job in stuck_jobs(queues, settings().stage, waiting_since):
            try:
                repository.explain(job.owner.launch_id, job.owner.attempt, job.said_at(now))
                job.end()
            except Exception as error:  # whatever it is, it is about this job
                _noted(error, job.owner.launch_id)
                continue
            given_up += 1
            logger.warning("A job was given up", extra={"launchId": job.owner.launch_id, "job": job.name})
    return given_up


def sweep(now: datetime) -> int:
    """Start clean-up where it is overdue and tell of it; how many were started.

    A second sweep in the same hour starts none again, and tells of none again. One launch that cannot be looked at,
    or whose clean-up cannot be started, keeps no other one from it: the sweep fails when it is through.

    Raises:
        ExceptionGroup: of what went wrong with single launches.
    """
    overdue, faults = find_overdue(now)
    # Also when it is none: the alarm asks whether every sweep found some.
    count = sum(len(each.leftovers) for each in overdue)
    metrics.add_metric(name=Metric.LEFTOVERS_OVERDUE, unit=MetricUnit.Count, value=count)
    started = []
    for each in overdue:
        try:
            if _start_cleanup(each.launch_id, each.ended_attempt, now):
                started.append(each)
        except Exception as error:  # whatever it is, it is about this launch
            faults.append(_noted(error, each.launch_id))
    if started:
        notify(started, topic_arn=settings().notification_topic, stage=settings().stage)
    if faults:
        raise ExceptionGroup("Some launches were not swept", faults)
    return len(started)


def find_overdue(now: datetime) -> tuple[list[Overdue], list[Exception]]:
    """Launches that are over for longer than the grace and left something, and what kept others from being judged."""
    repository = LaunchRepository(settings().launch_table)
    over_before = now - timedelta(minutes=float(settings().sweep_grace_minutes))
    queues = read_places(settings().placements).queues
    found, faults = [], []
    for launch_id, existing in _existing(queues).items():
        try:
            launch = repository.get_salvaged(launch_id)
            ended_attempt = overdue_attempt(launch, existing, over_before)
        except Exception as error:  # such as an item that somebody edited by hand
            faults.append(_noted(error, launch_id))
            continue
        if ended_attempt:
            left = [leftover for leftover in existing if leftover.attempt <= ended_attempt]
            found.append(Overdue(launch_id, launch, ended_attempt, left))
    return found, faults


def _existing(queues: Sequence[str]) -> Mapping[str, Sequence[Leftover]]:
    return leftovers.by_launch(settings().stage, queues, settings().cluster)


def _noted(error: Exception, launch_id: str) -> Exception:
    logger.exception("A launch was not swept", extra={"launchId": launch_id})
    return error


def _start_cleanup(launch_id: str, ended_attempt: int, now: datetime) -> bool:
    """False if a sweep of this hour started it already. The name fits Step Functions' 80 characters."""
    client: SFNClient = aws.client("stepfunctions")
    try:
        client.start_execution(
            stateMachineArn=settings().cleanup_state_machine,
            name=f"{run_name(launch_id, ended_attempt)}-{now:%y%m%d%H}",
            # With the time no two inputs are the same: under its name and its own input, Step Functions would answer
            # with the running execution as if it had been started just now.
            input=json.dumps({"launchId": launch_id, "endedAttempt": ended_attempt, "askedAt": now.isoformat()}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return False
    logger.warning("Something was left behind", extra={"launchId": launch_id, "endedAttempt": ended_attempt})
    return True
