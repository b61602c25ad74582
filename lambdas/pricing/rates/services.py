"""Lines of a bill for what is no EC2 instance: Lustre file systems and Fargate tasks."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from lambdas.pricing.rates.money import SECONDS_PER_HOUR, SECONDS_PER_MONTH, Kind, Line, PriceBook, UnitPrice
from lambdas.pricing.usage import FargateUse, FileSystemUse, seconds_between

_LEAST_FARGATE_SECONDS: Final = Decimal(60)
"""By the second, from the start of the image's download to the task's end, a minute at least (AWS Fargate pricing)."""

FARGATE_INCLUDED_GIB: Final = 20
"""Ephemeral storage that every task has without extra charge (AWS Fargate pricing)."""


def file_system_line(system: FileSystemUse, prices: PriceBook, now: datetime) -> Line:
    """GB-months of a file system: its capacity, not its content, by the second (FSx for Lustre pricing)."""
    seconds = seconds_between(system.created_at, system.deleted_at or now)
    price = prices.file_system(system.deployment_type, system.throughput_mbps_per_tib, system.region)
    kind = system.deployment_type + (f", {system.throughput_mbps_per_tib} MB/s/TiB" if _is_persistent(system) else "")
    return Line(
        Kind.FILE_SYSTEM,
        system.id,
        f"Lustre {system.capacity_gib} GiB {kind} in {system.region}",
        system.capacity_gib * seconds / SECONDS_PER_MONTH,
        price,
    )


def fargate_lines(task: FargateUse, prices: PriceBook, now: datetime) -> Iterator[Line]:
    """vCPU-hours and GB-hours of a task, and of its storage above what is included."""
    seconds = max(seconds_between(task.started_at, task.stopped_at or now), _LEAST_FARGATE_SECONDS)
    hours = seconds / SECONDS_PER_HOUR
    vcpu = prices.fargate_vcpu(task.region, is_arm=task.is_arm)
    memory = prices.fargate_memory(task.region, is_arm=task.is_arm)
    yield Line(Kind.FARGATE, task.task, f"Fargate {task.name}: {task.vcpus} vCPU", task.vcpus * hours, vcpu)
    yield Line(Kind.FARGATE, task.task, f"Fargate {task.name}: {task.memory_gib} GB", task.memory_gib * hours, memory)
    extra = task.storage_gib - FARGATE_INCLUDED_GIB
    if extra > 0:
        storage = prices.fargate_storage(task.region)
        yield Line(Kind.FARGATE, task.task, f"Fargate {task.name}: {extra} GB of storage", extra * hours, storage)


def cluster_line(as_of: str) -> Line:
    """Jobs on a Slurm cluster: said, so that nobody takes the launch for a free one."""
    price = UnitPrice(Decimal(0), "launch", "not priced here", as_of)
    note = "the cluster is shared, and billed to those who run it"
    return Line(Kind.INSTANCE, "Slurm cluster", "Jobs on the Slurm cluster", Decimal(1), price, note)


def _is_persistent(system: FileSystemUse) -> bool:
    return system.throughput_mbps_per_tib is not None
