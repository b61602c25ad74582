"""Finds what changes how a text file's words are read: Windows line endings, a byte-order mark, compression.

regenie 4.1.2 strips a carriage return from most files, but not from rows of a .psam, nor of phenotypes and covariates,
where it reads numbers past it and ends at an NA before it (run on each kind of file). Older versions, the tools beside
it and this platform's own quality control strip none, and take it for a part of the last word: a list of samples to
remove would remove nobody. A mark is a part of the first word to all of them.
"""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.shared.input_error import UnusableInputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
_NOT_OF_LINES: Final = frozenset({".bed", ".pgen", ".bgen", ".bgi", ".gz", ".zst"})
_GZIP: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_OLD_LINE_END: Final = b"\r"
_LAST_WORD_UNUSED: Final = frozenset({".fam"})
"""regenie reads ids and sex of a .fam file, and not the phenotype behind them."""


def check_text(data: DataSet, path: str) -> None:
    """Look at the beginning of a text file; others pass.

    Raises:
        UnusableInputError: its words are not what they seem.
    """
    if PurePosixPath(path).suffix in _NOT_OF_LINES:
        return
    head = data.head(path, _HEAD_BYTES)
    check_start(head, data.uri(path))
    if b"\r\n" in head and PurePosixPath(path).suffix not in _LAST_WORD_UNUSED:
        raise windows_line_ends(data.uri(path))


def unpacked_lines(data: DataSet, path: str) -> Iterator[bytes]:
    """Lines without their ends, unpacked where regenie unpacks: a name that ends in .gz, and gzip's first two bytes.

    Raises:
        UnusableInputError: missing, damaged, or compressed under another name.
    """
    head = data.head(path, _HEAD_BYTES)
    if PurePosixPath(path).suffix != ".gz" or not head.startswith(_GZIP):
        check_start(head, data.uri(path))
        yield from data.lines(path)
        return
    try:
        with gzip.open(BufferedReader(_Bytes(data, path), _BLOCK_BYTES)) as lines:
            yield from (line.removesuffix(b"\n") for line in lines)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableInputError(
            f"needs {data.uri(path)}, whose compressed content is damaged or not whole", "Compress and upload it again."
        ) from error


class _Bytes(RawIOBase):
    """An object's bytes, as gzip reads a file."""

    def __init__(self, data: DataSet, path: str) -> None:
        super().__init__()
        self._data = data
        self._path = path
        self._start = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        block = self._data.read(self._path, self._start, len(view))
        view[: len(block)] = block
        self._start += len(block)
        return len(block)


def check_start(head: bytes, uri: str) -> None:
    """Raise UnusableInputError if a file that begins with `head` is compressed, or has a byte-order mark."""
    if head.startswith(_GZIP):
        raise UnusableInputError(
            f"needs {uri}, which is compressed, and cannot be checked in this form", "Unpack it: gunzip."
        )
    if head.startswith(_UTF_16):
        raise UnusableInputError(
            f"needs {uri}, which is written in UTF-16, which regenie cannot read",
            "Save it as plain text (UTF-8): iconv -f UTF-16 -t UTF-8 FILE.",
        )
    if _OLD_LINE_END in head.replace(b"\r\n", b"").partition(b"\n")[0].rstrip(b"\r"):
        raise UnusableInputError(
            f"needs {uri}, whose lines end in a carriage return alone, as old programs write them: all of it is one "
            "line to regenie",
            "Write line ends: tr '\\r' '\\n' < FILE.",
        )
    if head.startswith(_BYTE_ORDER_MARK):
        raise UnusableInputError(
            f"needs {uri}, which begins with an invisible byte-order mark, as spreadsheet programs write it: regenie "
            "takes it for a part of the first word",
            "Remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE, or save the file as UTF-8 without it.",
        )


def windows_line_ends(uri: str) -> UnusableInputError:
    """The fault of such a file."""
    return UnusableInputError(
        f"needs {uri}, which has Windows line endings: not every reader of it takes them off, and to the others they "
        "are a part of the last word of a line",
        "Remove them: sed -i 's/\\r$//' FILE, or dos2unix.",
    )
