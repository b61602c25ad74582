"""Types of usage that costs money. Times are aware datetimes; a stop of None has not happened yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

MICROSECONDS: Final = Decimal(1_000_000)


def seconds_between(start: datetime, end: datetime) -> Decimal:
    """Exact to the microsecond, and never a float."""
    span = end - start
    return Decimal(span.days * 86_400 + span.seconds) + span.microseconds / MICROSECONDS


@dataclass(frozen=True, slots=True)
class JobUse:
    """One attempt of a Batch job on an instance."""

    task: str
    """Id of its ECS task: no other attempt has it."""
    launch_id: str
    attempt: int
    """Of the launch, not of the job."""
    job_name: str
    job_id: str
    vcpus: Decimal
    memory_mib: Decimal
    started_at: datetime | None
    stopped_at: datetime | None
    container_instance: str | None = None
    """ARN of the ECS container instance."""
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """An EBS volume of an instance."""

    id: str
    type: str
    size_gib: int
    iops: int = 0
    throughput_mibps: int = 0


@dataclass(frozen=True, slots=True)
class InstanceUse:
    """An EC2 instance."""

    id: str
    type: str
    zone: str
    is_spot: bool
    vcpus: Decimal
    memory_mib: Decimal
    """What containers can share of it, as its ECS agent registered it."""
    launched_at: datetime
    stopped_at: datetime | None
    is_interrupted: bool = False
    """EC2 took the Spot instance back."""
    volumes: Sequence[Volume] = ()
    is_exclusive: bool = False
    """One attempt of a launch has it for itself (Tibanna's): what runs there is no Batch job."""

    @property
    def region(self) -> str:
        """The zone without its letter."""
        return self.zone[:-1]


@dataclass(frozen=True, slots=True)
class FargateUse:
    """A task on Fargate."""

    task: str
    name: str
    region: str
    is_arm: bool
    vcpus: Decimal
    memory_gib: Decimal
    storage_gib: int
    started_at: datetime
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class RestoreUse:
    """What S3 restored for an attempt from one archive at one tier."""

    attempt: int
    archive: str
    """S3's StorageClass or ArchiveStatus."""
    tier: str
    days: int
    """For which copies are kept."""
    requests: int
    retrieved_bytes: int
    copied_bytes: int
    """Of which copies are kept: those that were restored already, and are kept for longer, among them."""


@dataclass(frozen=True, slots=True)
class FileSystemUse:
    """A file system of FSx for Lustre."""

    id: str
    region: str
    deployment_type: str
    """SCRATCH_2 or PERSISTENT_2."""
    throughput_mbps_per_tib: int | None
    """Of a persistent one."""
    capacity_gib: int
    created_at: datetime
    deleted_at: datetime | None
