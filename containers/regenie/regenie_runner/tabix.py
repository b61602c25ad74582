"""The index of merged results, and the lines of a region through it."""

from __future__ import annotations

import operator
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from regenie_runner import bgzip
from regenie_runner.errors import RunnerError
from regenie_runner.rows import Rows

INDEX_SUFFIX = ".tbi"

_WINDOW_BITS = 14
"""Base pairs of a window of the index: 2 ** 14."""
_FIRST_SMALLEST_BIN = ((1 << 15) - 1) // 7
"""Number of the first bin that is one window (SAM specification, section 5.3: reg2bin)."""
_LONGEST = 1 << 29
"""Base pairs of a chromosome that the format can index (tabix's specification)."""
_HEADER = struct.Struct("<4s8i")
_NUMBER = struct.Struct("<i")
_GENERIC, _COMMENT = 0, ord("#")
_CHROMOSOME_COLUMN, _POSITION_COLUMN, _HEADER_LINES = 1, 2, 1
_BIN = np.dtype([("bin", "<u4"), ("chunks", "<i4"), ("start", "<u8"), ("end", "<u8")])
_Integers = npt.NDArray[np.int64]


class _Chromosome:
    """The windows of one chromosome that have lines, and where in the text the first line of each begins."""

    def __init__(self) -> None:
        self.windows: list[_Integers] = []
        self.starts: list[_Integers] = []
        self.last = -1
        """The latest window."""
        self.end = 0
        """Where the text of its lines ends."""


class TabixIndex:
    """The index of tab-separated results: chromosome in column 1, position in column 2, one header line.

    It is made from the lines while they are written, not by reading the file again. All lines of a window stand side
    by side, so each bin of the index has one chunk. Format: https://samtools.github.io/hts-specs/tabix.pdf
    """

    def __init__(self, header: bytes) -> None:
        self._end = len(header)
        self._chromosomes: dict[str, _Chromosome] = {}

    def add(self, rows: Rows) -> None:
        """Take the next lines of the file.

        Raises:
            RunnerError: the lines of a chromosome are not side by side, or a position is beyond what tabix can index.
        """
        newlines = np.flatnonzero(np.frombuffer(rows.text, np.uint8) == ord("\n"))
        starts = self._end + np.concatenate([[0], newlines + 1])
        for name, stretch in rows.chromosomes:
            positions = rows.positions[stretch]
            if positions.max() > _LONGEST:
                raise RunnerError(
                    f"The position {positions.max():,} of chromosome {name} cannot be indexed: tabix takes those up "
                    f"to {_LONGEST:,}."
                )
            if name in self._chromosomes and name != next(reversed(self._chromosomes)):
                raise RunnerError(f"The lines of chromosome {name} are not side by side, so they cannot be indexed.")
            found = self._chromosomes.setdefault(name, _Chromosome())
            windows = np.maximum(positions - 1, 0) >> _WINDOW_BITS
            first = np.flatnonzero(np.diff(windows, prepend=found.last))
            found.windows.append(windows[first])
            found.starts.append(starts[stretch][first])
            found.last, found.end = int(windows[-1]), int(starts[stretch.stop])
        self._end += len(rows.text)

    def text(self, blocks: Sequence[int]) -> bytes:
        """The index, not compressed. `blocks`: where each block of the compressed results begins, in bytes."""
        places = np.array(blocks, np.int64)
        names = b"".join(name.encode() + b"\0" for name in self._chromosomes)
        layout = (_GENERIC, _CHROMOSOME_COLUMN, _POSITION_COLUMN, _POSITION_COLUMN, _COMMENT, _HEADER_LINES)
        header = _HEADER.pack(b"TBI\1", len(self._chromosomes), *layout, len(names))
        return header + names + b"".join(_chromosome(found, places) for found in self._chromosomes.values())


def _chromosome(found: _Chromosome, places: _Integers) -> bytes:
    windows = np.concatenate(found.windows)
    offsets = bgzip.virtual_offsets(np.append(np.concatenate(found.starts), found.end), places)
    bins = np.empty(windows.size, _BIN)
    bins["bin"], bins["chunks"] = _FIRST_SMALLEST_BIN + windows, 1
    bins["start"], bins["end"] = offsets[:-1], offsets[1:]
    # A window without lines has the offset of the next that has some.
    every_window = offsets[np.searchsorted(windows, np.arange(windows[-1] + 1))].astype("<u8")
    return b"".join((_NUMBER.pack(bins.size), bins.tobytes(), _NUMBER.pack(every_window.size), every_window.tobytes()))


class IndexedResults:
    """Merged results, open for reading regions; a context manager."""

    def __init__(self, path: Path) -> None:
        import pysam

        with pysam.BGZFile(os.fspath(path), "rb", None) as file:
            self._names = next(iter(file)).decode().split("\t")
        self._table = pysam.TabixFile(os.fspath(path), encoding="latin-1")  # any byte: names need not be UTF-8
        self._chromosomes = frozenset(self._table.contigs)

    def __enter__(self) -> IndexedResults:
        return self

    def __exit__(self, *_error: object) -> None:
        self._table.close()

    def region(self, chromosome: str, start: int, end: int) -> Iterator[dict[str, str]]:
        """Column name → text of the lines from `start` to `end` (base pairs, both included), through the index."""
        for line in self._lines(chromosome, start, end):
            text = line.encode("latin-1").decode(errors="replace")
            yield dict(zip(self._names, text.split("\t"), strict=True))

    def cells(self, chromosome: str, start: int, end: int, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The same lines, of which only these columns, at least two, in the order of `names`: each character is a byte
        of the file (Latin-1)."""
        chosen = operator.itemgetter(*(self._names.index(name) for name in names))
        for line in self._lines(chromosome, start, end):
            yield chosen(line.split("\t"))

    def at_least(
        self, chromosome: str, start: int, end: int, column: str, least: float, names: Sequence[str]
    ) -> Iterator[tuple[float, tuple[str, ...]]]:
        """Of the lines whose number in `column` is not less, that number and `cells`; NA is no number.

        Most lines are looked at in that column only.
        """
        chosen = operator.itemgetter(*(self._names.index(name) for name in names))
        from_end = len(self._names) - self._names.index(column)
        for line in self._lines(chromosome, start, end):
            cell = line.rsplit("\t", from_end)[-from_end]
            if cell != "NA" and (value := float(cell)) >= least:
                yield value, chosen(line.split("\t"))

    def _lines(self, chromosome: str, start: int, end: int) -> Iterable[str]:
        return self._table.fetch(chromosome, max(start, 1) - 1, end) if chromosome in self._chromosomes else ()
