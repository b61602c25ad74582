"""Amazon SQS (Developer guide, "Amazon SQS message quotas"; API reference of each operation)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import MIB, bytes_in, refuse

MOST_MESSAGE: Final = MIB
"""Bytes of a message with its attributes, and of all of a batch (256 KiB until August 2025)."""

MOST_BATCH: Final = 10
"""Entries of one batch request."""

MOST_ATTRIBUTES: Final = 10
"""Of a message."""

RANGES: Final = {
    "DelaySeconds": (0, 900),
    "MaxNumberOfMessages": (1, 10),
    "VisibilityTimeout": (0, 43_200),
    "WaitTimeSeconds": (0, 20),
}
"""Of requests' parameters: SendMessage, ReceiveMessage, ChangeMessageVisibility."""

ATTRIBUTE_RANGES: Final = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, MIB),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
"""Of a queue's attributes: CreateQueue, SetQueueAttributes."""

_QUEUE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _queue_name(params: Mapping[str, Any]) -> None:
    name = params.get("QueueName")
    if name is not None and not _QUEUE_NAME.fullmatch(name):
        refuse(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


def _attributes(params: Mapping[str, Any]) -> None:
    for name, (least, most) in ATTRIBUTE_RANGES.items():
        value = (params.get("Attributes") or {}).get(name)
        if value is not None and not (str(value).isdigit() and least <= int(value) <= most):
            refuse("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _ranges(params: Mapping[str, Any]) -> None:
    for name, (least, most) in RANGES.items():
        value = params.get(name)
        if value is not None and not least <= int(value) <= most:
            refuse(
                "InvalidParameterValue",
                f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}, "
                "if provided.",
            )


def _message(params: Mapping[str, Any]) -> None:
    if not params.get("MessageBody"):
        refuse("MissingParameter", "The request must contain the parameter MessageBody.")
    if _FORBIDDEN.search(params["MessageBody"]):
        refuse("InvalidMessageContents", "Invalid characters were found in the message body.")
    if _size(params) > MOST_MESSAGE:
        refuse(
            "InvalidParameterValue",
            f"One or more parameters are invalid. Reason: Message must be shorter than {MOST_MESSAGE} bytes.",
        )
    if len(params.get("MessageAttributes") or {}) > MOST_ATTRIBUTES:
        refuse(
            "InvalidParameterValue", f"Number of message attributes exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        )


def _batch(params: Mapping[str, Any]) -> None:
    entries = params.get("Entries", [])
    if not entries:
        refuse("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST_BATCH:
        refuse(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MOST_BATCH}. You have sent {len(entries)}.",
        )
    ids = [str(entry.get("Id", "")) for entry in entries]
    if not all(map(_ENTRY_ID.fullmatch, ids)):
        refuse(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        )
    if len(set(ids)) < len(ids):
        refuse("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")


def _batch_size(params: Mapping[str, Any]) -> None:
    size = sum(map(_size, params.get("Entries", [])))
    if size > MOST_MESSAGE:
        refuse(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MOST_MESSAGE} bytes. You have sent {size} bytes.",
        )


def _size(message: Mapping[str, Any]) -> int:
    """A message with its attributes' names, types and values."""
    attributes = message.get("MessageAttributes") or {}
    return bytes_in(message.get("MessageBody")) + sum(
        bytes_in(name) + sum(map(bytes_in, attribute.values())) for name, attribute in attributes.items()
    )


LIMITS: Final = {
    "CreateQueue": (_queue_name, _attributes),
    "SetQueueAttributes": (_attributes,),
    "SendMessage": (_message, _ranges),
    "SendMessageBatch": (_batch, _batch_size),
    "DeleteMessageBatch": (_batch,),
    "ChangeMessageVisibilityBatch": (_batch,),
    "ReceiveMessage": (_ranges,),
    "ChangeMessageVisibility": (_ranges,),
}
