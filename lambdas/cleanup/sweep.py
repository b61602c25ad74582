"""Starts clean-up for launches that are over but left something: a safety net under the clean-up of every ending."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from contract import run_name
from lambdas.cleanup import inventory
from lambdas.cleanup.overdue import Leftover, overdue_attempt
from lambdas.shared import aws
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.settings import read_settings

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


@cache
def settings() -> SweepSettings:
    """Read once in the life of the process."""
    return read_settings(SweepSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Anything (a schedule) -> `{started: n}`."""
    started = sweep(datetime.now(UTC))
    metrics.add_metric(name="SweepsStarted", unit=MetricUnit.Count, value=started)
    return {"started": started}


def sweep(now: datetime) -> int:
    """Start clean-up where it is overdue; how many were started. A second sweep in the same hour starts none again."""
    repository = LaunchRepository(settings().launch_table)
    grace = timedelta(minutes=float(settings().sweep_grace_minutes))
    started = 0
    for launch_id, leftovers in _by_launch(_leftovers()).items():
        ended_attempt = overdue_attempt(repository.get(launch_id), leftovers, now - grace)
        if ended_attempt:
            started += _start_cleanup(launch_id, ended_attempt, now)
    return started


def _leftovers() -> Iterable[tuple[str, Leftover]]:
    for file_system in inventory.file_systems(settings().stage):
        yield file_system.owner.launch_id, Leftover(file_system.owner.attempt, file_system.created_at)
    for owner in inventory.job_definition_owners(settings().stage):
        yield owner.launch_id, Leftover(owner.attempt, created_at=None)


def _by_launch(leftovers: Iterable[tuple[str, Leftover]]) -> Mapping[str, list[Leftover]]:
    launches: dict[str, list[Leftover]] = {}
    for launch_id, leftover in leftovers:
        launches.setdefault(launch_id, []).append(leftover)
    return launches


def _start_cleanup(launch_id: str, ended_attempt: int, now: datetime) -> bool:
    """False if a sweep of this hour started it already. The name fits Step Functions' 80 characters."""
    client: SFNClient = aws.client("stepfunctions")
    try:
        client.start_execution(
            stateMachineArn=settings().cleanup_state_machine,
            name=f"{run_name(launch_id, ended_attempt)}-{now:%y%m%d%H}",
            input=json.dumps({"launchId": launch_id, "endedAttempt": ended_attempt}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return False
    logger.warning("Something was left behind", extra={"launchId": launch_id, "endedAttempt": ended_attempt})
    return True
