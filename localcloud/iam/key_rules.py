"""Which use of a customer's key a call on something encrypted needs."""

from collections.abc import Mapping
from typing import Final

from localcloud.iam.model import Cloud, Context, Need

_WRITES: Final = ("kms:GenerateDataKey",)
_READS: Final = ("kms:Decrypt",)

_KEY_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3:GetObject": _READS,
    "s3:GetObjectVersion": _READS,
    "s3:PutObject": _WRITES,
    "sqs:SendMessage": (*_WRITES, *_READS),
    "sqs:ReceiveMessage": _READS,
    "sns:Publish": (*_WRITES, *_READS),
    # DynamoDB decrypts the table's key in its caller's name ("Authorizing use of your customer managed key").
    **{
        f"dynamodb:{action}": _READS
        for action in (
            *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
            *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems", "GetRecords"),
        )
    },
}


def key_needs(action: str, resource: str, cloud: Cloud) -> list[Need]:
    """What the action needs of the resource's key, if a customer's key encrypts it."""
    actions = _KEY_ACTIONS.get(action, ())
    key = cloud.key_of(resource) if actions else None
    return [Need(each, key) for each in actions] if key else []


def with_key(action: str, resource: str, cloud: Cloud, context: Context | None = None) -> list[Need]:
    """The action, and what it needs of the resource's key."""
    return [Need(action, resource, context or {}), *key_needs(action, resource, cloud)]
