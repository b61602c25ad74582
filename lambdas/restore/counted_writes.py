"""Writes of objects' items, each with its share of the restore's counts: all of it in one transaction, or nothing."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from lambdas.restore.restore_model import OpenRestore, WantedObject, restore_key
from lambdas.shared.attributes import to_attribute, to_item
from lambdas.shared.clock import timestamp

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

MOST_IN_TRANSACTION: Final = 99
"""A transaction takes 100 actions (Amazon DynamoDB API reference, TransactWriteItems); one of them counts."""

_MOST_TRIES: Final = 10

Changes = Callable[[list[WantedObject]], Mapping[str, int]]
"""What the writes of some objects add to the counts."""

_CONDITION: Final = "ConditionalCheckFailed"

_PASSING: Final = frozenset(
    {"None", _CONDITION, "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
"""Reasons of a cancelled transaction that are gone when it is tried again, without what was refused."""


_THROTTLED: Final = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
"""DynamoDB may also refuse a transaction as a whole: a table on demand takes minutes to grow with a crowd of writes."""


def _cancellation_reasons(error: ClientError) -> list[str]:
    """One for each write. Raises the error itself if waiting does not help."""
    given: Any = error.response.get("CancellationReasons", [])
    reasons = [reason.get("Code", "None") for reason in given]
    code = error.response["Error"]["Code"]
    if code == "TransactionInProgressException" or code in _THROTTLED:
        return []
    if code != "TransactionCanceledException" or not set(reasons) <= _PASSING:
        raise error
    return reasons


@dataclass(frozen=True, slots=True)
class CountedWrites:
    """Writes to the task table."""

    table: str

    def write(self, restore: OpenRestore, writes: Mapping[WantedObject, Any], changes: Changes) -> int:
        """Do the writes whose conditions hold, each with its share of the counts; how many those were."""
        written = 0
        waiting = list(writes)
        for start in range(0, len(waiting), MOST_IN_TRANSACTION):
            written += self._count_some(restore, waiting[start : start + MOST_IN_TRANSACTION], writes, changes)
        return written

    def _count_some(
        self,
        restore: OpenRestore,
        objects: list[WantedObject],
        writes: Mapping[WantedObject, Any],
        changes: Changes,
    ) -> int:
        for attempt in range(_MOST_TRIES):
            if not objects:
                return 0
            try:
                transaction: Any = [*(writes[item] for item in objects), self._add(restore, changes(objects))]
                self._client.transact_write_items(TransactItems=transaction)
            except ClientError as error:
                reasons = _cancellation_reasons(error)
                refused = [item for item, reason in zip(objects, reasons, strict=False) if reason == _CONDITION]
                objects = [item for item in objects if item not in refused]
                if not refused:  # somebody else is writing: they are few, and soon done
                    time.sleep(random.uniform(0.5, 1) * 0.025 * 2**attempt)  # noqa: S311 - jitter, not a secret
            else:
                return len(objects)
        raise TimeoutError(f"{restore.run}: {len(objects)} objects could not be written down")

    def _add(self, restore: OpenRestore, changes: Mapping[str, int]) -> dict[str, Any]:
        names = {f"#{name}": name for name in changes}
        return {
            "Update": {
                "TableName": self.table,
                "Key": to_item(restore_key(restore)),
                "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in changes) + " SET #at = :at",
                "ConditionExpression": f"attribute_exists({TaskField.LAUNCH_ID})",
                "ExpressionAttributeNames": {**names, "#at": TaskField.UPDATED_AT},
                "ExpressionAttributeValues": {
                    ":at": to_attribute(timestamp()),
                    **{f":{name}": to_attribute(value) for name, value in changes.items()},
                },
            }
        }

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client
