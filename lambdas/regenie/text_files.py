"""What makes words of a text file other words to regenie: Windows line ends, a byte-order mark, compression.

regenie takes a carriage return for a part of the last word of a line, and a mark for one of the first. A list of
samples to remove would then remove nobody and a list of variants to leave out none of them, both with exit code 0, and
the last allele of a .bim file would carry the carriage return into every result. (regenie's sources: Files.cpp reads
lines up to the line feed and splits them at spaces and tabs alone.)
"""

from pathlib import PurePosixPath
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.shared.input_error import UnusableInputError

_HEAD_BYTES: Final = 1 << 16
_NOT_OF_LINES: Final = frozenset({".bed", ".pgen", ".bgen", ".bgi", ".gz", ".zst"})
_GZIP: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
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


def check_start(head: bytes, uri: str) -> None:
    """Raise UnusableInputError if a file that begins with `head` is compressed, or has a byte-order mark."""
    if head.startswith(_GZIP):
        raise UnusableInputError(f"needs {uri}, which is compressed, and cannot be checked so", "Unpack it: gunzip.")
    if head.startswith(_BYTE_ORDER_MARK):
        raise UnusableInputError(
            f"needs {uri}, which begins with an invisible byte-order mark, as spreadsheet programs write it: regenie "
            "takes it for a part of the first word",
            "Remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE, or save the file as UTF-8 without it.",
        )


def windows_line_ends(uri: str) -> UnusableInputError:
    """The fault of such a file."""
    return UnusableInputError(
        f"needs {uri}, which has Windows line ends: regenie takes them for a part of the last word of a line, and so "
        "finds none of these names",
        "Remove them: sed -i 's/\\r$//' FILE, or dos2unix.",
    )
