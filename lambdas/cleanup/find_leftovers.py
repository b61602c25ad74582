"""Asks what the ended attempts of a launch left behind, and what to do with it next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from contract import (
    END_PHASE,
    RESULTS_PREFIX,
    USAGE_FILE_SYSTEM_PREFIX,
    ComputeService,
    Status,
    UsageField,
    Workflow,
)
from lambdas.cleanup import inventory, launchers, tibanna_jobs
from lambdas.cleanup.file_system_action import Action, FileSystemState, next_action
from lambdas.shared import aws
from lambdas.shared.attributes import to_item
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.placements import read_places
from lambdas.shared.public_errors import private_errors
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
    snakemake_state_machine: str
    cluster: str
    results_bucket: str
    tibanna_state_machine: str
    tibanna_log_bucket: str
    slurm_state_machine: str = ""
    """Empty where the stage has no cluster."""


@cache
def settings() -> LeftoverSettings:
    """Read once in the life of the process."""
    return read_settings(LeftoverSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@private_errors
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{launchId, endedAttempt}` -> what is left of each kind, and `left`, how much (docs/architecture.md)."""
    found = find_leftovers(event["launchId"], int(event["endedAttempt"]))
    metrics.add_metric(name="LeftoversFound", unit=MetricUnit.Count, value=found["left"])
    logger.info("Leftovers", extra={"launchId": event["launchId"], "found": found})
    return found


def find_leftovers(launch_id: str, ended_attempt: int) -> dict[str, Any]:
    """What is left of the attempts 1 ... `ended_attempt`; nothing but reading, so it may be asked at any time."""
    queues = read_places(settings().placements).queues
    launch = LaunchRepository(settings().launch_table).get_salvaged(launch_id)
    executions = [
        *inventory.running_executions(settings().regenie_state_machine, launch_id, ended_attempt),
        *inventory.running_phases(settings().jobs_state_machine, launch_id, ended_attempt),
        *inventory.running_executions(settings().snakemake_state_machine, launch_id, ended_attempt),
        *_running_on_cluster(launch_id, ended_attempt),
    ]
    tasks = launchers.unfinished_tasks(settings().cluster, launch_id, ended_attempt)
    instances: list[str] = []
    # A launcher ends its own jobs, given time.
    if not tasks and (launch is None or launch.workflow == Workflow.SNAKEMAKE):
        of_tibanna = _left_at_tibanna(launch_id, ended_attempt)
        executions += of_tibanna.executions
        instances += of_tibanna.instances
    jobs = inventory.unfinished_jobs(queues, launch_id, ended_attempt)
    is_in_use = bool(executions or jobs)
    found: dict[str, list[Any]] = {
        "executions": executions,
        "tasks": tasks,
        "jobs": jobs,
        "instances": instances,
        "fileSystems": [
            _plan(file_system, launch, is_in_use=is_in_use)
            for file_system in inventory.file_systems(settings().stage)
            if file_system.owner.launch_id == launch_id and file_system.owner.attempt <= ended_attempt
        ],
        "jobDefinitions": inventory.launch_job_definitions(launch_id, ended_attempt),
        "launchTemplates": [
            template.id
            for template in inventory.launch_templates(settings().stage)
            if template.owner.launch_id == launch_id and template.owner.attempt <= ended_attempt
        ],
    }
    return {**found, "left": sum(map(len, found.values())), **_cluster_run(launch, ended_attempt)}


def _running_on_cluster(launch_id: str, ended_attempt: int) -> list[str]:
    machine = settings().slurm_state_machine
    return inventory.running_phases(machine, launch_id, ended_attempt) if machine else []


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
        # Whatever a retry can use; a newer attempt has begun only when this one's was taken.
        "keepWork": launch.status != Status.COMPLETE,
    }
    return {"clusterMachine": machine, "clusterRun": request}


@dataclass(frozen=True, slots=True)
class _AtTibanna:
    executions: list[str]
    instances: list[str]


def _left_at_tibanna(launch_id: str, ended_attempt: int) -> _AtTibanna:
    jobs = {job.id: job for job in tibanna_jobs.submitted(settings().results_bucket, launch_id, ended_attempt)}
    alive = tibanna_jobs.instances()
    # A launcher that was killed did not list the job that it had just submitted.
    unlisted = [instance for instance in alive if instance.job_id not in jobs]
    for owner, job, _ in tibanna_jobs.owned(settings().tibanna_log_bucket, unlisted):
        if owner.launch_id == launch_id and owner.attempt <= ended_attempt:
            jobs[job.id] = job
    return _AtTibanna(
        tibanna_jobs.running_executions(settings().tibanna_state_machine, jobs.values()) if jobs else [],
        [instance.id for instance in alive if instance.job_id in jobs],
    )


def _plan(file_system: inventory.FileSystem, launch: Launch | None, *, is_in_use: bool) -> Mapping[str, object]:
    state = FileSystemState(
        file_system,
        associations=inventory.associations(file_system.id),
        tasks=inventory.repository_tasks(file_system.id),
        is_in_use=is_in_use,
    )
    action = next_action(state, launch, datetime.now(UTC))
    return {
        "fileSystemId": file_system.id,
        "action": action.value,
        "associationIds": [association["AssociationId"] for association in state.associations],
        **({"usage": _usage(file_system)} if action is Action.DELETE else {}),
    }


def _usage(file_system: inventory.FileSystem) -> dict[str, Any]:
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
