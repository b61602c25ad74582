"""S3's events as AWS tells them: what ministack's have too much, and what they lack."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from localcloud.ministack_adapter import Event

_NOT_OF_A_RESTORE: Final = ("reason", "source-ip-address")
"""Nobody's request ends a restore (Amazon S3 user guide, "EventBridge event message structure")."""

RecordOf = Callable[[str, str], Mapping[str, Any] | None]
"""ministack's record of an object, by bucket and key."""


def as_aws_tells(event: Event, record_of: RecordOf, expiry_of: Callable[[Any], str | None]) -> Event:
    """The event with the object's version; of a restore also when the copy goes, and where it was restored from.

    The version is the one that is the newest when the event is told.
    """
    if event.get("Source") != "aws.s3":
        return event
    detail = json.loads(event["Detail"])
    record = record_of(detail["bucket"]["name"], detail["object"]["key"]) or {}
    if record.get("version_id"):
        detail["object"]["version-id"] = record["version_id"]
    if event["DetailType"] == "Object Restore Completed":
        for name in _NOT_OF_A_RESTORE:
            detail.pop(name, None)
        detail["object"].pop("sequencer", None)
        detail["source-storage-class"] = record.get("storage_class")
        expiry = expiry_of(record)
        if expiry:
            detail["restore-expiry-time"] = expiry
    return {**event, "Detail": json.dumps(detail)}
