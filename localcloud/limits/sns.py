"""Amazon SNS (API reference, Publish and PublishBatch)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import KIB, bytes_in, refuse

MOST_MESSAGE: Final = 256 * KIB
"""Bytes of a message and its attributes; of all of a batch. A topic's own MaximumMessageSize may be up to 1 MiB: none
is set here."""

MOST_SUBJECT: Final = 100
"""Characters of a subject, without line breaks or control characters."""

MOST_BATCH: Final = 10
"""Messages of one PublishBatch."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _subject(params: Mapping[str, Any]) -> None:
    subject = params.get("Subject")
    if subject is not None and (not subject or len(subject) > MOST_SUBJECT or _CONTROL.search(subject)):
        refuse("InvalidParameter", "Invalid parameter: Subject")


def _message(params: Mapping[str, Any]) -> None:
    if _size(params) > MOST_MESSAGE:
        refuse("InvalidParameter", "Invalid parameter: Message too long")


def _batch(params: Mapping[str, Any]) -> None:
    entries = params.get("PublishBatchRequestEntries", [])
    if len(entries) > MOST_BATCH:
        refuse(
            "TooManyEntriesInBatchRequest", f"The batch request contains more entries than permissible: {MOST_BATCH}"
        )
    if sum(map(_size, entries)) > MOST_MESSAGE:
        refuse("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
    for entry in entries:
        _subject(entry)


def _size(message: Mapping[str, Any]) -> int:
    attributes = message.get("MessageAttributes") or {}
    return bytes_in(message.get("Message")) + sum(
        bytes_in(name) + sum(map(bytes_in, attribute.values())) for name, attribute in attributes.items()
    )


LIMITS: Final = {"Publish": (_subject, _message), "PublishBatch": (_batch,)}
