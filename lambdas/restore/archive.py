"""Reads from S3's answers (listings, HeadObject) whether an object is archived."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

TIERED_CLASS: Final = "INTELLIGENT_TIERING"
"""Listings do not say whether its objects are archived; HeadObject does (ArchiveStatus)."""

SMALLEST_TIERED: Final = 128 << 10
"""Bytes: smaller objects of Intelligent-Tiering always stay in the Frequent Access tier (Amazon S3 user guide, "How
S3 Intelligent-Tiering works"), so they need not be asked about."""

_EXPIRY = re.compile(r'expiry-date="([^"]+)"')
_IN_PROGRESS: Final = 'ongoing-request="true"'


class Archive(StrEnum):
    """An archive from which an object must be restored before it can be read. Glacier Instant Retrieval is not one."""

    FLEXIBLE = "GLACIER"
    DEEP = "DEEP_ARCHIVE"
    TIERED = "ARCHIVE_ACCESS"
    TIERED_DEEP = "DEEP_ARCHIVE_ACCESS"

    @property
    def is_tiered(self) -> bool:
        """Whether it belongs to Intelligent-Tiering: a restore moves the object itself to Frequent Access, and makes no
        copy."""
        return self in (Archive.TIERED, Archive.TIERED_DEEP)

    @property
    def is_deep(self) -> bool:
        """Whether a restore takes at least half a day, and Expedited is not available."""
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
    """When the restored copy expires; None if there is none."""

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
