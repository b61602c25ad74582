"""Whether an object in S3 and a file of this machine have the same content, by the SHA-256 that S3 keeps of the object.

S3 compares it with what it receives, and keeps it with the object: of one that came in one part the digest of its
bytes, of one in several parts the digest of the parts' digests with the parts' number behind it (`…=-3`; S3 user guide,
"Checking object integrity"). The ETag does not tell, since the buckets are encrypted with a key of KMS (S3 API
reference, Object).
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from genolaunch.platform import Platform

ALGORITHM: Final = "SHA256"
"""With which everything is uploaded that is compared later (ChecksumAlgorithm)."""

_SMALLEST_PART: Final = 8 << 20
_MOST_PARTS: Final = 10_000
"""Of one upload (S3 user guide, "Amazon S3 multipart upload limits")."""
_BLOCK: Final = 1 << 20
_NOT_TO_BE_SEEN: Final = frozenset({403, 404})


def part_size(size: int) -> int:
    """Bytes of each part of a file of `size` bytes but the last one; a file that is smaller goes up in one piece."""
    return max(_SMALLEST_PART, -(-size // _MOST_PARTS))


def stored_checksum(platform: "Platform", bucket: str, key: str) -> str | None:
    """The SHA-256 that S3 keeps of an object, as S3 writes it.

    None: it was uploaded without one, or the caller may not read it (s3:GetObject, and kms:Decrypt for the checksum:
    S3 API reference, HeadObject).
    """
    try:
        head = platform.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except platform.s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _NOT_TO_BE_SEEN:
            raise
        return None
    return head.get("ChecksumSHA256")


def is_content_of(file: Path, checksum: str, progressed: Callable[[int], None] = lambda _: None) -> bool:
    """Whether a file has the content of which S3 keeps this checksum.

    False also where that cannot be told: the object came in other parts than `part_size` cuts. `progressed` is told the
    bytes as they are read.
    """
    size = file.stat().st_size
    _, _, parts = checksum.partition("-")
    if not parts:
        whole = next(_digests(file, size, progressed), hashlib.sha256().digest())
        return checksum == base64.b64encode(whole).decode()
    part = part_size(size)
    if parts != str(-(-size // part)):
        return False
    together = hashlib.sha256(b"".join(_digests(file, part, progressed))).digest()
    return checksum == f"{base64.b64encode(together).decode()}-{parts}"


def _digests(file: Path, part: int, progressed: Callable[[int], None]) -> Iterator[bytes]:
    """Of each part of a file; of an empty file none."""
    with file.open("rb") as content:
        while first := content.read(min(_BLOCK, part)):
            digest, left, block = hashlib.sha256(), part, first
            while block:
                digest.update(block)
                progressed(len(block))
                left -= len(block)
                block = content.read(min(_BLOCK, left))
            yield digest.digest()
