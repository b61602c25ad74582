"""What S3 says of an object that may be archived: in listings, and to HeadObject."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

TIERED_CLASS: Final = "INTELLIGENT_TIERING"
"""Of its objects a listing does not say whether they are archived: HeadObject does (ArchiveStatus)."""

SMALLEST_TIERED: Final = 128 << 10
"""Bytes: smaller objects of Intelligent-Tiering always stay in the Frequent Access tier (Amazon S3 user guide, "How
S3 Intelligent-Tiering works"), so they need not be asked about."""

_EXPIRY = re.compile(r'expiry-date="([^"]+)"')
_IN_PROGRESS: Final = 'ongoing-request="true"'


class Archive(StrEnum):
    """Where an object has to be restored from before it can be read; Glacier Instant Retrieval is none of these."""

    FLEXIBLE = "GLACIER"
    DEEP = "DEEP_ARCHIVE"
    TIERED = "ARCHIVE_ACCESS"
    TIERED_DEEP = "DEEP_ARCHIVE_ACCESS"

    @property
    def is_tiered(self) -> bool:
        """Of Intelligent-Tiering: restoring moves the object itself to Frequent Access, and makes no copy for days."""
        return self in (Archive.TIERED, Archive.TIERED_DEEP)

    @property
    def is_deep(self) -> bool:
        """Takes half a day at least, and knows no Expedited."""
        return self in (Archive.DEEP, Archive.TIERED_DEEP)


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """An object of an archive, restored or not."""

    bucket: str
    key: str
    size: int
    """Bytes."""
    archive: Archive
    is_restoring: bool = False
    expires: datetime | None = None
    """When the restored copy goes; None if there is none."""

    @property
    def uri(self) -> str:
        """As people write it."""
        return f"s3://{self.bucket}/{self.key}"

    def is_readable(self, until: datetime) -> bool:
        """Whether it can be read now and stays so until then."""
        return not self.is_restoring and self.expires is not None and self.expires >= until


def of_listing(bucket: str, entry: Mapping[str, Any]) -> ArchivedObject | None:
    """The object of an entry of ListObjectsV2 (with RestoreStatus); None if its class is no archive."""
    storage_class = entry.get("StorageClass", "STANDARD")
    if storage_class not in (Archive.FLEXIBLE, Archive.DEEP):
        return None
    status = entry.get("RestoreStatus", {})
    return ArchivedObject(
        bucket,
        entry["Key"],
        entry["Size"],
        Archive(storage_class),
        bool(status.get("IsRestoreInProgress")),
        status.get("RestoreExpiryDate"),
    )


def of_head(bucket: str, key: str, head: Mapping[str, Any]) -> ArchivedObject | None:
    """The object of HeadObject's answer; None if it can be read without a restore."""
    place = head.get("ArchiveStatus") or head.get("StorageClass", "STANDARD")
    if place not in tuple(Archive):
        return None
    restore = head.get("Restore", "")
    expiry = _EXPIRY.search(restore)
    expires = parsedate_to_datetime(expiry[1]) if expiry else None
    return ArchivedObject(bucket, key, head["ContentLength"], Archive(place), _IN_PROGRESS in restore, expires)
