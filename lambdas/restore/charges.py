"""Writes what S3 charges for a launch's restores into the usage table, for the launch's bill.

S3's answer says whether a request began a restore, and S3 gives each answer once. So counting the answers counts
nothing twice, however often a message is repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from genolaunch.contract.restore import RetrievalTier
from genolaunch.contract.usage import USAGE_KEPT_DAYS, USAGE_RESTORE_PREFIX, UsageField
from genolaunch.shared import aws
from lambdas.restore.archive import Archive
from lambdas.restore.restore_model import OpenRestore
from lambdas.shared.attributes import to_attribute, to_item

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_KEPT: Final = timedelta(days=USAGE_KEPT_DAYS)


@dataclass(frozen=True, slots=True)
class Charge:
    """One request that S3 accepted."""

    archive: Archive
    tier: RetrievalTier
    size: int
    """Bytes of the object."""
    is_retrieved: bool
    """True if the request began a restore; False if the object was restored already and its copy is kept for longer."""


def record_charges(usage_table: str, restore: OpenRestore, days: int, charges: Iterable[Charge]) -> None:
    """Add charges to the usage of this attempt's restore, with one write for each archive and tier.

    If the answer to a write is lost, the client repeats the write and it counts twice: then up to a message's objects
    are counted too many.
    """
    groups: dict[tuple[Archive, RetrievalTier], list[Charge]] = {}
    for charge in charges:
        groups.setdefault((charge.archive, charge.tier), []).append(charge)
    for (archive, tier), group in groups.items():
        counts = {
            UsageField.REQUESTS: len(group),
            UsageField.RETRIEVED_BYTES: sum(charge.size for charge in group if charge.is_retrieved),
            UsageField.COPIED_BYTES: 0 if archive.is_tiered else sum(charge.size for charge in group),
        }
        facts = {
            UsageField.ATTEMPT: restore.attempt,
            UsageField.ARCHIVE: archive.value,
            UsageField.TIER: tier.value,
            UsageField.DAYS: days,
            UsageField.EXPIRES_AT: int((datetime.now(UTC) + _KEPT).timestamp()),
        }
        _add(usage_table, restore, f"{USAGE_RESTORE_PREFIX}{restore.attempt}#{archive}#{tier}", facts, counts)


def _add(
    table: str, restore: OpenRestore, usage_id: str, facts: Mapping[str, object], counts: Mapping[str, int]
) -> None:
    client: DynamoDBClient = aws.client("dynamodb")
    client.update_item(
        TableName=table,
        Key=to_item({UsageField.OWNER: restore.launch_id, UsageField.USAGE_ID: usage_id}),
        UpdateExpression="SET "
        + ", ".join(f"#{name} = :{name}" for name in facts)
        + " ADD "
        + ", ".join(f"#{name} :{name}" for name in counts),
        ExpressionAttributeNames={f"#{name}": name for name in (*facts, *counts)},
        ExpressionAttributeValues={f":{name}": to_attribute(value) for name, value in {**facts, **counts}.items()},
    )
