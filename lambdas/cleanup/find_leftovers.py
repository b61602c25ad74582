"""Finds what the ended attempts of a launch left behind, and the next action for each resource."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launch import Status
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.usage import USAGE_FILE_SYSTEM_PREFIX, UsageField
from genolaunch.contract.workflow import END_PHASE
from genolaunch.launch_configs.workflows import workflow_type
from genolaunch.shared import aws
from lambdas.cleanup import launch_resources, launchers, tibanna_jobs
from lambdas.cleanup.file_system_action import Action, FileSystemState, next_action
from lambdas.shared.attributes import to_item
from lambdas.shared.clock import timestamp
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.placements import Places, read_places
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class LeftoverSettings:
    """Environment variables of the function."""

    stage: str
    launch_table: str
    placements: str
    workflow_state_machines: str
    jobs_state_machine: str
    cluster: str
    results_bucket: str
    tibanna_state_machine: str
    slurm_state_machine: str = ""
    """Empty where the stage has no cluster."""


settings = settings_of(LeftoverSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, endedAttempt}` -> what is left of each kind, and `left`, how much (docs/architecture.md)."""
    found = find_leftovers(event["launchId"], int(event["endedAttempt"]))
    metrics.add_metric(name="LeftoversFound", unit=MetricUnit.Count, value=found["left"])
    logger.info("Leftovers", extra={"launchId": event["launchId"], "found": found})
    return found


def find_leftovers(launch_id: str, ended_attempt: int) -> dict[str, Any]:
    """What is left of the attempts 1 ... `ended_attempt`; nothing but reading, so it may be asked at any time."""
    places = read_places(settings().placements)
    launch = LaunchRepository(settings().launch_table).get_salvaged(launch_id)
    executions = [
        *_running_workflows(launch_id, ended_attempt),
        *launch_resources.running_phases(settings().jobs_state_machine, launch_id, ended_attempt),
        *_running_on_cluster(launch_id, ended_attempt),
    ]
    tasks = launchers.unfinished_tasks(settings().cluster, launch_id, ended_attempt)
    has_launcher = launch is None or workflow_type(launch.workflow).runs_users_programs
    instances: list[str] = []
    if not tasks and has_launcher:  # a launcher ends its own jobs, given time
        machine = settings().tibanna_state_machine
        executions += tibanna_jobs.running_executions(machine, launch_id, ended_attempt)
        instances += _instances(launch_id, ended_attempt)
    named = launch_resources.unfinished_jobs(places.queues, launch_id, ended_attempt)
    jobs = list(dict.fromkeys([*named, *(_users_jobs(places, launch_id, ended_attempt) if has_launcher else ())]))
    is_in_use = bool(executions or jobs)
    found: dict[str, list[Any]] = {
        "executions": executions,
        "tasks": tasks,
        "jobs": jobs,
        "instances": instances,
        "fileSystems": [
            _plan(file_system, launch, is_in_use=is_in_use)
            for file_system in launch_resources.file_systems(settings().stage)
            if file_system.owner.launch_id == launch_id and file_system.owner.attempt <= ended_attempt
        ],
        "jobDefinitions": launch_resources.launch_job_definitions(launch_id, ended_attempt),
        "launchTemplates": [
            template.id
            for template in launch_resources.launch_templates(settings().stage)
            if template.owner.launch_id == launch_id and template.owner.attempt <= ended_attempt
        ],
    }
    # Last: whoever still runs has them, and ends its jobs by them. A launch without a launcher has none.
    has_roles = has_launcher and not (is_in_use or tasks or instances)
    found["roles"] = [
        launch_resources.in_its_way(each)
        for each in _ended(launch_resources.roles, launch_id, ended_attempt, has_roles)
    ]
    found["instanceProfiles"] = [
        each.name for each in _ended(launch_resources.instance_profiles, launch_id, ended_attempt, has_roles)
    ]
    return {**found, "left": sum(map(len, found.values())), **_cluster_run(launch, ended_attempt)}


def _ended(
    made: Callable[[str, str], Iterator[launch_resources.Role]], launch_id: str, ended_attempt: int, is_time: bool
) -> list[launch_resources.Role]:
    found = made(settings().stage, launch_id) if is_time else iter(())
    return [each for each in found if each.owner.launch_id == launch_id and each.owner.attempt <= ended_attempt]


def _running_workflows(launch_id: str, ended_attempt: int) -> Iterator[str]:
    for machine in json.loads(settings().workflow_state_machines).values():
        yield from launch_resources.running_executions(machine, launch_id, ended_attempt)


def _running_on_cluster(launch_id: str, ended_attempt: int) -> list[str]:
    machine = settings().slurm_state_machine
    return launch_resources.running_phases(machine, launch_id, ended_attempt) if machine else []


def _cluster_run(launch: Launch | None, ended_attempt: int) -> dict[str, Any]:
    """`clusterMachine`, empty unless the launch ran on a cluster, and the request by which it ends the run there."""
    machine = settings().slurm_state_machine
    if not machine or launch is None or launch.compute_service != ComputeService.PARALLELCLUSTER:
        return {"clusterMachine": "", "clusterRun": {}}
    request = {
        "launchId": launch.launch_id,
        "attempt": ended_attempt,
        "phase": END_PHASE,
        "resultsUri": f"s3://{settings().results_bucket}/{RESULTS_PREFIX}{launch.launch_id}/",
        # Keep partial work unless COMPLETE. Safe: a newer attempt starts only after copying it.
        "keepWork": launch.status != Status.COMPLETE,
    }
    return {"clusterMachine": machine, "clusterRun": request}


def _instances(launch_id: str, ended_attempt: int) -> list[str]:
    return [
        each.id
        for each in tibanna_jobs.instances(settings().stage)
        if each.owner.launch_id == launch_id and each.owner.attempt <= ended_attempt
    ]


def _users_jobs(places: Places, launch_id: str, ended_attempt: int) -> list[str]:
    return launch_resources.users_jobs(sorted(places.snakemake.values()), settings().stage, launch_id, ended_attempt)


def _plan(file_system: launch_resources.FileSystem, launch: Launch | None, *, is_in_use: bool) -> Mapping[str, object]:
    state = FileSystemState(
        file_system,
        associations=launch_resources.associations(file_system.id),
        tasks=launch_resources.repository_tasks(file_system.id),
        is_in_use=is_in_use,
    )
    action = next_action(state, launch, datetime.now(UTC))
    return {
        "fileSystemId": file_system.id,
        "action": action.value,
        "associationIds": [association["AssociationId"] for association in state.associations],
        **({"usage": _usage(file_system)} if action is Action.DELETE else {}),
    }


def _usage(file_system: launch_resources.FileSystem) -> dict[str, Any]:
    """Its item of the usage table but for the time of its end: FSx tells nobody when a file system is gone."""
    return to_item(
        {
            UsageField.OWNER: file_system.owner.launch_id,
            UsageField.USAGE_ID: USAGE_FILE_SYSTEM_PREFIX + file_system.id,
            UsageField.ATTEMPT: file_system.owner.attempt,
            UsageField.REGION: aws.client("fsx").meta.region_name,
            UsageField.TYPE: file_system.deployment_type,
            UsageField.THROUGHPUT: file_system.throughput,
            UsageField.CAPACITY_GIB: file_system.capacity_gib,
            UsageField.STARTED_AT: timestamp(file_system.created_at),
        }
    )
