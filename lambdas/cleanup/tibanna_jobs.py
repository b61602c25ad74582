"""What a Snakemake launch's jobs left at Tibanna: executions of the unicorn, and EC2 instances.

Their names and ids are in the list that the launcher keeps in S3 as it submits them (docs/architecture.md).
"""

from typing import TYPE_CHECKING, Final

from lambdas.shared import aws
from lambdas.shared.submitted_jobs import SubmittedJob, submitted_jobs

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

_ALIVE: Final = ["pending", "running", "stopping", "stopped"]


def submitted(results_bucket: str, launch_id: str, ended_attempt: int) -> list[SubmittedJob]:
    """Every job that the attempts 1 ... `ended_attempt` submitted."""
    return [
        job for attempt in range(1, ended_attempt + 1) for job in submitted_jobs(results_bucket, launch_id, attempt)
    ]


def running_executions(state_machine_arn: str, jobs: list[SubmittedJob]) -> list[str]:
    """ARNs of the jobs' executions that still run: the running ones are asked for, not each job's."""
    names = {job.name for job in jobs}
    client: SFNClient = aws.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
    return [found["executionArn"] for page in pages for found in page["executions"] if found["name"] in names]


def instances(jobs: list[SubmittedJob]) -> list[str]:
    """Ids of the jobs' instances that are not gone."""
    names = {f"awsem-{job.id}" for job in jobs}
    filters = [{"Name": "tag:Type", "Values": ["awsem"]}, {"Name": "instance-state-name", "Values": _ALIVE}]
    return [
        instance["InstanceId"]
        for page in aws.client("ec2").get_paginator("describe_instances").paginate(Filters=filters)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if any(tag["Key"] == "Name" and tag["Value"] in names for tag in instance.get("Tags", []))
    ]
