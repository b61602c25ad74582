"""Finds the resources of launches in this stage by tags and names, so that clean-up keeps no state."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genolaunch.contract.project import PROJECT, TAG_ATTEMPT, TAG_LAUNCH_ID, TAG_PROJECT, TAG_STAGE, run_name
from genolaunch.contract.roles import launch_roles_path
from genolaunch.shared import aws
from lambdas.shared import batch_jobs

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobDefinitionTypeDef, JobDetailTypeDef
    from types_boto3_fsx.client import FSxClient
    from types_boto3_fsx.type_defs import DataRepositoryAssociationTypeDef, DataRepositoryTaskTypeDef, TagTypeDef
    from types_boto3_stepfunctions.client import SFNClient

FINAL_JOB_STATUSES = frozenset({"SUCCEEDED", "FAILED"})


@dataclass(frozen=True, slots=True)
class Owner:
    """The attempt of a launch that made a resource, by the resource's tags."""

    launch_id: str
    attempt: int
    """0 if the tag is missing or not a number: older than every attempt, so that the attempt counts as over."""

    @classmethod
    def of(cls, tags: Mapping[str, str], stage: str) -> "Owner | None":
        """Return the owner by a resource's tags; None if the resource belongs to no launch of this stage."""
        if tags.get(TAG_PROJECT) != PROJECT or tags.get(TAG_STAGE) != stage or not tags.get(TAG_LAUNCH_ID):
            return None
        attempt = tags.get(TAG_ATTEMPT, "")
        return cls(tags[TAG_LAUNCH_ID], int(attempt) if attempt.isdecimal() else 0)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A launch's file system whose deletion is not requested yet."""

    id: str
    lifecycle: str
    owner: Owner
    created_at: datetime
    capacity_gib: int
    deployment_type: str = "SCRATCH_2"
    throughput: int | None = None
    """MB/s per TiB, of a persistent file system."""


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """An EC2 launch template that was made for one launch. The stage's own launch template names no launch."""

    id: str
    owner: Owner
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Role:
    """A role, or an instance profile, that was made for an attempt of a launch."""

    name: str
    owner: Owner
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """A job, or an array of them, that has not ended."""

    id: str
    name: str
    owner: Owner
    created_at: datetime
    running_vcpus: int
    """For an array, of all its children."""


def file_systems(stage: str) -> Iterator[FileSystem]:
    """Find the file systems of all launches of the stage. One whose deletion is requested counts as gone."""
    for page in _fsx().get_paginator("describe_file_systems").paginate():
        for found in page["FileSystems"]:
            owner = Owner.of(_pairs(found.get("Tags", [])), stage)
            if owner and found["Lifecycle"] != "DELETING":
                yield FileSystem(
                    found["FileSystemId"],
                    found["Lifecycle"],
                    owner,
                    found["CreationTime"],
                    found["StorageCapacity"],
                    found.get("LustreConfiguration", {}).get("DeploymentType", "SCRATCH_2"),
                    found.get("LustreConfiguration", {}).get("PerUnitStorageThroughput"),
                )


def associations(file_system_id: str) -> "Sequence[DataRepositoryAssociationTypeDef]":
    """Return a file system's data repository associations; none if the file system is gone meanwhile."""
    return [
        found
        for page in _pages(_fsx().describe_data_repository_associations, file_system_id)
        for found in page["Associations"]
    ]


def repository_tasks(file_system_id: str) -> "Sequence[DataRepositoryTaskTypeDef]":
    """Return a file system's data repository tasks, including ended ones; none if the file system is gone meanwhile."""
    return [
        found
        for page in _pages(_fsx().describe_data_repository_tasks, file_system_id)
        for found in page["DataRepositoryTasks"]
    ]


def _pages(describe: Callable[..., Any], file_system_id: str | None = None) -> Iterator[Any]:
    """Pages of what belongs to a file system, or to all; boto3 has no paginators for these two calls."""
    filters = {"Filters": [{"Name": "file-system-id", "Values": [file_system_id]}]} if file_system_id else {}
    token: dict[str, str] = {}
    while True:
        try:
            page = describe(**filters, **token)
        except _fsx().exceptions.FileSystemNotFound:
            return
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def users_jobs(queues: Sequence[str], stage: str, launch_id: str, ended_attempt: int) -> list[str]:
    """Return the ids of jobs that launchers of the attempts 1 ... `ended_attempt` submitted and that have not ended.

    They are found by their tags, which IAM enforces. Their names are chosen by their launchers.
    """
    return [
        job.id for job in jobs(queues, stage) if job.owner.launch_id == launch_id and job.owner.attempt <= ended_attempt
    ]


def unfinished_jobs(queues: Sequence[str], launch_id: str, ended_attempt: int) -> list[str]:
    """Return the ids of jobs, and arrays, of the attempts 1 ... `ended_attempt` that have not ended, by their names."""
    return [
        job["jobId"]
        for job in batch_jobs.jobs_named(queues, f"{launch_id}-")
        if job.get("status") not in FINAL_JOB_STATUSES
        and 0 < (batch_jobs.attempt_of(job["jobName"], launch_id) or 0) <= ended_attempt
    ]


def launch_job_definitions(launch_id: str, ended_attempt: int) -> list[str]:
    """Return the ARNs of the attempts' ACTIVE job definitions. AWS keeps deregistered ones for 180 days."""
    pages = batch_jobs.client().get_paginator("describe_job_definitions")
    return [
        definition["jobDefinitionArn"]
        for attempt in range(1, ended_attempt + 1)
        for page in pages.paginate(jobDefinitionName=run_name(launch_id, attempt), status="ACTIVE")
        for definition in page["jobDefinitions"]
    ]


def job_definitions(stage: str) -> Iterator[tuple[str, Owner]]:
    """Find the ACTIVE job definitions of all launches of the stage: ARN and owner."""
    for page in batch_jobs.client().get_paginator("describe_job_definitions").paginate(status="ACTIVE"):
        for definition in page["jobDefinitions"]:
            owner = Owner.of(_tags(definition), stage)
            if owner:
                yield definition["jobDefinitionArn"], owner


def linked(stage: str) -> Iterator[tuple["DataRepositoryAssociationTypeDef", Owner]]:
    """Find the data repository associations of all launches of the stage that are not being deleted."""
    for page in _pages(_fsx().describe_data_repository_associations):
        for association in page["Associations"]:
            owner = Owner.of(_pairs(association.get("Tags", [])), stage)
            if owner and association["Lifecycle"] != "DELETING":
                yield association, owner


def launch_templates(stage: str) -> Iterator[LaunchTemplate]:
    """Find the launch templates of all launches of the stage."""
    filters = [
        {"Name": f"tag:{TAG_PROJECT}", "Values": [PROJECT]},
        {"Name": f"tag:{TAG_STAGE}", "Values": [stage]},
        {"Name": "tag-key", "Values": [TAG_LAUNCH_ID]},
    ]
    for page in aws.client("ec2").get_paginator("describe_launch_templates").paginate(Filters=filters):
        for found in page["LaunchTemplates"]:
            owner = Owner.of(_pairs(found.get("Tags", [])), stage)
            if owner:
                yield LaunchTemplate(found["LaunchTemplateId"], owner, found["CreateTime"])


def roles(stage: str, launch_id: str | None = None) -> Iterator[Role]:
    """Find the roles of all launches of the stage, or of one launch. Their path names the launch."""
    pages = _iam().get_paginator("list_roles").paginate(PathPrefix=launch_roles_path(stage, launch_id))
    for page in pages:
        for found in page["Roles"]:
            owner = owner_by_path(found["Path"], stage)
            if owner:
                yield Role(found["RoleName"], owner, found["CreateDate"])


def instance_profiles(stage: str, launch_id: str | None = None) -> Iterator[Role]:
    """Find the instance profiles of all launches of the stage, or of one launch."""
    pages = _iam().get_paginator("list_instance_profiles").paginate(PathPrefix=launch_roles_path(stage, launch_id))
    for page in pages:
        for found in page["InstanceProfiles"]:
            owner = owner_by_path(found["Path"], stage)
            if owner:
                yield Role(found["InstanceProfileName"], owner, found["CreateDate"])


def in_its_way(role: Role) -> dict[str, Any]:
    """Return a role with the policies to detach and the profiles to leave, which IAM requires before its deletion."""
    attached = [
        policy["PolicyArn"]
        for page in _iam().get_paginator("list_attached_role_policies").paginate(RoleName=role.name)
        for policy in page["AttachedPolicies"]
    ]
    profiles = _iam().list_instance_profiles_for_role(RoleName=role.name)["InstanceProfiles"]
    return {
        "name": role.name,
        "policies": [{"role": role.name, "policy": arn} for arn in attached],
        "isInProfile": bool(profiles),
    }


def owner_by_path(path: str, stage: str) -> Owner | None:
    """Return the owner that a path `<path of the stage's launches>/<launchId>/<attempt>/` names."""
    start = launch_roles_path(stage)
    launch_id, _, attempt = path.removeprefix(start).strip("/").partition("/") if path.startswith(start) else ("",) * 3
    return Owner(launch_id, int(attempt)) if launch_id and attempt.isdecimal() else None


def jobs(queues: Iterable[str], stage: str) -> Iterator[Job]:
    """Find the jobs, and arrays, of all launches of the stage that have not ended."""
    for detail in batch_jobs.describe(batch_jobs.unfinished(queues)):
        owner = Owner.of(detail.get("tags", {}), stage)
        if owner:
            created_at = datetime.fromtimestamp(detail["createdAt"] / 1000, UTC)
            yield Job(detail["jobId"], detail["jobName"], owner, created_at, _running_vcpus(detail))


def _running_vcpus(job: "JobDetailTypeDef") -> int:
    array = job.get("arrayProperties")
    running = array.get("statusSummary", {}).get("RUNNING", 0) if array else int(job["status"] == "RUNNING")
    needs = job.get("container", {}).get("resourceRequirements", [])
    # On EC2 the number of vCPUs is whole: only Fargate has quarters (AWS Batch API reference, ResourceRequirement).
    return running * sum(int(float(need["value"])) for need in needs if need["type"] == "VCPU")


def running_executions(state_machine_arn: str, launch_id: str, ended_attempt: int) -> list[str]:
    """Return the ARNs of the attempts' running executions of the workflow's state machine. Their names are fixed."""
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


def running_phases(state_machine_arn: str, launch_id: str, ended_attempt: int) -> list[str]:
    """Return the ARNs of the attempts' running executions of **jobs**: `<run name>-<phase>`, one at a time each."""
    pages = _step_functions().get_paginator("list_executions")
    return [
        execution["executionArn"]
        for page in pages.paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
        for execution in page["executions"]
        if 0 < (batch_jobs.attempt_of(execution["name"], launch_id) or 0) <= ended_attempt
    ]


def _pairs(tags: "Iterable[TagTypeDef]") -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tags(definition: "JobDefinitionTypeDef") -> Mapping[str, str]:
    return definition.get("tags", {})


def _iam() -> Any:  # noqa: ANN401 - a boto3 client, of whose types only some are locked
    return aws.client("iam")


def _fsx() -> "FSxClient":
    client: FSxClient = aws.client("fsx")
    return client


def _step_functions() -> "SFNClient":
    client: SFNClient = aws.client("stepfunctions")
    return client
