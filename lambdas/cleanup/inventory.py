"""What exists of launches in this stage, found by tags and names: clean-up needs no memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contract import PROJECT, TAG_ATTEMPT, TAG_LAUNCH_ID, TAG_PROJECT, TAG_STAGE, run_name
from lambdas.shared import aws, batch_jobs

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobDefinitionTypeDef
    from types_boto3_fsx.client import FSxClient
    from types_boto3_fsx.type_defs import DataRepositoryAssociationTypeDef, DataRepositoryTaskTypeDef
    from types_boto3_stepfunctions.client import SFNClient

FINAL_JOB_STATUSES = frozenset({"SUCCEEDED", "FAILED"})


@dataclass(frozen=True, slots=True)
class Owner:
    """The attempt of a launch that made something, by its tags."""

    launch_id: str
    attempt: int
    """0 when the tag is missing or no number: older than any attempt, so that it counts as over."""

    @classmethod
    def of(cls, tags: Mapping[str, str], stage: str) -> "Owner | None":
        """None for what is not a launch's of this stage."""
        if tags.get(TAG_PROJECT) != PROJECT or tags.get(TAG_STAGE) != stage or not tags.get(TAG_LAUNCH_ID):
            return None
        attempt = tags.get(TAG_ATTEMPT, "")
        return cls(tags[TAG_LAUNCH_ID], int(attempt) if attempt.isdecimal() else 0)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A launch's file system that nobody has asked to delete yet."""

    id: str
    lifecycle: str
    owner: Owner
    created_at: datetime


def file_systems(stage: str) -> Iterator[FileSystem]:
    """Of all launches of the stage. Once its deletion is requested, a file system counts as gone."""
    for page in _fsx().get_paginator("describe_file_systems").paginate():
        for found in page["FileSystems"]:
            owner = Owner.of({tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}, stage)
            if owner and found["Lifecycle"] != "DELETING":
                yield FileSystem(found["FileSystemId"], found["Lifecycle"], owner, found["CreationTime"])


def associations(file_system_id: str) -> "Sequence[DataRepositoryAssociationTypeDef]":
    """Data repository associations of a file system; none if it is gone meanwhile."""
    return [
        found
        for page in _pages(_fsx().describe_data_repository_associations, file_system_id)
        for found in page["Associations"]
    ]


def repository_tasks(file_system_id: str) -> "Sequence[DataRepositoryTaskTypeDef]":
    """Data repository tasks of a file system, ended ones included; none if it is gone meanwhile."""
    return [
        found
        for page in _pages(_fsx().describe_data_repository_tasks, file_system_id)
        for found in page["DataRepositoryTasks"]
    ]


def _pages(describe: Callable[..., Any], file_system_id: str) -> Iterator[Any]:
    """Pages of what belongs to a file system; boto3 has no paginators for these two calls."""
    token: dict[str, str] = {}
    while True:
        try:
            page = describe(Filters=[{"Name": "file-system-id", "Values": [file_system_id]}], **token)
        except _fsx().exceptions.FileSystemNotFound:
            return
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def unfinished_jobs(queues: Sequence[str], launch_id: str, ended_attempt: int) -> list[str]:
    """Ids of the jobs, and arrays, of the attempts 1 ... `ended_attempt` that have not ended."""
    return [
        job["jobId"]
        for job in batch_jobs.jobs_named(queues, f"{launch_id}-")
        if job.get("status") not in FINAL_JOB_STATUSES
        and 0 < (batch_jobs.attempt_of(job["jobName"], launch_id) or 0) <= ended_attempt
    ]


def launch_job_definitions(launch_id: str, ended_attempt: int) -> list[str]:
    """ARNs of the attempts' ACTIVE job definitions; AWS keeps deregistered ones for 180 days."""
    pages = batch_jobs.client().get_paginator("describe_job_definitions")
    return [
        definition["jobDefinitionArn"]
        for attempt in range(1, ended_attempt + 1)
        for page in pages.paginate(jobDefinitionName=run_name(launch_id, attempt), status="ACTIVE")
        for definition in page["jobDefinitions"]
    ]


def job_definition_owners(stage: str) -> Iterator[Owner]:
    """Attempts, of any launch of the stage, that have an ACTIVE job definition."""
    for page in batch_jobs.client().get_paginator("describe_job_definitions").paginate(status="ACTIVE"):
        for definition in page["jobDefinitions"]:
            owner = Owner.of(_tags(definition), stage)
            if owner:
                yield owner


def running_executions(state_machine_arn: str, launch_id: str, ended_attempt: int) -> list[str]:
    """ARNs of the attempts' executions of the workflow's state machine that still run; their names are fixed."""
    client = _step_functions()
    prefix = state_machine_arn.replace(":stateMachine:", ":execution:")
    running = []
    for attempt in range(1, ended_attempt + 1):
        arn = f"{prefix}:{run_name(launch_id, attempt)}"
        try:
            if client.describe_execution(executionArn=arn)["status"] == "RUNNING":
                running.append(arn)
        except client.exceptions.ExecutionDoesNotExist:
            continue
    return running


def _tags(definition: "JobDefinitionTypeDef") -> Mapping[str, str]:
    return definition.get("tags", {})


def _fsx() -> "FSxClient":
    client: FSxClient = aws.client("fsx")
    return client


def _step_functions() -> "SFNClient":
    client: SFNClient = aws.client("stepfunctions")
    return client
