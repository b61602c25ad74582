"""Lines of regenie's results, with their fields: read in blocks, never a whole file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from regenie_runner.chromosomes import chromosome_number
from regenie_runner.errors import RunnerError

Keys = npt.NDArray[np.int64]

BLOCK_BYTES = 512 << 10
"""The fields of so much text, as Python objects, stay in a processor's cache."""

NEEDED_COLUMNS = ("CHROM", "GENPOS", "ID", "ALLELE0", "ALLELE1", "A1FREQ", "N", "BETA", "SE", "CHISQ", "LOG10P")
NO_VALUE = b"NA"
NOT_NUMBERS = frozenset({NO_VALUE, b"nan", b"-nan", b"inf", b"-inf"})
"""What may stand where a number was to be."""


class Columns:
    """The columns of results, by their header. BGEN input adds INFO, some options add others."""

    def __init__(self, names: Sequence[str], source: str) -> None:
        self.names = tuple(names)
        missing = [name for name in NEEDED_COLUMNS if name not in self.names]
        if missing:
            raise RunnerError(f"The results in {source} lack the columns {', '.join(missing)}.")
        self._places = {name: place for place, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def place(self, name: str) -> int:
        """Number of a column, from 0."""
        return self._places[name]

    def header(self, separator: str) -> bytes:
        """The first line of a file."""
        return (separator.join(self.names) + "\n").encode()


class Rows:
    """Whole lines of results, separated by spaces."""

    def __init__(self, columns: Columns, text: bytes, source: str) -> None:
        self.columns = columns
        self.text = text
        self.source = source
        self.count = text.count(b"\n")
        self._fields = text.split()
        if len(self._fields) != self.count * len(columns):
            raise RunnerError(f"A line of {source} does not have {len(columns)} fields.")

    def column(self, name: str) -> list[bytes]:
        """One column's fields."""
        return self._fields[self.columns.place(name) :: len(self.columns)]

    @cached_property
    def positions(self) -> npt.NDArray[np.int64]:
        """In base pairs."""
        return np.fromiter(map(int, self.column("GENPOS")), np.int64, self.count)

    @cached_property
    def chromosomes(self) -> list[tuple[str, slice]]:
        """Stretches of lines of one chromosome."""
        names = self.column("CHROM")
        if names and names.count(names[0]) == len(names):  # nearly always; and much faster than looking for changes
            return [(names[0].decode(), slice(0, self.count))]
        starts = [i for i in range(self.count) if i == 0 or names[i] != names[i - 1]]
        return [(names[i].decode(), slice(i, j)) for i, j in zip(starts, [*starts[1:], self.count], strict=True)]

    @cached_property
    def keys(self) -> Keys:
        """Place of each line in the genome (chromosomes.genome_key)."""
        keys = self.positions.copy()
        for name, stretch in self.chromosomes:
            keys[stretch] |= chromosome_number(name) << 32
        return keys

    @property
    def ascend(self) -> bool:
        """Whether the lines are in genome order."""
        return bool(np.all(self.keys[1:] >= self.keys[:-1]))

    def in_columns(self, columns: Columns) -> Rows:
        """The same lines with more columns, whose fields are NA."""
        if columns.names == self.columns.names:
            return self
        fields = [self.column(name) if name in self.columns else [NO_VALUE] * self.count for name in columns.names]
        return Rows(columns, joined(fields, b" "), self.source)


def joined(columns: Sequence[Sequence[bytes]], separator: bytes) -> bytes:
    """Lines of text from columns."""
    return b"\n".join(map(separator.join, zip(*columns, strict=True))) + b"\n"


def read_columns(path: Path) -> Columns:
    """From the first line of a result file; RunnerError if the file is missing or has none."""
    try:
        with path.open("rb") as file:
            header = file.readline()
    except FileNotFoundError:
        raise RunnerError(f"The results {path} do not exist.") from None
    if not header.endswith(b"\n"):
        raise RunnerError(f"The results {path} have no header.")
    return Columns(header.decode().split(), str(path))


def read_rows(path: Path, columns: Columns) -> Iterator[Rows]:
    """The lines after the header, in blocks; RunnerError if the last line is cut short."""
    with path.open("rb") as file:
        file.readline()
        while text := file.read(BLOCK_BYTES) + file.readline():
            if not text.endswith(b"\n"):
                raise RunnerError(f"The results {path} end in the middle of a line.")
            yield Rows(columns, text, str(path))
