"""S3's fees for restores: one dated table, for the estimate before a restore and for the bill after it.

The Price List API is no source for this: it spreads restores over three service codes, has several prices of one usage
type, and leaves out what a request for the deep archives costs (docs/decisions/040).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from genolaunch.contract.restore import RetrievalTier

RECORDED: Final = "2026-11-21"
REGION: Final = "us-east-1"
SOURCE: Final = f"S3 list prices of {REGION}, written down by hand (aws.amazon.com/s3/pricing)"

GIB: Final = Decimal(1 << 30)
"""Bytes of what S3 calls a GB (Amazon S3 pricing)."""

DAYS_A_MONTH: Final = 30

COPY_GIB_MONTH: Final = Decimal("0.023")
"""USD: a restored copy is kept in S3 Standard beside the archived object. Its first price; above 50 TB it is less."""


@dataclass(frozen=True, slots=True)
class Fee:
    """US dollars."""

    gib: Decimal
    request: Decimal


_FREE: Final = Fee(Decimal(0), Decimal(0))
_EXPEDITED: Final = Fee(Decimal("0.03"), Decimal("0.01"))

_FEES: Final[Mapping[str, Mapping[RetrievalTier, Fee]]] = {
    "GLACIER": {
        RetrievalTier.EXPEDITED: _EXPEDITED,
        RetrievalTier.STANDARD: Fee(Decimal("0.01"), Decimal("0.00005")),
        RetrievalTier.BULK: _FREE,
    },
    "DEEP_ARCHIVE": {
        RetrievalTier.STANDARD: Fee(Decimal("0.02"), Decimal("0.0001")),
        RetrievalTier.BULK: Fee(Decimal("0.0025"), Decimal("0.000025")),
    },
    # Intelligent-Tiering's
    "ARCHIVE_ACCESS": {
        RetrievalTier.EXPEDITED: _EXPEDITED,
        RetrievalTier.STANDARD: _FREE,
        RetrievalTier.BULK: _FREE,
    },
    "DEEP_ARCHIVE_ACCESS": {RetrievalTier.STANDARD: _FREE, RetrievalTier.BULK: _FREE},
}


def fee(archive: str, tier: RetrievalTier) -> Fee:
    """Of a retrieval from an archive (S3's StorageClass or ArchiveStatus). Raises KeyError if it knows no such tier."""
    return _FEES[archive][tier]


def copy_gib_months(size: int, days: int) -> Decimal:
    """What keeping copies of `size` bytes for some days comes to."""
    return size / GIB * days / DAYS_A_MONTH
