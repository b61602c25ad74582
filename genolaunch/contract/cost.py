"""What a launch costs: its bill, and the table of priced attempts for BI tools."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from genolaunch.contract.launch import Status


class CostStatus(StrEnum):
    """How far the price of a launch's current attempt is; absent until somebody begins."""

    PRICING = "PRICING"
    PRICED = "PRICED"
    PENDING = "PENDING"  # an estimate is there, and billing data is waited for
    UNKNOWN = "UNKNOWN"  # it could not be told; costReason says why, and a schedule tries again


PRICED_STATUSES: Final = (Status.COMPLETE, Status.FAILED, Status.CANCELLED)
"""A launch in one of these has used what costs money. One that was REJECTED had nothing built for it."""


class CostLineField:
    """Keys of a line of a bill."""

    KIND: Final = "kind"
    RESOURCE: Final = "resource"
    DESCRIPTION: Final = "description"
    QUANTITY: Final = "quantity"
    UNIT: Final = "unit"
    UNIT_PRICE: Final = "unitPrice"
    AMOUNT: Final = "amount"
    SOURCE: Final = "source"
    PRICED_AT: Final = "priceAsOf"
    NOTE: Final = "note"


PRICED_PREFIX: Final = "priced/"
"""priced/day=<YYYY-MM-DD>/<launchId>-<attempt>.json in the analytics bucket: a row of EXPORTED_COLUMNS."""
EXPORT_PREFIX: Final = "launches/"
"""launches/day=<YYYY-MM-DD>/<execution>/ in the analytics bucket: the same rows as Parquet."""
_USD: Final = "decimal(18,6)"
EXPORTED_COLUMNS: Final[Mapping[str, str]] = {
    "launch_id": "string",
    "attempt": "int",
    "stage": "string",
    "name": "string",
    "workflow": "string",
    "engine": "string",
    "compute_service": "string",
    "requested_by": "string",
    "status": "string",
    "data_path": "string",
    "submitted_at": "timestamp",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "priced_at": "timestamp",
    "run_seconds": "double",
    "total_cost": _USD,
    "instance_cost": _USD,
    "volume_cost": _USD,
    "filesystem_cost": _USD,
    "currency": "string",
}
"""Columns of the table of launches for BI tools, with their types in Glue; one row an attempt."""

SCROLL_STYLE: Final = (
    # At the edge behind which there is more of a wide table an arrow and a shade; at its end, what moves with it covers
    # them. Of light pages whose boxes are class=scroll.
    ".scroll{overflow-x:auto;background:linear-gradient(90deg,#fff 60%,transparent) left/2rem 100% no-repeat local,"
    "linear-gradient(270deg,#fff 60%,transparent) right/2rem 100% no-repeat local,"
    "conic-gradient(from 225deg at 100% 50%,#8a9aa6 90deg,transparent 0) "
    "right .2rem top .4rem/.5rem .9rem no-repeat scroll,"
    "linear-gradient(90deg,#8a9aa6,transparent) left/.7rem 100% no-repeat scroll,"
    "linear-gradient(270deg,#8a9aa6,transparent) right/.7rem 100% no-repeat scroll}"
)
"""Of pages about costs: one of a bill, and one of sums over bills."""
