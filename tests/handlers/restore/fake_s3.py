"""S3 with archives, as far as the restore functions speak to it; each request is counted."""

import hashlib
import io
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

EXPIRY = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass
class Stored:
    """An object; `archive` is where it has to be restored from."""

    size: int = 1
    storage_class: str = "GLACIER"
    tier: str | None = None
    """ArchiveStatus, for objects of Intelligent-Tiering."""
    restoring: bool = False
    expires: datetime | None = None
    body: bytes = b""
    denied: bool = False


@dataclass
class FakeS3:
    """Objects by (bucket, key)."""

    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a restore of an object began."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    throttled: int = 0
    """So many restores are refused (SlowDown) first."""
    no_expedited: bool = False
    unlistable: set[str] = field(default_factory=set)
    page: int = 1000
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, key: str, bucket: str = "data", **about: Any) -> None:
        self.objects[bucket, key] = Stored(**about)

    def finish(self, *keys: str, bucket: str = "data") -> None:
        """Restores come to their end."""
        for key in keys:
            stored = self.objects[bucket, key]
            stored.restoring = False
            if stored.tier:
                stored.tier = None
            else:
                stored.expires = datetime.now(UTC) + timedelta(days=10)

    # --- What boto3 has ----------------------------------------------------------------------------------------------
    def list_objects_v2(self, *, Bucket, Prefix, StartAfter="", OptionalObjectAttributes=()):  # noqa: N803 - boto3\'s names
        self.calls["ListObjectsV2"] += 1
        assert "RestoreStatus" in OptionalObjectAttributes
        if Bucket in self.unlistable:
            raise refusal("AccessDenied", 403)
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        later = [key for key in keys if key > StartAfter]
        shown = later[: self.page]
        return {"Contents": [self._entry(Bucket, key) for key in shown], "IsTruncated": len(later) > len(shown)}

    def _entry(self, bucket: str, key: str) -> dict[str, Any]:
        stored = self.objects[bucket, key]
        entry: dict[str, Any] = {"Key": key, "Size": stored.size, "StorageClass": stored.storage_class}
        if stored.storage_class != "INTELLIGENT_TIERING" and (stored.restoring or stored.expires):
            entry["RestoreStatus"] = {"IsRestoreInProgress": stored.restoring}
            if stored.expires:
                entry["RestoreStatus"]["RestoreExpiryDate"] = stored.expires
        return entry

    def head_object(self, *, Bucket, Key):  # noqa: N803 - boto3\'s names
        with self.lock:
            self.calls["HeadObject"] += 1
        stored = self._stored(Bucket, Key, "404")
        head = {"ContentLength": stored.size, "StorageClass": stored.storage_class}
        if stored.tier:
            head["ArchiveStatus"] = stored.tier
        if stored.restoring:
            head["Restore"] = 'ongoing-request="true"'
        elif stored.expires:
            head["Restore"] = f'ongoing-request="false", expiry-date="{stored.expires:%a, %d %b %Y %H:%M:%S GMT}"'
        return head

    def restore_object(self, *, Bucket, Key, RestoreRequest):  # noqa: N803 - boto3\'s names
        with self.lock:
            self.calls["RestoreObject"] += 1
            self.requests.append({"key": Key, **RestoreRequest})
            if self.throttled:
                self.throttled -= 1
                raise refusal("SlowDown", 503)
        stored = self._stored(Bucket, Key, "NoSuchKey")
        if stored.denied:
            raise refusal("AccessDenied", 403)
        if self.no_expedited and RestoreRequest["GlacierJobParameters"]["Tier"] == "Expedited":
            raise refusal("GlacierExpeditedRetrievalNotAvailable", 503)
        if stored.storage_class not in ("GLACIER", "DEEP_ARCHIVE") and not stored.tier:
            raise refusal("InvalidObjectState", 403)
        assert ("Days" in RestoreRequest) == (stored.tier is None)
        if stored.restoring:
            raise refusal("RestoreAlreadyInProgress", 409)
        if stored.expires:
            stored.expires += timedelta(days=RestoreRequest["Days"])
            return {"ResponseMetadata": {"HTTPStatusCode": 200}}
        stored.restoring = True
        with self.lock:
            self.accepted[Bucket, Key] += 1
        return {"ResponseMetadata": {"HTTPStatusCode": 202}}

    def put_object(self, *, Bucket, Key, Body, IfMatch=None, **_):  # noqa: N803 - boto3\'s names
        assert IfMatch is None or IfMatch == _etag(self.objects[Bucket, Key])
        self.objects[Bucket, Key] = Stored(len(Body), "STANDARD", body=Body)

    def get_object(self, *, Bucket, Key):  # noqa: N803 - boto3\'s names
        stored = self._stored(Bucket, Key, "NoSuchKey")
        return {"Body": io.BytesIO(stored.body), "ETag": _etag(stored)}

    def _stored(self, bucket: str, key: str, absent: str) -> Stored:
        try:
            return self.objects[bucket, key]
        except KeyError:
            raise refusal(absent, 404) from None


def _etag(stored: Stored) -> str:
    return hashlib.md5(stored.body, usedforsecurity=False).hexdigest()


def refusal(code: str, status: int) -> ClientError:
    """What boto3 raises when S3 refuses."""
    response: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "S3")
