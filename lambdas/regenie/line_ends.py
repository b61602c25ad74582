"""Windows line ends, which regenie takes for a part of the last word of a line.

A list of samples to remove would then remove nobody and a list of variants to leave out none of them, both with exit
code 0, and the last allele of a .bim file would carry the carriage return into every result. (regenie's sources:
Files.cpp reads lines up to the line feed and splits them at spaces and tabs alone.)
"""

from pathlib import PurePosixPath
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.shared.input_error import UnusableInputError

_HEAD_BYTES: Final = 1 << 16
_NOT_OF_LINES: Final = frozenset({".bed", ".pgen", ".bgen", ".bgi", ".gz", ".zst"})
_LAST_WORD_UNUSED: Final = frozenset({".fam"})
"""regenie reads ids and sex of a .fam file, and not the phenotype behind them."""


def check_line_ends(data: DataSet, path: str) -> None:
    """Look at the beginning of a text file; others pass.

    Raises:
        UnusableInputError: its lines end as Windows ends them.
    """
    if PurePosixPath(path).suffix in _NOT_OF_LINES | _LAST_WORD_UNUSED:
        return
    if b"\r\n" in data.head(path, _HEAD_BYTES):
        raise windows_line_ends(data.uri(path))


def windows_line_ends(uri: str) -> UnusableInputError:
    """The fault of such a file."""
    return UnusableInputError(
        f"needs {uri}, which has Windows line ends: regenie takes them for a part of the last word of a line, and so "
        "finds none of these names",
        "Remove them: sed -i 's/\\r$//' FILE, or dos2unix.",
    )
