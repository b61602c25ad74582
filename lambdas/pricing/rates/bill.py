"""A launch's bill: everything that one of its attempts used, priced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from lambdas.pricing.rates.instances import instance_lines
from lambdas.pricing.rates.money import COMPUTE, Kind, Line, PriceBook, total
from lambdas.pricing.rates.services import fargate_lines, file_system_line
from lambdas.pricing.usage import FargateUse, FileSystemUse, InstanceUse, JobUse


@dataclass(frozen=True, slots=True)
class LaunchUsage:
    """What one attempt of a launch used."""

    launch_id: str
    attempt: int
    instances: Sequence[InstanceUse] = ()
    jobs: Mapping[str, Sequence[JobUse]] = field(default_factory=dict)
    """Instance id -> all jobs that ran there, other launches' and other attempts' too."""
    tasks: Sequence[FargateUse] = ()
    file_systems: Sequence[FileSystemUse] = ()
    other_lines: Sequence[Line] = ()
    """Lines with list prices of their own: restores."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and their sums, in USD."""

    lines: Sequence[Line]

    @property
    def total(self) -> Decimal:
        """Everything."""
        return total(self.lines)

    @property
    def instances(self) -> Decimal:
        """Compute: instances with their idle time, and Fargate."""
        return total(self.lines, COMPUTE)

    @property
    def volumes(self) -> Decimal:
        """EBS."""
        return total(self.lines, [Kind.VOLUME])

    @property
    def file_systems(self) -> Decimal:
        """FSx."""
        return total(self.lines, [Kind.FILE_SYSTEM])


def make_bill(usage: LaunchUsage, prices: PriceBook, now: datetime) -> Bill:
    """Price the attempt's usage. Resources that still run are billed up to `now`.

    Raises PriceError when a price is not known, because an incomplete bill would look like a cheap launch.
    """
    owner = owner_of(usage.launch_id, usage.attempt)
    lines: list[Line] = []
    for instance in usage.instances:
        lines += instance_lines(owner, instance, _by_attempt(usage.jobs.get(instance.id, ())), prices, now)
    for task in usage.tasks:
        lines += fargate_lines(task, prices, now)
    lines += [file_system_line(system, prices, now) for system in usage.file_systems]
    return Bill([*lines, *usage.other_lines])


def owner_of(launch_id: str, attempt: int) -> str:
    """The owner of a share of an instance: one attempt of a launch, because each attempt has its own bill."""
    return f"{launch_id}#{attempt}"


def _by_attempt(jobs: Iterable[JobUse]) -> list[JobUse]:
    return [replace(job, launch_id=owner_of(job.launch_id, job.attempt)) for job in jobs]
