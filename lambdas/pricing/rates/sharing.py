"""Divides an instance's time between launches.

While jobs run, they pay for the whole instance. Each job has the share f / F, where f is the larger of its fractions of
the instance's vCPUs and of its memory, and F is the sum of f over all running jobs. So jobs pay for unused capacity in
proportion to their requests, as AWS's split cost allocation data assigns an instance's unused cost to its tasks; if the
larger fractions add up to more than the instance, they are scaled down to it. The shares of all launches always add up
to the whole instance.

While no job runs, the instance is idle. Before its first job, the first job pays, since the instance was started for
it; later, the job that ended last pays, since the instance was kept for it. So a launch's part does not depend on the
future: it is final as soon as each of its instances has stopped, or runs a job of another launch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lambdas.pricing.usage import InstanceUse, JobUse

_WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an instance's life, and one launch's share of it."""

    start: datetime
    end: datetime
    share: Decimal
    """0 to 1."""
    is_idle: bool


def fraction(job: JobUse, instance: InstanceUse) -> Decimal:
    """Return the larger of the job's fractions of vCPUs and memory, at most 1. Unknown memory does not count."""
    of_memory = job.memory_mib / instance.memory_mib if instance.memory_mib else Decimal(0)
    return min(max(job.vcpus / instance.vcpus, of_memory), _WHOLE)


def spans_of(launch_id: str, instance: InstanceUse, jobs: Sequence[JobUse], end: datetime) -> list[Span]:
    """Return the launch's parts of the instance's life up to `end`, in order of time.

    `jobs` are all jobs that ran on the instance. A job without a stop runs until `end`.
    """
    if instance.is_exclusive:
        return [Span(instance.launched_at, end, _WHOLE, is_idle=False)]
    placed = [_Placed.of(job, instance, end) for job in jobs if job.started_at is not None]
    return [span for span in _sweep(launch_id, instance, placed, end) if span.share]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A job in the instance's life."""

    launch_id: str
    start: datetime
    end: datetime
    weight: Decimal

    @classmethod
    def of(cls, job: JobUse, instance: InstanceUse, end: datetime) -> "_Placed":
        assert job.started_at is not None
        start = min(max(job.started_at, instance.launched_at), end)
        return cls(job.launch_id, start, min(max(job.stopped_at or end, start), end), fraction(job, instance))


def _sweep(launch_id: str, instance: InstanceUse, jobs: Sequence[_Placed], end: datetime) -> Iterator[Span]:
    changes = sorted(_changes(jobs))
    everybody, ours, running = Decimal(0), Decimal(0), 0
    idle_share = _share_of_first(launch_id, jobs)
    at = instance.launched_at
    ended_all, ended_ours, ended_at = Decimal(0), Decimal(0), at
    for moment, is_start, weight, owner in changes:
        if moment > at:
            yield Span(at, moment, ours / everybody if running else idle_share, is_idle=not running)
            at = moment
        sign = 1 if is_start else -1
        running += sign
        everybody += sign * weight
        ours += sign * weight if owner == launch_id else Decimal(0)
        if not running:  # sums and differences leave no rounding error behind
            everybody = ours = Decimal(0)
        if not is_start:
            if moment != ended_at:
                ended_all, ended_ours, ended_at = Decimal(0), Decimal(0), moment
            ended_all += weight
            ended_ours += weight if owner == launch_id else Decimal(0)
            idle_share = ended_ours / ended_all
    if end > at:
        yield Span(at, end, idle_share, is_idle=True)


def _changes(jobs: Iterable[_Placed]) -> Iterator[tuple[datetime, bool, Decimal, str]]:
    """Return starts and ends: moment, whether it is a start, weight, launch. Ends sort before starts of a moment."""
    for job in jobs:
        if job.end > job.start:
            yield job.start, True, job.weight, job.launch_id
            yield job.end, False, job.weight, job.launch_id


def _share_of_first(launch_id: str, jobs: Sequence[_Placed]) -> Decimal:
    """Return the launch's share of the jobs that began first, by weight."""
    real = [job for job in jobs if job.end > job.start]
    if not real:
        # Only jobs that ended in the moment in which they began: they share the instance equally.
        return _part(jobs, launch_id)
    first = min(job.start for job in real)
    return _part([job for job in real if job.start == first], launch_id)


def _part(jobs: Sequence[_Placed], launch_id: str) -> Decimal:
    everybody = sum((job.weight for job in jobs), Decimal(0))
    return (
        sum((job.weight for job in jobs if job.launch_id == launch_id), Decimal(0)) / everybody if jobs else everybody
    )
