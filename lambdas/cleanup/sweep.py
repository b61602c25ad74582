"""Starts clean-up for launches that are over but left resources behind, and ends jobs that no instance takes.

It is a safety net: every end of a launch starts clean-up by itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.metrics import Metric
from genolaunch.contract.project import run_name
from genolaunch.shared import aws
from lambdas.cleanup import leftovers
from lambdas.cleanup.overdue import Leftover, overdue_attempt
from lambdas.cleanup.overdue_notice import Overdue, notify
from lambdas.cleanup.stuck import stuck_jobs
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
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
    """End the jobs that no instance takes, and record why with their launches.

    Returns:
        How many jobs were ended.

    Raises:
        RuntimeError: after the round, if a job could not be ended. An error of one job does not stop the others.
    """
    one_by_one = OneByOne("A job that no instance takes was not ended")
    repository = LaunchRepository(settings().launch_table)
    waiting_since = now - timedelta(minutes=float(settings().stuck_minutes))
    given_up = 0
    for queues in read_places(settings().placements).queues_by_environment:
        for job in stuck_jobs(queues, settings().stage, waiting_since):
            with one_by_one.launch(job.owner.launch_id):
                repository.explain(job.owner.launch_id, job.owner.attempt, job.said_at(now))
                job.end()
                given_up += 1
                logger.warning("A job was given up", extra={"launchId": job.owner.launch_id, "job": job.name})
    one_by_one.raise_if_any()
    return given_up


def sweep(now: datetime) -> int:
    """Start clean-up where it is overdue, and send one notice of it.

    A second sweep in the same hour starts no clean-up again, and sends no notice again.

    Returns:
        How many clean-ups were started.

    Raises:
        RuntimeError: after the round, if a launch could not be looked at, or its clean-up could not be started. An
            error of one launch does not stop the others.
    """
    one_by_one = OneByOne("A launch was not swept")
    overdue = find_overdue(now, one_by_one)
    # Also when it is none: the alarm asks whether every sweep found some.
    count = sum(len(each.leftovers) for each in overdue)
    metrics.add_metric(name=Metric.LEFTOVERS_OVERDUE, unit=MetricUnit.Count, value=count)
    started = []
    for each in overdue:
        with one_by_one.launch(each.launch_id):
            if _start_cleanup(each.launch_id, each.ended_attempt, now):
                started.append(each)
    if started:
        notify(started, topic_arn=settings().notification_topic, stage=settings().stage)
    one_by_one.raise_if_any()
    return len(started)


def find_overdue(now: datetime, one_by_one: OneByOne) -> list[Overdue]:
    """Find launches that left resources behind and ended before the grace period."""
    repository = LaunchRepository(settings().launch_table)
    over_before = now - timedelta(minutes=float(settings().sweep_grace_minutes))
    queues = read_places(settings().placements).queues
    found = []
    for launch_id, existing in _existing(queues).items():
        with one_by_one.launch(launch_id):
            launch = repository.get_salvaged(launch_id)
            ended_attempt = overdue_attempt(launch, existing, over_before)
            if ended_attempt:
                left = [leftover for leftover in existing if leftover.attempt <= ended_attempt]
                found.append(Overdue(launch_id, launch, ended_attempt, left))
    return found


def _existing(queues: Sequence[str]) -> Mapping[str, Sequence[Leftover]]:
    return leftovers.by_launch(settings().stage, queues, settings().cluster)


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
