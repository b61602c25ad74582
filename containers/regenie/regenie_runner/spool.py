"""Keeps what a scan collects in a temporary file: of 50 million variants it would fill most of a job's memory.

A chromosome at a time comes back. The file has no name, so nothing is left when the job ends, however it does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int32]
Bins = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.uint16]
Bools = npt.NDArray[np.bool_]


class Chromosome(NamedTuple):
    """One chromosome's variants in ascending position; all arrays have the same length."""

    name: str
    positions: Positions  # base pairs
    log10p: Floats  # -log10 of the p-value; NaN where the test failed
    chisq: Floats  # NaN where the test failed; of interactions possibly of several degrees of freedom
    frequencies: Bins  # how many of scan.FREQUENCY_BOUNDS the minor allele frequency reaches
    tests: Codes  # places among the scan's tests

    def chosen(self, rows: Bools) -> Chromosome:
        """Some of the rows."""
        return Chromosome(
            self.name,
            self.positions[rows],
            self.log10p[rows],
            self.chisq[rows],
            self.frequencies[rows],
            self.tests[rows],
        )


_ROW_BYTES = 4 + 4 + 4 + 1 + 2


class _Piece(NamedTuple):
    """Rows that were written together, column after column."""

    offset: int  # bytes
    rows: int


class Spool:
    """Chromosomes in the order in which they came."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self._end = 0
        self._pieces: dict[str, list[_Piece]] = {}

    def add(self, segment: Chromosome) -> None:
        """Take further rows of a chromosome."""
        rows = segment.positions.size
        if not rows:
            return
        for column in (segment.positions, segment.log10p, segment.chisq, segment.frequencies, segment.tests):
            self._file.write(column.tobytes())
        self._pieces.setdefault(segment.name, []).append(_Piece(self._end, rows))
        self._end += rows * _ROW_BYTES

    def __iter__(self) -> Iterator[Chromosome]:
        """All rows of one chromosome after another; those without rows are left out."""
        for name, pieces in self._pieces.items():
            positions, log10p, chisq, frequencies, tests = zip(*map(self._read, pieces), strict=True)
            yield Chromosome(
                name,
                np.concatenate(positions),
                np.concatenate(log10p),
                np.concatenate(chisq),
                np.concatenate(frequencies),
                np.concatenate(tests),
            )

    def _read(self, piece: _Piece) -> tuple[Positions, Floats, Floats, Bins, Codes]:
        self._file.seek(piece.offset)
        content, rows = self._file.read(piece.rows * _ROW_BYTES), piece.rows
        return (
            np.frombuffer(content, np.int32, rows),
            np.frombuffer(content, np.float32, rows, 4 * rows),
            np.frombuffer(content, np.float32, rows, 8 * rows),
            np.frombuffer(content, np.uint8, rows, 12 * rows),
            np.frombuffer(content, np.uint16, rows, 13 * rows),
        )
