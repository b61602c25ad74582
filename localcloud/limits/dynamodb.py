"""Amazon DynamoDB (Developer guide, "Quotas in Amazon DynamoDB"). ministack itself checks items and keys."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from localcloud.limits.sizes import MIB, compact, json_size, refuse

MOST_TRANSACTION_BYTES: Final = 4 * MIB
"""Of all items of a transaction (TransactWriteItems)."""

MOST_BATCH_WRITES: Final = 25
"""Puts and deletes of one BatchWriteItem, over all tables."""

MOST_BATCH_KEYS: Final = 100
"""Items of one BatchGetItem, over all tables."""


def _transaction(params: Mapping[str, Any]) -> None:
    actions = [action for item in params.get("TransactItems", []) for action in item.values() if action]
    # A put names its whole item; two puts of one key differ in the rest, and only the table knows what the key is.
    named = [compact([action.get("TableName"), action["Key"]]) for action in actions if "Key" in action]
    if len(set(named)) != len(named):
        refuse("ValidationException", "Transaction request cannot include multiple operations on one item")
    if sum(map(json_size, actions)) > MOST_TRANSACTION_BYTES:
        refuse("ValidationException", "Collection size of items in the transaction exceeded 4 MB")


def _batch_writes(params: Mapping[str, Any]) -> None:
    count = _count(params.get("RequestItems", {}).values())
    if count > MOST_BATCH_WRITES:
        refuse("ValidationException", "Too many items requested for the BatchWriteItem call")


def _batch_keys(params: Mapping[str, Any]) -> None:
    count = _count(table.get("Keys", []) for table in params.get("RequestItems", {}).values())
    if count > MOST_BATCH_KEYS:
        refuse("ValidationException", "Too many items requested for the BatchGetItem call")


def _count(parts: Iterable[Any]) -> int:
    return sum(len(part) for part in parts)


LIMITS: Final = {
    "TransactWriteItems": (_transaction,),
    "BatchWriteItem": (_batch_writes,),
    "BatchGetItem": (_batch_keys,),
}
