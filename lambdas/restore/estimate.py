"""What a restore costs and how long it takes, said before it is asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from genolaunch.contract.restore import RetrievalTier
from lambdas.restore.archive import Archive
from lambdas.shared.restore_fees import COPY_GIB_MONTH, GIB, copy_gib_months, fee

_FLEXIBLE_HOURS: Final = {
    RetrievalTier.EXPEDITED: (1 / 60, 5 / 60),
    RetrievalTier.STANDARD: (3.0, 5.0),
    RetrievalTier.BULK: (5.0, 12.0),
}
_DEEP_HOURS: Final = {RetrievalTier.STANDARD: (0.0, 12.0), RetrievalTier.BULK: (0.0, 48.0)}
"""Hours from the request to the last object, usually (Amazon S3 API reference, RestoreObject); 0: "within"."""


_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Amount:
    """Some objects."""

    objects: int = 0
    bytes: int = 0

    def plus(self, objects: int, size: int) -> "Amount":
        """With more of them."""
        return Amount(self.objects + objects, self.bytes + size)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one restore."""

    usd: Decimal
    hours: tuple[float, float]
    """From, to; from 0 means "within"."""


def choose_tier(asked: RetrievalTier | None, archives: Iterable[Archive], mixed: RetrievalTier) -> RetrievalTier:
    """One tier for a launch: the one that its config asks for; else Bulk, which is free, if all is Flexible Retrieval.

    `mixed` is the stage's choice for anything else.
    """
    if asked is not None:
        return asked
    return RetrievalTier.BULK if set(archives) == {Archive.FLEXIBLE} else mixed


def tier_of(archive: Archive, chosen: RetrievalTier) -> RetrievalTier:
    """The tier that an object is asked for with: the deep archives have no Expedited."""
    return RetrievalTier.STANDARD if archive.is_deep and chosen is RetrievalTier.EXPEDITED else chosen


def hours_of(archives: Iterable[Archive], chosen: RetrievalTier) -> tuple[float, float]:
    """When the last object of these archives is there, usually."""
    ranges = [(_DEEP_HOURS if archive.is_deep else _FLEXIBLE_HOURS)[tier_of(archive, chosen)] for archive in archives]
    return max(ranges, key=lambda hours: hours[1])


def estimate(
    retrieved: Mapping[Archive, Amount], waited_for: Iterable[Archive], chosen: RetrievalTier, days: int
) -> Estimate:
    """Price of what is `retrieved`, and time until that and what somebody else asked for (`waited_for`) is there."""
    usd = sum((_price(archive, amount, chosen, days) for archive, amount in retrieved.items()), Decimal(0))
    return Estimate(usd.quantize(_CENT, ROUND_HALF_UP), hours_of({*retrieved, *waited_for}, chosen))


def _price(archive: Archive, amount: Amount, chosen: RetrievalTier, days: int) -> Decimal:
    price = fee(archive, tier_of(archive, chosen))
    copy = Decimal(0) if archive.is_tiered else copy_gib_months(amount.bytes, days) * COPY_GIB_MONTH
    return amount.bytes / GIB * price.gib + amount.objects * price.request + copy
