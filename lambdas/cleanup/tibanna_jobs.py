"""Finds what a Snakemake launch's jobs left at Tibanna: executions of its state machine, and EC2 instances.

Executions are recognised by their names, which begin with the run name, and instances by the instance profile that
Tibanna's state machine gave them. IAM and the state machine enforce both (stacks/launch_rights.py,
lambdas/tibanna/launch_task.py). A launcher's own list of its jobs is not used, because its user's program can write it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.project import run_name
from genolaunch.contract.tibanna import tibanna_jobs_start
from genolaunch.shared import aws
from lambdas.cleanup.launch_resources import Owner, owner_by_path

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

_ALIVE: Final = ["pending", "running", "stopping", "stopped"]
_NAME_PREFIX: Final = "awsem-"
"""Of an instance, before its job's id (Tibanna's)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An existing instance of this stage's Tibanna. Instances of other stages have the same tags, but other
    profiles."""

    id: str
    job_id: str
    owner: Owner
    """The owner, by the path of its instance profile, which is the path of the attempt's roles."""
    type: str
    vcpus: int
    launched_at: datetime


def running_executions(state_machine_arn: str, launch_id: str, ended_attempt: int) -> list[str]:
    """ARNs of the running executions of the attempts' jobs, from the list of all running executions."""
    starts = tuple(tibanna_jobs_start(run_name(launch_id, attempt)) for attempt in range(1, ended_attempt + 1))
    client: SFNClient = aws.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
    return [found["executionArn"] for page in pages for found in page["executions"] if found["name"].startswith(starts)]


def instances(stage: str) -> Iterator[Instance]:
    """All of the stage's launches that are not gone."""
    filters = [{"Name": "tag:Type", "Values": ["awsem"]}, {"Name": "instance-state-name", "Values": _ALIVE}]
    for page in aws.client("ec2").get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            for found in reservation["Instances"]:
                profile = found.get("IamInstanceProfile", {}).get("Arn", "").partition(":instance-profile")[2]
                owner = owner_by_path(profile.rpartition("/")[0], stage)
                if owner is not None:
                    yield _instance(found, owner)


def _instance(found: Mapping[str, Any], owner: Owner) -> Instance:
    name = next((tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == "Name"), "")
    cores = found.get("CpuOptions", {})
    return Instance(
        id=found["InstanceId"],
        job_id=name.removeprefix(_NAME_PREFIX),
        owner=owner,
        type=found["InstanceType"],
        vcpus=cores.get("CoreCount", 1) * cores.get("ThreadsPerCore", 1),
        launched_at=found["LaunchTime"],
    )
