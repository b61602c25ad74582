"""What a Snakemake launch's jobs left at Tibanna: executions of the unicorn, and EC2 instances.

Executions are told by their names, which begin with the run's, and instances by the profile that the unicorn gave them:
IAM and the unicorn see to both (stacks/launch_rights.py, lambdas/tibanna/launch_task.py). What a launcher writes of its
jobs is its user's word, and ends nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from contract.project import run_name
from contract.tibanna import tibanna_jobs_start
from lambdas.cleanup.inventory import Owner, owner_by_path
from lambdas.shared import aws

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

_ALIVE: Final = ["pending", "running", "stopping", "stopped"]
_NAME_PREFIX: Final = "awsem-"
"""Of an instance, before its job's id (Tibanna's)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of this stage's unicorn that is not gone. Those of others have the same tags, and other profiles."""

    id: str
    job_id: str
    owner: Owner
    """By the path of its instance profile, which is that of the attempt's roles."""
    type: str
    vcpus: int
    launched_at: datetime


def running_executions(state_machine_arn: str, launch_id: str, ended_attempt: int) -> list[str]:
    """ARNs of the executions of the attempts' jobs that still run: the running ones are asked for, not each job's."""
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
