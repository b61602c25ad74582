"""Reads a launch's data below its prefix in S3."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from genolaunch.shared import aws
from genolaunch.shared.input_error import UnusableInputError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

aws.needed("s3")

_BLOCK = 1 << 20
"""Bytes read at a time: large enough that the per-read cost vanishes, small against a function's memory."""


def _version(id_: str | None) -> str | None:
    """Objects put while the bucket was not versioned have the id "null", each time the same."""
    return None if id_ == "null" else id_


_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
_NO_BUCKET = "NoSuchBucket"
_ABSENT = ("404", "NoSuchKey", _NO_BUCKET, "NotFound")
"""S3's codes for what does not exist. HeadObject's errors have no body, so theirs is the HTTP status."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What tells one upload of an object from another."""

    size: int
    """Bytes."""
    etag: str
    is_restored: bool = False
    """It lies in an archive, and a copy of it was restored for some days."""
    last_modified: str = ""
    """When it was put (ISO 8601, UTC, whole seconds): restores, tags and changes of the storage class keep it."""
    version_id: str | None = None
    """Where the bucket is versioned, or was; no listing tells it."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Objects below a prefix. Paths are relative to it; each method raises UnusableInputError if it cannot read."""

    bucket: str
    prefix: str

    @classmethod
    def at(cls, uri: str) -> "DataSet":
        """The data set of an s3:// URL that ends with a slash."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        return cls(bucket, prefix)

    def uri(self, path: str) -> str:
        """The path as an s3:// URL."""
        return f"s3://{self.bucket}/{self.prefix}{path}"

    def state(self, path: str) -> ObjectState:
        """Size and ETag of an object."""
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=self.prefix + path)
        except ClientError as error:
            raise self._unusable(path, error) from error
        is_restored = head.get("StorageClass") in _ARCHIVES and "Restore" in head
        return ObjectState(
            head["ContentLength"],
            head["ETag"],
            is_restored,
            head["LastModified"].isoformat(),
            _version(head.get("VersionId")),
        )

    def states(self, folder: str) -> dict[str, ObjectState]:
        """Path -> state of every object below `folder`, which ends with a slash (or is empty)."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + folder)
        try:
            found = [entry for page in pages for entry in page.get("Contents", [])]
        except ClientError as error:
            raise self._unusable(folder, error) from error
        return {
            entry["Key"].removeprefix(self.prefix): ObjectState(
                entry["Size"], entry["ETag"], last_modified=entry["LastModified"].isoformat()
            )
            for entry in found
        }

    def size(self, path: str) -> int:
        """Bytes of an object."""
        return self.state(path).size

    def head(self, path: str, length: int) -> bytes:
        """The first `length` bytes, or all if there are fewer."""
        return self.read(path, 0, length)

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from byte `start` (from 0) on, or fewer where the object ends."""
        try:
            # A range that begins at or after an object's end is an error (416) rather than an empty answer.
            response = self._client.get_object(
                Bucket=self.bucket, Key=self.prefix + path, Range=f"bytes={start}-{start + length - 1}"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":
                return b""
            raise self._unusable(path, error) from error
        return response["Body"].read()

    def sha256(self, path: str, etag: str) -> str:
        """SHA-256 of an object's bytes, which have to be those of this ETag; memory holds one block of them."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=self.prefix + path, IfMatch=etag)["Body"]
        except ClientError as error:
            raise self._unusable(path, error) from error
        content = hashlib.sha256()
        while block := body.read(_BLOCK):
            content.update(block)
        return content.hexdigest()

    def lines(self, path: str) -> Iterator[bytes]:
        """Lines without their ends, streamed: memory holds one block of the object at a time."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=self.prefix + path)["Body"]
        except ClientError as error:
            raise self._unusable(path, error) from error
        rest = b""
        while block := body.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def text(self, path: str) -> str:
        """A small text object."""
        return b"\n".join(self.lines(path)).decode(errors="replace")

    def download(self, path: str, target: Path) -> None:
        """Copy an object to a local file."""
        try:
            self._client.download_file(self.bucket, self.prefix + path, str(target))
        except ClientError as error:
            raise self._unusable(path, error) from error

    def replaced(self, path: str) -> UnusableInputError:
        """What to say of an object that is another one than a moment ago."""
        return UnusableInputError(
            f"needs {self.uri(path)}, which was replaced while the launch was planned",
            "Retry the launch when all files are in place: it is planned anew.",
        )

    @property
    def _client(self) -> "S3Client":
        client: S3Client = aws.client("s3")
        return client

    def _bucket_exists(self, path: str) -> bool:
        """Whether S3 does not say that there is no such bucket. Listing is what each stage may do below its data."""
        try:
            self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix + path, MaxKeys=1)
        except ClientError as error:
            return error.response["Error"]["Code"] != _NO_BUCKET
        return True

    def _unusable(self, path: str, error: ClientError) -> UnusableInputError:
        """The error in plain words; the error itself again if it is neither absence nor lack of access."""
        code = error.response["Error"]["Code"]
        if code in _ABSENT and not self._bucket_exists(path):
            return UnusableInputError(
                f"needs {self.uri(path)}, but there is no bucket {self.bucket}", "Correct the bucket's name in `data`."
            )
        if code in _ABSENT:
            return UnusableInputError(
                f"needs {self.uri(path)}, which does not exist", "Upload the file there, or correct the path."
            )
        if code in ("403", "AccessDenied"):
            return UnusableInputError(
                f"needs {self.uri(path)}, which this stage may not read (access denied)",
                "Ask the owner of the bucket and of its key to let this stage's functions and file systems read it.",
            )
        if code in ("412", "PreconditionFailed"):
            return self.replaced(path)
        if code == "InvalidObjectState":
            return UnusableInputError(
                f"needs {self.uri(path)}, which is archived, and its restored copy has expired",
                "Retry the launch: it restores the file first. `restore.days` says how long the copy is kept.",
            )
        raise error
