"""Reads regenie's results of one trait in blocks, and keeps of each variant what plots and statistics need.

Memory: 16 bytes a variant (10 million variants: 160 MB), and one block of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.errors import RunnerError

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int32]
Rows = npt.NDArray[np.uint32]

BLOCK_BYTES = 4 << 20
"""Large enough for numpy and zlib to work in bulk; its fields as Python objects take about 50 MB."""

NEEDED_COLUMNS = ("CHROM", "GENPOS", "ID", "ALLELE0", "ALLELE1", "A1FREQ", "N", "BETA", "SE", "CHISQ", "LOG10P")


class Block(NamedTuple):
    """Whole lines of a result file, without its header."""

    path: Path
    offset: int
    text: bytes


class Chromosome(NamedTuple):
    """One chromosome's variants in ascending position; all arrays have the same length."""

    name: str
    positions: Positions  # base pairs
    log10p: Floats  # -log10 of the p-value; NaN where the test failed
    chisq: Floats  # 1 degree of freedom; NaN where the test failed
    rows: Rows  # number of the variant's line in the merged file, header not counted, from 0

    def chosen(self, which: slice | npt.NDArray[np.intp]) -> Chromosome:
        """A copy of some variants."""
        return Chromosome(
            self.name,
            self.positions[which].copy(),
            self.log10p[which].copy(),
            self.chisq[which].copy(),
            self.rows[which].copy(),
        )


class ResultColumns:
    """Where regenie's columns are. BGEN input adds INFO, so places are taken from the header."""

    def __init__(self, header: bytes, path: Path) -> None:
        self.names: list[str] = header.decode().split()
        missing = [name for name in NEEDED_COLUMNS if name not in self.names]
        if missing:
            raise RunnerError(f"The results in {path} lack the columns {', '.join(missing)}.")

    @property
    def count(self) -> int:
        """Fields of each line."""
        return len(self.names)

    def of(self, name: str, fields: Sequence[bytes]) -> Sequence[bytes]:
        """One column, of the fields of whole lines one after another."""
        return fields[self.names.index(name) :: self.count]


def read_header(path: Path) -> bytes:
    """First line of a result file, with its newline; RunnerError if the file is missing or has none."""
    try:
        with path.open("rb") as file:
            header = file.readline()
    except FileNotFoundError:
        raise RunnerError(f"The results {path} do not exist.") from None
    if not header.endswith(b"\n"):
        raise RunnerError(f"The results {path} have no header.")
    return header


def read_blocks(path: Path, header: bytes, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines after the header; RunnerError if the header is not the expected one or the last line is cut short."""
    with path.open("rb") as file:
        if file.readline() != header:
            raise RunnerError(f"The header of {path} is not that of the first part.")
        while True:
            offset = file.tell()
            text = file.read(block_bytes) + file.readline()
            if not text:
                return
            if not text.endswith(b"\n"):
                raise RunnerError(f"The results {path} end in the middle of a line.")
            yield Block(path, offset, text)


class Scan:
    """Collects blocks in the order of the merged file."""

    def __init__(self, columns: ResultColumns) -> None:
        self._columns = columns
        self._segments: dict[str, list[Chromosome]] = {}
        self._blocks: list[tuple[int, Path, int, int]] = []  # first row, file, offset and length in bytes
        self.rows = 0
        self.samples: tuple[int, int] | None = None
        """Smallest and largest N of a variant."""

    def add(self, block: Block) -> None:
        """Take the columns of a block; RunnerError if a line does not have the header's number of fields."""
        count, fields = block.text.count(b"\n"), block.text.split()
        if len(fields) != count * self._columns.count:
            raise RunnerError(f"A line of {block.path} does not have {self._columns.count} fields.")
        self._blocks.append((self.rows, block.path, block.offset, len(block.text)))
        self._widen_samples(self._columns.of("N", fields))
        columns = Chromosome(
            name="",
            positions=np.fromiter(map(int, self._columns.of("GENPOS", fields)), np.int32, count),
            log10p=_numbers(self._columns.of("LOG10P", fields)),
            chisq=_numbers(self._columns.of("CHISQ", fields)),
            rows=np.arange(self.rows, self.rows + count, dtype=np.uint32),
        )
        for name, part in _runs(self._columns.of("CHROM", fields)):
            self._segments.setdefault(name, []).append(columns.chosen(part)._replace(name=name))
        self.rows += count

    def _widen_samples(self, column: Sequence[bytes]) -> None:
        numbers = {int(text) for text in set(column)}
        if self.samples:
            numbers.update(self.samples)
        self.samples = (min(numbers), max(numbers))

    def take_chromosomes(self) -> list[Chromosome]:
        """The collected chromosomes in natural order (1 … 22, X, Y …). They are handed over, not kept."""
        names = sorted(self._segments, key=chromosome_order)
        return [_joined(name, self._segments.pop(name)) for name in names]

    def line(self, row: int) -> dict[str, str]:
        """Column name → text of one line, read again from its part."""
        first, path, offset, length = max(block for block in self._blocks if block[0] <= row)
        with path.open("rb") as file:
            file.seek(offset)
            line = file.read(length).split(b"\n")[row - first]
        return dict(zip(self._columns.names, (field.decode(errors="replace") for field in line.split()), strict=True))


def chromosome_order(name: str) -> tuple[int, str]:
    """Sort key: numbers first, in their order, then X, Y, MT and others; a prefix `chr` does not matter."""
    bare = name.removeprefix("chr")
    return (int(bare), "") if bare.isdecimal() else ({"X": 1000, "Y": 1001, "XY": 1002}.get(bare, 1003), bare)


def _numbers(column: Sequence[bytes]) -> Floats:
    try:
        return np.fromiter(map(float, column), np.float32, len(column))
    except ValueError:  # NA where a test failed: rare, so that the fast way is tried first
        return np.fromiter((np.nan if text == b"NA" else float(text) for text in column), np.float32, len(column))


def _runs(chromosomes: Sequence[bytes]) -> Iterator[tuple[str, slice]]:
    """Stretches of one chromosome."""
    names = np.array(chromosomes)
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist()]
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        yield chromosomes[start].decode(), slice(start, end)


def _joined(name: str, segments: list[Chromosome]) -> Chromosome:
    joined = Chromosome(
        name,
        np.concatenate([segment.positions for segment in segments]),
        np.concatenate([segment.log10p for segment in segments]),
        np.concatenate([segment.chisq for segment in segments]),
        np.concatenate([segment.rows for segment in segments]),
    )
    if np.all(joined.positions[1:] >= joined.positions[:-1]):
        return joined
    return joined.chosen(np.argsort(joined.positions, kind="stable"))
