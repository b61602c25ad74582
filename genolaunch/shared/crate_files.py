"""Files of a launch's RO-Crate: how they are named in it, and one digest of many."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

_S3: Final = "s3://"
_PLAIN: Final = "/!$&'()*+,;=@"
"""Besides letters, digits and -._~, what a path of a URL holds as it is (RFC 3986, section 3.3). A colon is left out:
before the first slash it would end a scheme's name."""


@dataclass(frozen=True, slots=True)
class CrateFolder:
    """A launch's folder of results: the root of its crate."""

    bucket: str
    prefix: str
    """Ends with a slash."""

    def id_of(self, bucket: str, key: str) -> str:
        """An object's @id: below the root its path, else its s3:// URL. A folder's ends with a slash."""
        if bucket == self.bucket and key.startswith(self.prefix):
            return quote(key.removeprefix(self.prefix), safe=_PLAIN)
        return f"{_S3}{bucket}/{quote(key, safe=_PLAIN)}"

    def place_of(self, id_: str) -> tuple[str, str]:
        """Bucket and key of an @id that id_of made."""
        if id_.startswith(_S3):
            bucket, _, key = id_.removeprefix(_S3).partition("/")
            return bucket, unquote(key)
        return self.bucket, self.prefix + unquote(id_)


def plain_etag(etag: str) -> str:
    """An ETag without the quotes in which S3 tells it."""
    return etag.strip('"')


@dataclass(slots=True)
class FilesDigest:
    """Stands for the files of a folder that are too many to be named one by one.

    The SHA-256 of a line for each file, in S3's order of keys: path below the folder, size in bytes and ETag, with a
    tab between them.
    """

    files: int = 0
    size: int = 0
    """Bytes of all files."""
    _sum: Any = field(default_factory=hashlib.sha256)

    def add(self, path: str, size: int, etag: str) -> None:
        """Count the next file."""
        self.files += 1
        self.size += size
        self._sum.update(f"{path}\t{size}\t{plain_etag(etag)}\n".encode())

    @property
    def sha256(self) -> str:
        """So far, in hexadecimal digits."""
        digest: str = self._sum.hexdigest()
        return digest
