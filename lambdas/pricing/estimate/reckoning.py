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
"""Number of launches, those of the most similar size, on which an estimate is based: others say little."""

_SPREAD_OF_HISTORY: Final = 1.0
"""Few launches say little about how much similar launches differ. So a range is at least as wide as the expectation
divided and multiplied by 1 + this / (their number + 1): a factor of 1.5 for one launch, and of 1.125 for seven."""

# --- First principles ------------------------------------------------------------------------------------------------
_VCPUS_AT_ONCE: Final = 64
_OVERHEAD_HOURS: Final = 0.5
"""Hours for which the file system exists in addition to the jobs' time: it is made, exported and deleted, and
instances start."""

_LEAST_VCPU_HOURS: Final = 1.0
_LUSTRE_GIB: Final = 1200
"""The smallest file system that FSx makes; it grows with the data."""

_MEASURE: Final = "m6i.large"
"""The instance type from which the price of a vCPU is taken; it has two vCPUs."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost in USD, the range in which it will most likely be, and the basis of both."""

    usd: Decimal
    low: Decimal
    high: Decimal
    basis: str

    def document(self, workload: Workload) -> dict[str, Any]:
        """Return the launch's attribute `estimate` (genolaunch.contract.launch.LaunchField.ESTIMATE)."""
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
    """Size of a launch of the same kind, and its cost in USD, of all its attempts together."""

    size: float
    usd: Decimal


def estimate(workload: Workload, past: Sequence[Past], prices: PriceBook, zone: str, now: datetime) -> Estimate:
    """Estimate from history if there is any, and otherwise from first principles.

    Raises:
        PriceError: a price that first principles need is not known.
    """
    return from_history(workload, past) if past else from_first_principles(workload, prices, zone, now)


def from_history(workload: Workload, past: Sequence[Past]) -> Estimate:
    """Estimate from past launches of the same kind.

    Each past launch gives two bounds: its own cost (as if all of it were fixed), and its cost scaled by size (as if
    none of it were). The expectation is the mean of the launches' middles. The range contains all bounds, and is never
    narrower than so few launches justify.
    """
    nearest = sorted(past, key=lambda each: _distance(each.size, workload.size))[:_NEAREST]
    bounds = [bound for each in nearest for bound in (each.usd, each.usd * _ratio(workload.size, each.size))]
    launches = f"{len(nearest)} launch{'es' if len(nearest) > 1 else ''} of {workload.kind}"
    usd = sum(bounds, Decimal(0)) / len(bounds)
    spread = Decimal(1 + _SPREAD_OF_HISTORY / (len(nearest) + 1))
    return _rounded(usd, min(*bounds, usd / spread), max(*bounds, usd * spread), f"history: {launches}")


def from_first_principles(workload: Workload, prices: PriceBook, zone: str, now: datetime) -> Estimate:
    """Add the price of the work's vCPU-hours (half an m6i.large's, today) and of a file system for the same time."""
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
    """Round to cents, so that the range has room on both sides of the expectation."""
    expected, least, most = (max(each, _CENT).quantize(_CENT) for each in (usd, low, high))
    return Estimate(expected, min(least, expected - _CENT), max(most, expected + _CENT), basis)
