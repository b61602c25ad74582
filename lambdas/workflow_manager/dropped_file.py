"""A file dropped into the launch bucket: its notification, and its content."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from genolaunch.contract.launch_bucket import STANDARD_FOLDER
from genolaunch.launch_configs.config_text import WHOLE_FILE
from genolaunch.shared import aws
from genolaunch.shared.faults import Fault

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

aws.needed("s3")

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "PreconditionFailed"})
"""S3's answers for an object that was deleted, or replaced where versions are not kept."""

_UNREADABLE: Final = {
    "InvalidObjectState": ("is archived", "Put it with the storage class STANDARD."),
    "InvalidRequest": (
        "is encrypted with a key of your own (SSE-C), which is not kept anywhere",
        "Put it without that key: the bucket encrypts what is in it.",
    ),
    **dict.fromkeys(
        ("KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException"),
        (
            "is encrypted with a KMS key that cannot be used",
            "Put it without naming a key: the bucket encrypts what is in it.",
        ),
    ),
}
"""S3's answers for an object that is there, and that nobody can read as it is -> problem and remedy (Amazon S3 API
reference, GetObject and "Error responses")."""

SUBMISSION_ID_METADATA = "submission-id"


class FileGoneError(Exception):
    """The file was deleted or replaced before it was read."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that was put into the launch bucket, from S3's notification."""

    bucket: str
    key: str
    time: datetime
    version_id: str | None
    """Absent where the bucket keeps no versions."""
    etag: str | None
    sequencer: str | None
    requested_by: str | None
    """S3's principal id of the person or role that put it."""

    @property
    def digest(self) -> str:
        """A digest of the event: the same if it is delivered twice, another for another put of the same key."""
        put = self.version_id or f"{self.etag} {self.sequencer}"
        return hashlib.sha256(json.dumps([self.bucket, self.key, put]).encode()).hexdigest()

    @property
    def uri(self) -> str:
        """s3:// URL of the file."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """The content of a drop."""

    size: int
    """Bytes."""
    content: bytes | None
    """None when the file is larger than what was asked for."""
    submission_id: str | None
    """The id by which a client recognises the answer to its own put."""
    unreadable: Fault | None = None
    """Why it cannot be read, or None."""


def is_later(answered: object, drop: Drop) -> bool:
    """Whether an answer names a later put of the dropped file.

    S3's sequencers of one key are hexadecimal text. Pad the shorter one with zeros at its end; the greater one is the
    later put (Amazon S3 user guide, "Event message structure"). Sequencers of different keys cannot be compared.
    """
    if not isinstance(answered, dict) or answered.get("key") != drop.key:
        return False
    theirs, ours = answered.get("sequencer"), drop.sequencer
    if not (isinstance(theirs, str) and theirs and ours):
        return False
    length = max(len(theirs), len(ours))
    return theirs.upper().ljust(length, "0") > ours.upper().ljust(length, "0")


def drops(message: str) -> Iterator[Drop]:
    """The puts in an SQS message's body: none in S3's test message, otherwise usually one.

    It is a notification of S3's own, or its event of EventBridge.

    Raises:
        ValueError, KeyError: it is neither.
    """
    notification = json.loads(message)
    if notification.get("Event") == "s3:TestEvent":
        return
    if notification.get("detail-type") == "Object Created":
        yield _drop_of_event(notification)
        return
    for record in notification["Records"]:
        if record["eventName"].startswith("ObjectCreated:"):
            yield _drop(record)


def _drop(record: Mapping[str, Any]) -> Drop:
    entity = record["s3"]["object"]
    return Drop(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(entity["key"]),
        time=datetime.fromisoformat(record["eventTime"]),
        version_id=entity.get("versionId"),
        etag=entity.get("eTag"),
        sequencer=entity.get("sequencer"),
        requested_by=record.get("userIdentity", {}).get("principalId"),
    )


def _drop_of_event(event: Mapping[str, Any]) -> Drop:
    """Amazon S3 user guide, "EventBridge event message structure". Keys are as they are, and not encoded as in S3's own
    notifications (tried on AWS: aws-solutions-library-samples/guidance-for-medialake-on-aws, pull request 21)."""
    entity = event["detail"]["object"]
    return Drop(
        bucket=event["detail"]["bucket"]["name"],
        key=entity["key"],
        time=datetime.fromisoformat(event["time"]),
        version_id=entity.get("version-id"),
        etag=entity.get("etag"),
        sequencer=entity.get("sequencer"),
        requested_by=None,  # only the account's number is told
    )


def fetch(drop: Drop, *, largest: int) -> DroppedFile:
    """Read the version of the file that was dropped, if it has at most `largest` bytes.

    Raises:
        FileGoneError: it is not there any more.
    """
    s3: S3Client = aws.client("s3")
    try:
        response = s3.get_object(Bucket=drop.bucket, Key=drop.key, **_this_version(drop))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _GONE:
            raise FileGoneError(drop.uri) from error
        if code in _UNREADABLE:
            return DroppedFile(0, None, None, unreadable=Fault(WHOLE_FILE, *_UNREADABLE[code]))
        raise
    size = response["ContentLength"]
    with response["Body"] as body:
        content = body.read() if size <= largest else None
    return DroppedFile(size, content, response["Metadata"].get(SUBMISSION_ID_METADATA))


_MOST_SOURCES = 2_000
"""Workflows with more files than sources may have (lambdas/snakemake/sources.py) are refused later."""


def sources_beside(bucket: str, snakefile: str) -> list[tuple[str, str]]:
    """Key and ETag of what lies beside and below a Snakefile, and of all its project's in Snakemake's own layout."""
    folder = snakefile.rpartition("/")[0]
    project = folder.removesuffix(f"/{STANDARD_FOLDER}")
    s3: S3Client = aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{project}/")
    found = ((item["Key"], item["ETag"]) for page in pages for item in page.get("Contents", []))
    return list(islice(found, _MOST_SOURCES))


def _this_version(drop: Drop) -> dict[str, Any]:
    """Arguments of GetObject that never give a newer file of the same name: that one has an event of its own."""
    if drop.version_id:
        return {"VersionId": drop.version_id}
    return {"IfMatch": f'"{drop.etag}"'} if drop.etag else {}
