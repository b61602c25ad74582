"""Collects everything that an attempt used, and what other launches ran on the same instances."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from lambdas.pricing.rates.bill import LaunchUsage
from lambdas.pricing.rates.instances import GP3_INCLUDED_IOPS, GP3_INCLUDED_MIBPS
from lambdas.pricing.rates.money import PriceError
from lambdas.pricing.usage import InstanceUse, JobUse, Volume
from lambdas.pricing.usage_table import AttemptUsage, UsageTable

_AT_ONCE: Final = 10
"""Queries at once, as many as botocore's pool of connections has by default: a thousand instances in a few seconds."""


def read_usage(table: UsageTable, launch_id: str, attempt: int, job_volume_gib: int) -> LaunchUsage:
    """Read it. A job's instance whose volume nobody saw had the one of the stage's launch template, `job_volume_gib`.

    Raises PriceError when an attempt of a job ran nobody knows where: its part of an instance would be missing.
    """
    usage = table.attempt(launch_id, attempt)
    lost = [job.job_name for job in usage.jobs if job.instance_id is None]
    if lost:
        raise PriceError(f"Of {len(lost)} attempts of jobs ({lost[0]}, ...) the instance was not recorded in time.")
    ids = sorted({*(job.instance_id for job in usage.jobs if job.instance_id), *usage.exclusive})
    instances = table.instances(ids)
    if unknown := [id_ for id_ in ids if id_ not in instances]:
        raise PriceError(f"Of {len(unknown)} instances ({unknown[0]}, ...) the type was not recorded in time.")
    return LaunchUsage(
        launch_id,
        attempt,
        instances=[_with_volume(each, usage, job_volume_gib) for each in instances.values()],
        jobs=_neighbours(table, ids, usage),
        tasks=usage.tasks,
        file_systems=usage.file_systems,
    )


def _with_volume(instance: InstanceUse, usage: AttemptUsage, job_volume_gib: int) -> InstanceUse:
    """EC2 describes no volumes of a terminated instance, and a job's instance may be terminated before its event
    arrives."""
    if instance.id in usage.exclusive:
        if not instance.volumes:
            raise PriceError(f"Of instance {instance.id} the volume was not recorded in time.")
        return replace(instance, is_exclusive=True)
    usual = Volume(f"volume of {instance.id}", "gp3", job_volume_gib, GP3_INCLUDED_IOPS, GP3_INCLUDED_MIBPS)
    return instance if instance.volumes else replace(instance, volumes=(usual,))


def _neighbours(table: UsageTable, ids: Sequence[str], usage: AttemptUsage) -> dict[str, Sequence[JobUse]]:
    """All jobs on each instance. Ours are those of the table, since the index may be a moment behind."""
    ours = {job.task: job for job in usage.jobs}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(ids, pool.map(table.jobs_on, ids), strict=True))
    jobs: dict[str, Sequence[JobUse]] = {
        id_: [job for job in others if job.task not in ours] for id_, others in found.items()
    }
    for job in usage.jobs:
        assert job.instance_id is not None
        jobs[job.instance_id] = [*jobs[job.instance_id], job]
    return jobs
