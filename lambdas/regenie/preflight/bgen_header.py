"""The header of a BGEN file (BGEN specification 1.x, "The header block")."""

from typing import NamedTuple

from genolaunch.regenie.data_set import DataSet

_BEFORE_FREE_DATA = 16
"""Bytes of the offset, the header's length, and the numbers of variants and samples."""


class BgenHeader(NamedTuple):
    """What is read of it; 0 where the file ends too early."""

    first_variant: int
    """Byte of the file at which the variants begin."""
    end: int
    """Byte of the file at which the header ends, and the sample identifiers begin, if there are any."""
    samples: int
    flags: int

    @property
    def compression(self) -> int:
        """0 none, 1 zlib, 2 Zstandard."""
        return self.flags & 0b11

    @property
    def layout(self) -> int:
        """1 or 2."""
        return self.flags >> 2 & 0b1111

    @property
    def has_sample_ids(self) -> bool:
        """Whether the file has ids of its own."""
        return bool(self.flags >> 31)


def read_bgen_header(data: DataSet, path: str) -> BgenHeader:
    """Read it.

    Args:
        data: the launch's data.
        path: of the .bgen file below it.

    Raises:
        UnusableInputError: the file cannot be read.
    """
    header = data.head(path, _BEFORE_FREE_DATA)
    length = unsigned(header[4:8])  # counted from byte 4; the flags are its last four bytes
    return BgenHeader(4 + unsigned(header[:4]), 4 + length, unsigned(header[12:]), unsigned(data.read(path, length, 4)))


def unsigned(content: bytes) -> int:
    """An unsigned number, as all of the format are written."""
    return int.from_bytes(content, "little")
