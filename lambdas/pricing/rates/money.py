"""Unit prices, and the lines of a bill."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from genolaunch.shared.public_errors import OpenError

CURRENCY: Final = "USD"
"""What the Price List API quotes outside China."""

CENT_FRACTION: Final = Decimal("0.000001")
"""Amounts are rounded to this, line by line: a bill's sum is exactly that of the lines one sees."""

QUANTITY_FRACTION: Final = Decimal("0.000000001")

SECONDS_PER_HOUR: Final = Decimal(3600)

SECONDS_PER_MONTH: Final = Decimal(30 * 86_400)
"""The month of GB-months: AWS's own examples divide by 30 days (Amazon EBS pricing, Amazon FSx for Lustre pricing)."""


class Kind(StrEnum):
    """What a line is for."""

    INSTANCE = "instance"
    IDLE = "idle instance"
    VOLUME = "volume"
    FILE_SYSTEM = "file system"
    FARGATE = "fargate"
    RESTORE = "restore"


COMPUTE: Final = frozenset({Kind.INSTANCE, Kind.IDLE, Kind.FARGATE})
"""What `instanceCost` adds up."""


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What one unit costs."""

    amount: Decimal
    unit: str
    source: str
    """Where it was read: `AWS Price List (SKU …)`, `EC2 Spot price history`."""
    as_of: str
    """ISO time from which this price held."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill."""

    kind: Kind
    resource: str
    description: str
    quantity: Decimal
    price: UnitPrice
    note: str = ""
    resources: int = 1
    """How many resources of the same price it stands for."""

    @property
    def amount(self) -> Decimal:
        """USD."""
        return (self.quantity * self.price.amount).quantize(CENT_FRACTION)


class PriceBook(Protocol):
    """Where unit prices come from. Each may raise PriceError."""

    def on_demand(self, instance_type: str, region: str) -> UnitPrice:
        """Of an hour of a Linux instance with shared tenancy."""

    def spot(self, instance_type: str, zone: str, start: datetime, end: datetime) -> "Sequence[SpotPrice]":
        """The prices in force between two times, oldest first; the first one began at `start` or before."""

    def volume_storage(self, volume_type: str, region: str) -> UnitPrice:
        """Of a GB-month."""

    def volume_iops(self, volume_type: str, region: str) -> UnitPrice:
        """Of an IOPS-month above what is included."""

    def volume_throughput(self, volume_type: str, region: str) -> UnitPrice:
        """Of a MiB/s for a month above what is included."""

    def file_system(self, deployment_type: str, throughput: int | None, region: str) -> UnitPrice:
        """Of a GB-month of Lustre on SSD."""

    def fargate_vcpu(self, region: str, *, is_arm: bool) -> UnitPrice:
        """Of a vCPU-hour."""

    def fargate_memory(self, region: str, *, is_arm: bool) -> UnitPrice:
        """Of a GB-hour."""

    def fargate_storage(self, region: str) -> UnitPrice:
        """Of a GB-hour of ephemeral storage."""


@dataclass(frozen=True, slots=True)
class SpotPrice:
    """From `since` on, an hour costs so much."""

    since: datetime
    price: UnitPrice


class PriceError(OpenError):
    """A price cannot be told: why, in one sentence."""


def total(lines: Iterable[Line], kinds: Iterable[Kind] = tuple(Kind)) -> Decimal:
    """The lines of these kinds together."""
    wanted = frozenset(kinds)
    return sum((line.amount for line in lines if line.kind in wanted), Decimal(0)).quantize(CENT_FRACTION)


def merged(lines: Sequence[Line], most: int) -> list[Line]:
    """The lines, or those of equal kind, description and price as one each when there are more than `most`.

    A merged line's amount can differ from its lines' sum by the rounding of each, half a millionth of a USD at most.
    When that is still too many, since Spot prices change several times a day, the dearest stay and the others are one
    line of each kind.
    """
    if len(lines) <= most:
        return list(lines)
    found = _by_price(lines)
    return found if len(found) <= most else _dearest(found, most - len(Kind))


def _by_price(lines: Iterable[Line]) -> list[Line]:
    together: dict[tuple[Kind, str, UnitPrice, str], Line] = {}
    for line in lines:
        key = (line.kind, line.description, line.price, line.note)
        known = together.get(key)
        together[key] = (
            replace(known, quantity=known.quantity + line.quantity, resources=known.resources + line.resources)
            if known
            else line
        )
    return [
        replace(line, resource=f"{line.resources} resources") if line.resources > 1 else line
        for line in together.values()
    ]


def _dearest(lines: Sequence[Line], most: int) -> list[Line]:
    """The `most` dearest in their order, and the rest of each kind as its sum."""
    kept = set(sorted(range(len(lines)), key=lambda number: lines[number].amount, reverse=True)[:most])
    rest = [line for number, line in enumerate(lines) if number not in kept]
    by_kind = ([line for line in rest if line.kind is kind] for kind in Kind)
    return [lines[number] for number in sorted(kept)] + [_sum_of(some) for some in by_kind if some]


def _sum_of(lines: Sequence[Line]) -> Line:
    price = UnitPrice(total(lines), "sum", "the whole bill", max(line.price.as_of for line in lines))
    resources = sum(line.resources for line in lines)
    return Line(
        lines[0].kind, f"{resources} resources", f"{len(lines)} smaller lines", Decimal(1), price, resources=resources
    )
