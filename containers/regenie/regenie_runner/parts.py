"""Reads the chunks' results of one trait, in genome order, independent of the plan's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.chromosomes import GENOME_END, chromosome_number, genome_key
from regenie_runner.errors import RunnerError
from regenie_runner.rows import Columns, Keys, Rows, read_columns, read_rows

_LINES_AT_A_TIME = 50_000
_READ_ONCE_BYTES = 8 << 20
"""A part up to this is kept while it is seen whether it is in order: about 120,000 lines, 100 MB with their fields."""
_RANGE = "--range"
_CHROMOSOME = "--chr"


class Part(NamedTuple):
    """One chunk's results of one trait."""

    path: Path
    columns: Columns
    number: int  # in the plan: decides between variants of different data sets at one position
    start: int  # genome keys of the first and the last position that the chunk may hold
    end: int

    @property
    def is_large(self) -> bool:
        """Whether its lines would take too much memory all at once."""
        return self.path.stat().st_size > _READ_ONCE_BYTES

    def rows(self, columns: Columns) -> Iterator[Rows]:
        """Its lines with these columns, in blocks."""
        return (block.in_columns(columns) for block in read_rows(self.path, self.columns))


def part_name(trait: str) -> str:
    """Name of a chunk's results of a trait, in the chunk's folder."""
    return f"chunk_{trait}.regenie"


def parts_of(trait: str, chunks: Sequence[Mapping[str, Any]], work: Path) -> list[Part]:
    """The parts of a trait in genome order; RunnerError if one is missing, or has no header."""
    if not chunks:
        raise RunnerError("The plan of step 2 is missing or empty, so there is nothing to merge.")
    parts = []
    headers: dict[tuple[str, ...], Columns] = {}  # a hundred thousand parts have one or two
    for number, chunk in enumerate(chunks):
        path = work / chunk["output"] / part_name(trait)
        columns = read_columns(path)
        columns = headers.setdefault(columns.names, columns)
        parts.append(Part(path, columns, number, *_extent(chunk["command"])))
    return sorted(parts, key=lambda part: (part.start, part.number))


def place_words(command: Sequence[str]) -> list[str]:
    """The words of a chunk's command that say where in the genome its results lie; none if it does not say."""
    for option in (_RANGE, _CHROMOSOME):
        if option in command[:-1]:
            return [option, command[command.index(option) + 1]]
    return []


def _extent(command: Sequence[str]) -> tuple[int, int]:
    """First and last genome key of `--range C:START-END`, or of `--chr C` (gene sets); else anywhere."""
    match place_words(command):
        case [option, place] if option == _RANGE:
            chromosome, _, positions = place.partition(":")
            start, _, end = positions.partition("-")
            number = chromosome_number(chromosome)
            return genome_key(number, int(start)), genome_key(number, int(end))
        case [_, chromosome]:
            number = chromosome_number(chromosome)
            return genome_key(number, 0), genome_key(number + 1, 0) - 1
        case _:
            return 0, GENOME_END


def common_columns(parts: Sequence[Part]) -> Columns:
    """The widest header, which has the columns of all: data sets of BGEN have INFO, those of BED do not."""
    widest = max((part.columns for part in parts), key=len)
    for part in parts:
        if any(name not in widest for name in part.columns.names):
            raise RunnerError(f"The header of {part.path} has columns that no other part has.")
    return widest


def in_genome_order(parts: Sequence[Part], columns: Columns) -> Iterator[Rows]:
    """All lines by chromosome and position; variants at one position in the order of their data sets.

    Cutting never parts a position, so this order does not depend on how the variants were cut. Parts that overlap no
    other stream through; what overlaps (data sets of the same chromosome) waits until nothing before it can follow.
    """
    waiting = _Waiting(columns)
    last = 0
    for part, bound in zip(parts, [*(part.start for part in parts[1:]), GENOME_END + 1], strict=True):
        released = _as_it_is(part, columns) if waiting.is_empty and part.end < bound else None
        if released is None:
            waiting.add(part.number, part.rows(columns))
            released = waiting.release(bound)
        for block in released:
            if block.keys[0] < last:
                raise RunnerError(f"The results {part.path} have variants outside the range that was planned.")
            last = int(block.keys[-1])
            yield block


def _as_it_is(part: Part, columns: Columns) -> Iterable[Rows] | None:
    """Its lines, if they are in order: X with its pseudo-autosomal regions, and files that nobody sorted, are not."""
    if part.is_large:  # read twice, and not kept
        return part.rows(columns) if _ascend(part.rows(columns)) else None
    blocks = list(part.rows(columns))
    return blocks if _ascend(blocks) else None


def _ascend(blocks: Iterable[Rows]) -> bool:
    last = 0
    for block in blocks:
        if block.keys[0] < last or not block.ascend:
            return False
        last = int(block.keys[-1])
    return True


class _Lines(NamedTuple):
    """Lines of one part, without their fields, which would take ten times the memory."""

    number: int
    lines: list[bytes]
    keys: Keys


class _Waiting:
    """Lines that later parts may still have to come before."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._waiting: list[_Lines] = []

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def add(self, number: int, blocks: Iterable[Rows]) -> None:
        self._waiting += [_Lines(number, block.text.splitlines(keepends=True), block.keys) for block in blocks]

    def release(self, bound: int) -> Iterator[Rows]:
        """Take all lines before `bound` out, in order."""
        if not self._waiting:
            return
        lines = [line for block in self._waiting for line in block.lines]
        keys = np.concatenate([block.keys for block in self._waiting])
        numbers = np.concatenate([np.full(len(block.lines), block.number) for block in self._waiting])
        order = np.lexsort((numbers, keys))  # by key, then by number, then as they were
        ready = int(np.searchsorted(keys[order], bound))
        kept = order[ready:]
        self._waiting = [
            _Lines(number, _chosen(lines, kept[numbers[kept] == number]), keys[kept[numbers[kept] == number]])
            for number in np.unique(numbers[kept]).tolist()
        ]
        for start in range(0, ready, _LINES_AT_A_TIME):
            chosen = _chosen(lines, order[start : min(start + _LINES_AT_A_TIME, ready)])
            yield Rows(self._columns, b"".join(chosen), "the sorted results")


def _chosen(lines: Sequence[bytes], which: npt.NDArray[np.intp]) -> list[bytes]:
    return [lines[i] for i in which.tolist()]
