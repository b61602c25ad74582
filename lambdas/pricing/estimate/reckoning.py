"""Estimates the cost of a launch before it starts: from similar launches, or from first principles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from genolaunch.contract.compute import ComputeService
from lambdas.pricing.estimate.workload import Workload, first_principles
from lambdas.pricing.rates.money import CURRENCY, SECONDS_PER_MONTH, PriceBook, PriceError

_CENT: Final = Decimal("0.01")

_NEAREST: Final = 7
"""Launches of the most similar size: older ones of other sizes say little."""

_SPREAD_OF_HISTORY: Final = 1.0
"""Few launches say little of how launches alike differ: a range is at least as wide as the expectation times or divided
by 1 + this / (their number + 1). One: a factor of 1.5, seven: of 1.125."""

# --- First principles ------------------------------------------------------------------------------------------------
_VCPUS_AT_ONCE: Final = 64
_OVERHEAD_HOURS: Final = 0.5
"""Of the file system beside the jobs: it is made, exported and deleted, and instances start."""

_LEAST_VCPU_HOURS: Final = 1.0
_LUSTRE_GIB: Final = 1200
"""The least that FSx makes; it grows with the data."""

_MEASURE: Final = "m6i.large"
"""Of whose two vCPUs the price is taken."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost in USD, the range in which it will most likely be, and how that was told."""

    usd: Decimal
    low: Decimal
    high: Decimal
    basis: str

    def document(self, workload: Workload) -> dict[str, Any]:
        """As the launch's `estimate` has it (genolaunch.contract.launch.LaunchField.ESTIMATE)."""
        return {
            "usd": str(self.usd),
            "low": str(self.low),
            "high": str(self.high),
            "currency": CURRENCY,
            "basis": self.basis,
            "kind": workload.kind,
            "size": f"{workload.size:.9g}",
        }


@dataclass(frozen=True, slots=True)
class Past:
    """What a launch of the same kind came to, all its attempts together."""

    size: float
    usd: Decimal


def estimate(workload: Workload, past: Sequence[Past], prices: PriceBook, zone: str, now: datetime) -> Estimate:
    """From history where there is any. Raises PriceError when first principles lack a price."""
    return from_history(workload, past) if past else from_first_principles(workload, prices, zone, now)


def from_history(workload: Workload, past: Sequence[Past]) -> Estimate:
    """Each past launch bounds this one: between its own cost (all of it fixed) and that scaled by size (none of it).

    The expectation is the mean of their middles, the range that of all bounds, and never narrower than so few launches
    allow to say.
    """
    nearest = sorted(past, key=lambda each: _distance(each.size, workload.size))[:_NEAREST]
    bounds = [bound for each in nearest for bound in (each.usd, each.usd * _ratio(workload.size, each.size))]
    launches = f"{len(nearest)} launch{'es' if len(nearest) > 1 else ''} of {workload.kind}"
    usd = sum(bounds, Decimal(0)) / len(bounds)
    spread = Decimal(1 + _SPREAD_OF_HISTORY / (len(nearest) + 1))
    return _rounded(usd, min(*bounds, usd / spread), max(*bounds, usd * spread), f"history: {launches}")


def from_first_principles(workload: Workload, prices: PriceBook, zone: str, now: datetime) -> Estimate:
    """vCPU-hours of the work at today's price of an m6i.large's half, and a file system for as long as it takes."""
    if workload.kind.endswith(ComputeService.PARALLELCLUSTER):
        raise PriceError("The cost of jobs on the Slurm cluster is not known here.")
    principles = first_principles(workload.kind.partition("/")[0])
    hours = max(principles.vcpu_hours(workload), _LEAST_VCPU_HOURS)
    usd = Decimal(hours) * _vcpu_hour(workload.kind, prices, zone, now)
    if principles.has_file_system:
        seconds = Decimal((hours / _VCPUS_AT_ONCE + _OVERHEAD_HOURS) * 3600)
        gib = max(_LUSTRE_GIB, int(2 * workload.gigabytes))
        usd += gib * seconds / SECONDS_PER_MONTH * prices.file_system("SCRATCH_2", None, zone[:-1]).amount
    spread = principles.spread
    basis = f"first principles, as no launch of {workload.kind} has a price yet: within a factor of {spread}"
    return _rounded(usd, usd / spread, usd * spread, basis)


def _vcpu_hour(kind: str, prices: PriceBook, zone: str, now: datetime) -> Decimal:
    is_spot = kind.endswith((ComputeService.BATCH_SPOT, ComputeService.EC2_SPOT))
    if is_spot:
        return prices.spot(_MEASURE, zone, now - timedelta(hours=1), now)[-1].price.amount / 2
    return prices.on_demand(_MEASURE, zone[:-1]).amount / 2


def _ratio(size: float, other: float) -> Decimal:
    return Decimal(size / other) if other else Decimal(1)


def _distance(size: float, other: float) -> float:
    small, large = sorted((size, other))
    return large / small if small else float("inf")


def _rounded(usd: Decimal, low: Decimal, high: Decimal, basis: str) -> Estimate:
    """In cents; a range has room on both sides of what is expected."""
    expected, least, most = (max(each, _CENT).quantize(_CENT) for each in (usd, low, high))
    return Estimate(expected, min(least, expected - _CENT), max(most, expected + _CENT), basis)
