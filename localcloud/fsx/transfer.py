"""Moves files between a file system's folder and the S3 prefixes that are linked to it."""

import errno
import fnmatch
import itertools
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.archived_file import ARCHIVED_LINK, DELETED_LINK
from localcloud.fsx.manifest import Entry, Manifest

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectTypeDef

logger = logging.getLogger(__name__)

ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects cannot be read before they are restored."""

TRANSFER_FAULTS: Final = (OSError, Boto3Error, BotoCoreError, ClientError)
"""What a transfer may raise for reasons that lie in S3, the network or the disk."""

_NO_PATH: Final = frozenset({errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ})
"""Errors of keys that cannot be paths; such objects are skipped. Any other error is an error of the disk and is raised,
because the file would otherwise be missing silently."""

_BATCH: Final = 1_000
"""Files that are handled at a time, so that memory does not grow with their number."""

_PARALLEL: Final = 8
"""Downloads or uploads at a time."""


Stored = Callable[[str, str], bytes | None]
"""Bucket and key -> the content, if it is known without a request."""


@dataclass(frozen=True, slots=True)
class Link:
    """A folder of a file system and the S3 prefix that it mirrors 1:1."""

    folder: str
    """Relative to the file system's root, without slashes at its ends; empty for the root."""
    bucket: str
    prefix: str
    """Empty, or ending with a slash."""

    def key(self, path: str) -> str:
        """The object of a file, given relative to the root."""
        return self.prefix + (path[len(self.folder) + 1 :] if self.folder else path)

    def path(self, key: str) -> str:
        """The file of an object."""
        relative = key[len(self.prefix) :]
        return f"{self.folder}/{relative}" if self.folder else relative

    def holds(self, path: str) -> bool:
        """Whether the link covers this path."""
        return not self.folder or path == self.folder or path.startswith(f"{self.folder}/")


@dataclass(frozen=True, slots=True)
class Counts:
    """Files that an export dealt with."""

    succeeded: int
    failed: tuple[str, ...]
    """Their paths."""


NOTHING: Final = Counts(0, ())


class MissingPathError(Exception):
    """A path that was to be exported does not exist."""


class Transfer:
    """The files of one file system and their copies in S3."""

    def __init__(self, root: Path, private: Path, s3: "S3Client", stored: Stored = lambda _bucket, _key: None) -> None:
        """`root`: the folder with the file system's content. `private`: a folder on the same disk for internal
        files. `stored`: takes the place of requests where it knows an object's content."""
        self._root = root
        self._root.mkdir(parents=True)
        self._incoming = private / "incoming"
        self._incoming.mkdir(parents=True)
        self._manifest = Manifest(private / "manifest.sqlite")
        self._s3 = s3
        self._stored = stored
        self._filling = threading.Lock()

    # --- Import ------------------------------------------------------------------------------------------------------
    def import_metadata(self, link: Link) -> int:
        """Make the prefix's objects visible as placeholders; answers how many there are.

        A file whose object has not changed since its last import stays as it is. Raises one of TRANSFER_FAULTS.
        """
        (self._root / link.folder).mkdir(parents=True, exist_ok=True)
        count = 0
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=link.bucket, Prefix=link.prefix)
        for page in pages:
            entries = [
                entry for each in page.get("Contents", []) if (entry := self._import_object(link, each)) is not None
            ]
            self._manifest.put(entries)
            count += len(entries)
        return count

    def forget(self, link: Link, *, delete_files: bool) -> None:
        """Remove a link. Its files stay in the file system without a link to S3, or are deleted."""
        self._manifest.forget(link.folder)
        if delete_files:
            shutil.rmtree(self._root / link.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the manifest."""
        self._manifest.close()

    def _import_object(self, link: Link, listed: "ObjectTypeDef") -> Entry | None:
        path = link.path(listed["Key"])
        try:
            return self._make_visible(path, link.bucket, listed)
        except (OSError, ValueError) as error:  # keys may be what no path can be; FSx leaves such objects out, too
            if isinstance(error, OSError) and error.errno not in _NO_PATH:
                raise
            logger.warning("s3://%s/%s is not imported: %s", link.bucket, listed["Key"], error)
            return None

    def _make_visible(self, path: str, bucket: str, listed: "ObjectTypeDef") -> Entry | None:
        file = self._root / _checked(path)
        if listed["Key"].endswith("/"):  # a marker that S3's console makes for a folder
            file.mkdir(parents=True, exist_ok=True)
            return None
        mtime_ns = int(listed["LastModified"].timestamp()) * 1_000_000_000
        known = self._manifest.get(path)
        if known is not None and (known.size, known.mtime_ns, known.etag or listed["ETag"]) == (
            listed["Size"],
            mtime_ns,
            listed["ETag"],
        ):
            return known
        _make_placeholder(file, listed["Size"], mtime_ns)
        archived = listed.get("StorageClass") in ARCHIVE_CLASSES
        return Entry(path, bucket, listed["Key"], listed["Size"], mtime_ns, archived, False, listed["ETag"])

    # --- Content -----------------------------------------------------------------------------------------------------
    def fill(self) -> None:
        """Fetch the content of every placeholder. Several jobs may ask at once: one fetches, the others wait.

        What is fetched is what lies in S3 now, under the metadata of the import: FSx for Lustre copies a file's content
        when it is first read, and its metadata only by an import (user guide, "Importing changes from your data
        repository"). Raises one of TRANSFER_FAULTS when a file cannot be fetched. An object that is archived and not
        restored, or was deleted, is no fault of the file system: only reading its file fails.
        """
        with self._filling, ThreadPoolExecutor(_PARALLEL, thread_name_prefix="fsx-fill") as pool:
            for batch in self._manifest.absent():
                fetched = pool.map(self._fetch, batch)
                self._manifest.put(entry for entry in fetched if entry is not None)

    def _fetch(self, entry: Entry) -> Entry | None:
        file = self._root / entry.path
        if not self._is_placeholder(file, entry):  # a job has written or deleted it since: keep that
            return None
        if entry.archived and not self._is_restored(entry):
            _link_to_nothing(file, ARCHIVED_LINK)
            return None
        part = self._incoming / uuid.uuid4().hex
        content = self._stored(entry.bucket, entry.key)
        try:
            if content is None:
                self._s3.download_file(entry.bucket, entry.key, str(part))
            else:
                part.write_bytes(content)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            _link_to_nothing(file, DELETED_LINK)
            return None
        os.utime(part, ns=(entry.mtime_ns, entry.mtime_ns))
        part.replace(file)
        return replace(entry, present=True)

    @staticmethod
    def _is_placeholder(file: Path, entry: Entry) -> bool:
        if _is_link_to_nothing(file):
            return True
        try:
            status = file.lstat()
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)

    def _is_restored(self, entry: Entry) -> bool:
        restore = self._s3.head_object(Bucket=entry.bucket, Key=entry.key).get("Restore", "")
        return 'ongoing-request="false"' in restore

    # --- Export ------------------------------------------------------------------------------------------------------
    def export(
        self,
        paths: list[str],
        links: list[Link],
        *,
        is_cancelled: Callable[[], bool],
        fail_matching: str | None = None,
    ) -> Counts:
        """Upload files below `paths` (relative to the root) that are new or changed since their import or last export.

        Only regular files in a linked folder count. Raises MissingPathError before anything is uploaded.
        `fail_matching`: glob of paths whose upload is made to fail, for tests.
        """
        starts = [self._existing(path) for path in paths]

        def upload(file: tuple[str, Link]) -> bool:
            path, link = file
            is_made_to_fail = fail_matching is not None and fnmatch.fnmatch(path, fail_matching)
            return not is_made_to_fail and self._upload(path, link)

        succeeded = 0
        failed: list[str] = []
        changed = self._changed_files(starts, links)
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="fsx-export") as pool:
            while not is_cancelled() and (batch := list(itertools.islice(changed, _BATCH))):
                results = list(pool.map(upload, batch))
                succeeded += sum(results)
                failed += [path for (path, _), uploaded in zip(batch, results, strict=True) if not uploaded]
        return Counts(succeeded, tuple(failed))

    def _existing(self, path: str) -> Path:
        try:
            start = self._root / _checked(path)
        except ValueError as error:
            raise MissingPathError(path) from error
        if not start.exists():
            raise MissingPathError(path)
        return start

    def _changed_files(self, starts: list[Path], links: list[Link]) -> Iterator[tuple[str, Link]]:
        for file in itertools.chain.from_iterable(map(_files, starts)):
            path = file.relative_to(self._root).as_posix()
            link = next((each for each in links if each.holds(path)), None)
            if link is not None and self._has_changed(file, path):
                yield path, link

    def _has_changed(self, file: Path, path: str) -> bool:
        entry = self._manifest.get(path)
        status = file.stat()
        return entry is None or (entry.size, entry.mtime_ns) != (status.st_size, status.st_mtime_ns)

    def _upload(self, path: str, link: Link) -> bool:
        file = self._root / path
        try:
            status = file.stat()  # before the upload: what is written meanwhile counts as changed
            self._s3.upload_file(str(file), link.bucket, link.key(path))
        except TRANSFER_FAULTS as error:
            logger.warning("%s cannot be exported: %s", path, error)
            return False
        self._manifest.put(
            [Entry(path, link.bucket, link.key(path), status.st_size, status.st_mtime_ns, False, present=True)]
        )
        return True


def _files(start: Path) -> Iterator[Path]:
    if not start.is_dir():
        yield start
        return
    for folder, _, names in os.walk(start):
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                yield file


def _checked(path: str) -> str:
    """`path`, if it stays below the root that it is relative to. Raises ValueError."""
    parts = path.removesuffix("/").split("/")
    if path and not all(part not in {"", ".", ".."} for part in parts):
        raise ValueError(f"{path!r} is no path of a file")
    return path


def _make_placeholder(file: Path, size: int, mtime_ns: int) -> None:
    """A sparse file: it has the size and takes no space."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with file.open("wb") as empty:
        empty.truncate(size)
    os.utime(file, ns=(mtime_ns, mtime_ns))


def _link_to_nothing(file: Path, words: str) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to(words)


def _is_link_to_nothing(file: Path) -> bool:
    return file.is_symlink() and str(file.readlink()) in (ARCHIVED_LINK, DELETED_LINK)
