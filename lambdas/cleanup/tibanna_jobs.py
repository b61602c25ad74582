"""What a Snakemake launch's jobs left at Tibanna: executions of the unicorn, and EC2 instances.

Their names and ids are in the list that the launcher keeps in S3 as it submits them, and each job's are in the run.json
that Tibanna wrote for its instance: also when the list, or the launch itself, is gone (docs/architecture.md).
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from contract import TIBANNA_RUN_NAME
from lambdas.cleanup.inventory import Owner
from lambdas.shared import aws
from lambdas.shared.submitted_jobs import SubmittedJob, submitted_jobs

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_stepfunctions.client import SFNClient

_ALIVE: Final = ["pending", "running", "stopping", "stopped"]
_NAME_PREFIX: Final = "awsem-"
"""Of an instance, before its job's id (Tibanna's)."""
_READS_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a unicorn's that is not gone. It may be another stage's: their tags are the same."""

    id: str
    job_id: str
    type: str
    vcpus: int
    launched_at: datetime


def submitted(results_bucket: str, launch_id: str, ended_attempt: int) -> list[SubmittedJob]:
    """Every job that the attempts 1 ... `ended_attempt` submitted, as far as their launchers came to list them."""
    return [
        job for attempt in range(1, ended_attempt + 1) for job in submitted_jobs(results_bucket, launch_id, attempt)
    ]


def running_executions(state_machine_arn: str, jobs: Collection[SubmittedJob]) -> list[str]:
    """ARNs of the jobs' executions that still run: the running ones are asked for, not each job's."""
    names = {job.name for job in jobs}
    client: SFNClient = aws.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
    return [found["executionArn"] for page in pages for found in page["executions"] if found["name"] in names]


def instances() -> list[Instance]:
    """All that are not gone."""
    filters = [{"Name": "tag:Type", "Values": ["awsem"]}, {"Name": "instance-state-name", "Values": _ALIVE}]
    return [
        _instance(found)
        for page in aws.client("ec2").get_paginator("describe_instances").paginate(Filters=filters)
        for reservation in page["Reservations"]
        for found in reservation["Instances"]
    ]


def owned(log_bucket: str, some: Sequence[Instance]) -> Iterator[tuple[Owner, SubmittedJob, Instance]]:
    """Which launch's they are, for those of this stage's launches: one small object is read for each."""
    with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
        configs = pool.map(lambda instance: _config(log_bucket, instance.job_id), some)
        for instance, config in zip(some, configs, strict=True):
            launch_id, _, attempt = str(config.get(TIBANNA_RUN_NAME, "")).rpartition("-")
            if launch_id and attempt.isdecimal():
                job = SubmittedJob(instance.job_id, str(config.get("run_name", "")), is_done=False)
                yield Owner(launch_id, int(attempt)), job, instance


def _config(log_bucket: str, job_id: str) -> Mapping[str, Any]:
    """What its launcher asked of Tibanna; empty for what no launcher of this stage started."""
    client: S3Client = aws.client("s3")
    try:
        body = client.get_object(Bucket=log_bucket, Key=f"{job_id}.run.json")["Body"].read()
    except client.exceptions.NoSuchKey:
        return {}
    config: Mapping[str, Any] = json.loads(body).get("config", {})
    return config


def _instance(found: Mapping[str, Any]) -> Instance:
    name = next((tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == "Name"), "")
    cores = found.get("CpuOptions", {})
    return Instance(
        id=found["InstanceId"],
        job_id=name.removeprefix(_NAME_PREFIX),
        type=found["InstanceType"],
        vcpus=cores.get("CoreCount", 1) * cores.get("ThreadsPerCore", 1),
        launched_at=found["LaunchTime"],
    )
