"""What a file system knows about its files' copies in S3; on disk, so that memory stays flat with millions of files."""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that has a copy in S3."""

    path: str
    """Relative to the file system's root, with slashes."""
    bucket: str
    key: str
    size: int
    """Bytes, of the file when it was last the same as its copy."""
    mtime_ns: int
    """Modification time of the file when it was last the same as its copy."""
    archived: bool
    """Whether the object is in an archive class, so that it must be restored before it is read."""
    present: bool
    """Whether the file holds the content; else it is a placeholder of the same size."""
    etag: str = ""
    """Of the object, when it was imported; empty for what was exported."""


class Manifest:
    """Entries of one file system, by path. Calls come from several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        with _as_os_errors():
            self._database = self._opened(file)

    @staticmethod
    def _opened(file: Path) -> sqlite3.Connection:
        database = sqlite3.connect(file, check_same_thread=False)
        # The local cloud keeps no state over a restart: nothing here needs to survive a crash.
        database.execute("PRAGMA synchronous = OFF")
        database.execute(
            "CREATE TABLE entries (path TEXT PRIMARY KEY, bucket TEXT, key TEXT, size INTEGER, mtime_ns INTEGER,"
            " archived INTEGER, present INTEGER, etag TEXT) WITHOUT ROWID"
        )
        database.execute("CREATE INDEX absent ON entries (path) WHERE NOT present")
        return database

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries, or replace those of the same paths."""
        rows = [
            (one.path, one.bucket, one.key, one.size, one.mtime_ns, one.archived, one.present, one.etag)
            for one in entries
        ]
        with self._lock, _as_os_errors(), self._database:
            self._database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def get(self, path: str) -> Entry | None:
        """The entry of a path."""
        with self._lock:
            row = self._database.execute("SELECT * FROM entries WHERE path = ?", (path,)).fetchone()
        return _entry(row) if row else None

    def absent(self) -> Iterator[list[Entry]]:
        """Batches of the entries whose content is not here, by path; those that stay absent come once."""
        after = ""
        while True:
            with self._lock:
                rows = self._database.execute(
                    "SELECT * FROM entries WHERE NOT present AND path > ? ORDER BY path LIMIT ?", (after, _BATCH)
                ).fetchall()
            if not rows:
                return
            yield [_entry(row) for row in rows]
            after = rows[-1][0]

    def forget(self, folder: str) -> None:
        """Remove the entries below a folder; empty is the root."""
        # "0" is the character after the slash: the range holds every path that starts with the folder and a slash.
        low, high = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")
        with self._lock, _as_os_errors(), self._database:
            self._database.execute("DELETE FROM entries WHERE path >= ? AND path < ?", (low, high))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """A full disk is the same to who writes to a database as to who writes to a file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def _entry(row: tuple[str, str, str, int, int, int, int, str]) -> Entry:
    path, bucket, key, size, mtime_ns, archived, present, etag = row
    return Entry(path, bucket, key, size, mtime_ns, bool(archived), bool(present), etag)
