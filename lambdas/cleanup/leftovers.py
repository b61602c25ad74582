"""Collects all existing resources of the stage's launches, running or over."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lambdas.cleanup import launch_resources, launchers, tibanna_jobs
from lambdas.cleanup.overdue import Leftover

# List prices of us-east-1, for an idea of what a leftover costs: other regions differ by up to half.
_FSX_USD_PER_GIB_HOUR: Final = 0.14 / 730
"""0.14 USD a GB-month, scratch on SSD (aws.amazon.com/fsx/lustre/pricing); PERSISTENT_2 at 125 MB/s/TiB is 0.145."""
_EC2_USD_PER_VCPU_HOUR: Final = 0.05
"""On-Demand, a general-purpose instance (m5.large: 0.096 USD for two); Spot is often a third of it."""
_FARGATE_USD_PER_VCPU_HOUR: Final = 0.04
_FARGATE_USD_PER_GIB_HOUR: Final = 0.0044
"""Linux on x86-64 (aws.amazon.com/fargate/pricing)."""


def by_launch(stage: str, queues: Sequence[str], cluster: str) -> Mapping[str, Sequence[Leftover]]:
    """Launch id -> what exists of it."""
    launches: dict[str, list[Leftover]] = {}
    for owner, leftover in _all(stage, queues, cluster):
        launches.setdefault(owner.launch_id, []).append(leftover)
    return launches


def _all(stage: str, queues: Sequence[str], cluster: str) -> Iterator[tuple[launch_resources.Owner, Leftover]]:
    for system in launch_resources.file_systems(stage):
        what = f"file system {system.id}, {system.capacity_gib} GiB"
        usd = system.capacity_gib * _FSX_USD_PER_GIB_HOUR
        yield system.owner, Leftover(system.owner.attempt, system.created_at, what, usd)
    for link, owner in launch_resources.linked(stage):
        what = f"data repository association {link['AssociationId']} of {link['FileSystemId']}"
        yield owner, Leftover(owner.attempt, link["CreationTime"], what)
    for job in launch_resources.jobs(queues, stage):
        what = f"job {job.name} ({job.id}), {job.running_vcpus} vCPUs running"
        yield job.owner, Leftover(job.owner.attempt, job.created_at, what, job.running_vcpus * _EC2_USD_PER_VCPU_HOUR)
    for task in launchers.tasks(cluster):
        what = f"launcher's task {task.arn.rpartition('/')[2]}, {task.vcpus:g} vCPU"
        usd = task.vcpus * _FARGATE_USD_PER_VCPU_HOUR + task.memory_gib * _FARGATE_USD_PER_GIB_HOUR
        yield task.owner, Leftover(task.owner.attempt, task.created_at, what, usd)
    for instance in tibanna_jobs.instances(stage):
        what = f"Tibanna's instance {instance.id}, {instance.type}, of the job {instance.job_id}"
        yield (
            instance.owner,
            Leftover(instance.owner.attempt, instance.launched_at, what, instance.vcpus * _EC2_USD_PER_VCPU_HOUR),
        )
    for arn, owner in launch_resources.job_definitions(stage):
        yield owner, Leftover(owner.attempt, None, f"job definition {arn.rpartition('/')[2]}")
    for role in launch_resources.roles(stage):
        yield role.owner, Leftover(role.owner.attempt, role.created_at, f"role {role.name}")
    for profile in launch_resources.instance_profiles(stage):
        yield profile.owner, Leftover(profile.owner.attempt, profile.created_at, f"instance profile {profile.name}")
    for template in launch_resources.launch_templates(stage):
        yield template.owner, Leftover(template.owner.attempt, template.created_at, f"launch template {template.id}")
