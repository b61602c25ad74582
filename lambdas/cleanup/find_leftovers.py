"""Asks what the ended attempts of a launch left behind, and what to do with it next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.cleanup import inventory
from lambdas.cleanup.file_system_action import FileSystemState, next_action
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.placements import all_queues, read_placements
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class LeftoverSettings:
    """Environment variables of the function."""

    stage: str
    launch_table: str
    placements: str
    regenie_state_machine: str
    jobs_state_machine: str


@cache
def settings() -> LeftoverSettings:
    """Read once in the life of the process."""
    return read_settings(LeftoverSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{launchId, endedAttempt}` -> `{executions, jobs, fileSystems, jobDefinitions, launchTemplates, left}`."""
    found = find_leftovers(event["launchId"], int(event["endedAttempt"]))
    metrics.add_metric(name="LeftoversFound", unit=MetricUnit.Count, value=found["left"])
    logger.info("Leftovers", extra={"launchId": event["launchId"], "found": found})
    return found


def find_leftovers(launch_id: str, ended_attempt: int) -> dict[str, Any]:
    """What is left of the attempts 1 ... `ended_attempt`; nothing but reading, so it may be asked at any time."""
    queues = all_queues(read_placements(settings().placements))
    executions = [
        *inventory.running_executions(settings().regenie_state_machine, launch_id, ended_attempt),
        *inventory.running_phases(settings().jobs_state_machine, launch_id, ended_attempt),
    ]
    jobs = inventory.unfinished_jobs(queues, launch_id, ended_attempt)
    launch = LaunchRepository(settings().launch_table).get(launch_id)
    is_in_use = bool(executions or jobs)
    file_systems = [
        _plan(file_system, launch, is_in_use=is_in_use)
        for file_system in inventory.file_systems(settings().stage)
        if file_system.owner.launch_id == launch_id and file_system.owner.attempt <= ended_attempt
    ]
    job_definitions = inventory.launch_job_definitions(launch_id, ended_attempt)
    launch_templates = [
        template.id
        for template in inventory.launch_templates(settings().stage)
        if template.owner.launch_id == launch_id and template.owner.attempt <= ended_attempt
    ]
    return {
        "executions": executions,
        "jobs": jobs,
        "fileSystems": file_systems,
        "jobDefinitions": job_definitions,
        "launchTemplates": launch_templates,
        "left": len(executions) + len(jobs) + len(file_systems) + len(job_definitions) + len(launch_templates),
    }


def _plan(file_system: inventory.FileSystem, launch: Launch | None, *, is_in_use: bool) -> Mapping[str, object]:
    state = FileSystemState(
        file_system,
        associations=inventory.associations(file_system.id),
        tasks=inventory.repository_tasks(file_system.id),
        is_in_use=is_in_use,
    )
    return {
        "fileSystemId": file_system.id,
        "action": next_action(state, launch, datetime.now(UTC)).value,
        "associationIds": [association["AssociationId"] for association in state.associations],
    }
