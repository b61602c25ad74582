"""What a launch left, as S3 lists it: file by file, and folder by folder where there are too many."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from genolaunch.shared import aws
from genolaunch.shared.crate_files import FilesDigest, plain_etag

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

aws.needed("s3")

MOST_FILES: Final = 20_000
"""Files of one listing that a crate names one by one. Each is about 400 bytes of the crate: 20,000 are 8 MB, which
viewers and validators still open, and a tenth of this function's memory."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object."""

    bucket: str
    key: str
    size: int
    """Bytes."""
    etag: str
    """Without quotes."""
    modified: str | None = None
    """When it was put, in ISO 8601."""
    version_id: str | None = None
    sha256: str | None = None


@dataclass(slots=True)
class StoredFolder:
    """What lies in a folder: its files, or their digest if they are too many."""

    bucket: str
    prefix: str
    """Ends with a slash, or is empty."""
    digest: FilesDigest = field(default_factory=FilesDigest)
    files: list[StoredFile] | None = field(default_factory=list)
    """None: only the digest is kept."""

    def add(self, file: StoredFile) -> None:
        """Add the next file, in the order of keys."""
        self.digest.add(file.key.removeprefix(self.prefix), file.size, file.etag)
        if self.files is not None:
            self.files.append(file)


def by_folder(files: Iterable[StoredFile], bucket: str, prefix: str, most: int = MOST_FILES) -> list[StoredFolder]:
    """Group files by the first folder of their paths below a prefix.

    Args:
        files: In the order of keys, as S3 lists them; read one by one.
        bucket: Where they are.
        prefix: Ends with a slash, or is empty.
        most: Files that are kept one by one, of all folders together. Beyond, the folder with the most files keeps only
            its digest, then the next. What lies in no folder is kept: it has no name of its own for a digest.

    Returns:
        The folders; files in none of them are in one whose prefix is `prefix`, which is there even if it is empty.
    """
    beside = StoredFolder(bucket, prefix)
    folders: dict[str, StoredFolder] = {}
    kept = 0
    for file in files:
        first, slash, _ = file.key.removeprefix(prefix).partition("/")
        folder = folders.setdefault(first, StoredFolder(bucket, f"{prefix}{first}/")) if slash else beside
        folder.add(file)
        kept += folder.files is not None
        if kept > most and (largest := _largest(folders.values())):
            kept -= len(largest.files or ())
            largest.files = None
    return [beside, *folders.values()]


def _largest(folders: Iterable[StoredFolder]) -> StoredFolder | None:
    """The folder that keeps the most files; None if none keeps any."""
    return max((each for each in folders if each.files), key=lambda each: len(each.files or ()), default=None)


def stored_objects(bucket: str, prefix: str) -> Iterator[StoredFile]:
    """The objects below a prefix, in the order of their keys. Folders that a file system exported are left out."""
    client: S3Client = aws.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            if not found["Key"].endswith("/"):
                modified = found["LastModified"].isoformat()
                yield StoredFile(bucket, found["Key"], found["Size"], plain_etag(found["ETag"]), modified)
