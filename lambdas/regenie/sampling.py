"""Divides a long list of variants into chunks without reading it completely, by a few thousand small reads.

A .bim or .pvar that regenie takes is sorted by chromosome and position. So windows read here and there tell how long
its lines are, bisection finds where a chromosome begins, and one window at each cut finds where a position begins.
If the order is violated, it raises NotSampledError, and the caller reads the whole list.

What comes out: chunks whose slices of the list follow one another from its first line to its last, so that the lines
of all slices are exactly the variants of the list. How many lines a slice has is estimated here, and counted by the
job on the launch's file system, which also finds a line that is not in order between the windows.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil
from typing import Final

from genolaunch.regenie.data_set import DataSet
from lambdas.regenie.chromosomes import X_CHROMOSOME
from lambdas.regenie.chunks import Chunk, ListSlice, Survey
from lambdas.regenie.variants import LineParser, VariantPosition

MOST_READ_SHARE: Final = 0.05
"""Of the list's bytes. Where more would be needed (chunks of a few hundred lines), reading it whole is simpler."""
TOLERANCE: Final = 0.10
"""Largest relative difference between the estimated lines and the genotype file's number of variants."""
_LONGEST_WINDOW: Final = 1 << 20
"""Bytes. The header of a .pvar or a multi-allelic variant may be long, but not as long as that."""
_READERS: Final = 10
"""Threads, as many as the S3 client keeps connections (botocore's max_pool_connections)."""
_SURPLUS: Final = 0.05
"""Share of a job's variants. A smaller remainder of a chromosome is within the error of the estimate, and gets no
job."""
_END: Final[VariantPosition] = (X_CHROMOSOME + 1, 0)
"""The position of the end of a list: after every variant."""


class NotSampledError(Exception):
    """A list cannot be sampled. The message says why, and continues a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class Probing:
    """How much is read."""

    window_bytes: int = 4096
    """Of one read: about a hundred lines. S3 charges by the request, and takes some 20 ms to answer the first byte."""
    sampled_share: float = 0.01
    """Of the list's bytes, read evenly spread, by which the length of lines is known."""
    most_samples: int = 1024

    def samples(self, size: int) -> int:
        """Windows that are read of a list of `size` bytes, evenly spread."""
        return max(1, min(self.most_samples, int(self.sampled_share * size / self.window_bytes)))

    def planned_bytes(self, size: int, cuts: int) -> int:
        """What sampling, finding each chromosome between two samples by bisection, and that many cuts read."""
        samples = self.samples(size)
        bisection = max(1, size // (samples * self.window_bytes)).bit_length() + 1
        return self.window_bytes * (samples + X_CHROMOSOME * bisection + cuts)


@dataclass(frozen=True, slots=True)
class _Line:
    variant: VariantPosition
    offset: int
    """Of its first byte."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole lines that follow one another."""

    lines: Sequence[_Line]
    end: int
    """Offset of the byte behind the last line."""

    @property
    def line_bytes(self) -> float:
        return (self.end - self.lines[0].offset) / len(self.lines)


@dataclass(frozen=True, slots=True)
class _Boundary:
    """Two lines that follow one another."""

    before: _Line
    after: _Line


@dataclass(frozen=True, slots=True)
class _Run:
    """All lines of one chromosome."""

    first: _Line
    last: _Line
    next: _Line
    """The line that follows, or the end of the list."""

    @property
    def chromosome(self) -> int:
        return self.first.variant[0]


def sample_list(
    data: DataSet, parser: LineParser, variants: int, variants_per_job: int, probing: Probing | None = None
) -> Survey:
    """Cut a list of `variants` lines into chunks of about `variants_per_job`, reading little of it.

    The chunks' numbers of variants are estimates, but their slices follow one another without a gap.

    Raises:
        NotSampledError: chunks are so small that little would be saved, the list is not sorted, or its lines do not
            add up to `variants`.
        UnusableInputError: a line has no position, or a chromosome that regenie refuses.
    """
    probing = probing or Probing()
    size = data.size(parser.path)
    if probing.planned_bytes(size, variants // variants_per_job) > MOST_READ_SHARE * size:
        raise NotSampledError("is not much longer than what finding its chunks' ends would read")
    listed = _VariantList(data, parser, size, probing.window_bytes)
    with ThreadPoolExecutor(_READERS) as readers:
        windows = _sample(listed, readers, probing.samples(size))
        lines = _in_order(windows)
        density = _Density(windows, size, variants)
        starts = readers.map(lambda pair: list(_chromosome_starts(listed, *pair)), _changes(lines))
        runs = _runs(lines, [boundary for found in starts for boundary in found], size)
        wanted = [(run, offset) for run in runs for offset in _even_offsets(density, run, variants_per_job)]
        cuts = [cut for cut in readers.map(lambda place: _cut(listed, *place), wanted) if cut]
    return Survey(
        {run.chromosome: density.between(run.first.offset, run.next.offset) for run in runs},
        tuple(chunk for run in runs for chunk in _chunks(density, run, cuts, parser.position_column)),
    )


class _VariantList:
    """Windows of a list. Each is checked for its order."""

    def __init__(self, data: DataSet, parser: LineParser, size: int, window_bytes: int) -> None:
        self._data, self._parser = data, parser
        self.size, self.window_bytes = size, window_bytes

    def window(self, offset: int) -> _Window:
        """Lines that begin at or behind `offset`: at least one, unless it is in the list's last line."""
        length = self.window_bytes
        while length <= _LONGEST_WINDOW:
            window = self._read(offset, length)
            if window.lines or offset + length >= self.size:
                return window
            length *= 4
        raise NotSampledError(f"has no variant in {_LONGEST_WINDOW:,} bytes from byte {offset:,} on")

    def last_window(self) -> _Window:
        """The last lines: as many as fit into a window, but at least one."""
        length = self.window_bytes
        while not (window := self._read(max(0, self.size - length), length)).lines and length < self.size:
            length *= 4
        return window

    def between(self, start: int, end: int) -> _Window:
        """The lines that begin from `start`, where one does, up to `end`, and some behind."""
        return self._read(start, end - start + self.window_bytes)

    def _read(self, offset: int, length: int) -> _Window:
        # The byte before is read too: if a line ends there, then one begins at `offset`.
        before = min(offset, 1)
        block = self._data.read(self._parser.path, offset - before, length + before)
        reached = offset - before + len(block)
        if before:
            block = block.partition(b"\n")[2]
        start = reached - len(block)
        if reached < self.size:
            block = block[: block.rfind(b"\n") + 1]
        return _Window(list(self._lines(block, start)), start + len(block))

    def _lines(self, block: bytes, start: int) -> Iterator[_Line]:
        last: _Line | None = None
        for text in block.splitlines(keepends=True):
            variant = self._parser.parse(text)
            if variant is not None:
                line = _Line(variant, start)
                if last is not None:
                    _check_order(last, line)
                last = line
                yield line
            elif last is not None:
                raise NotSampledError(f"has a line without a variant at byte {start:,}")
            start += len(text)


def _sample(listed: _VariantList, readers: ThreadPoolExecutor, samples: int) -> list[_Window]:
    """Windows at the start, at the end, and evenly spread between, in the order of the list."""
    first, last = listed.window(0), listed.last_window()
    if not first.lines or not last.lines:
        raise NotSampledError("begins or ends with lines without a variant")
    start = first.lines[0].offset
    offsets = [start + (listed.size - start) * number // samples for number in range(1, samples)]
    inner = {window.lines[0].offset: window for window in readers.map(listed.window, offsets) if window.lines}
    # The last window goes in last: another one that begins with the same line may stop short of the list's end.
    found = {start: first} | inner | {last.lines[0].offset: last}
    return [found[offset] for offset in sorted(found)]


def _in_order(windows: Iterable[_Window]) -> list[_Line]:
    """The lines of all windows, each once."""
    found = {line.offset: line for window in windows for line in window.lines}
    lines = [found[offset] for offset in sorted(found)]
    for before, after in pairwise(lines):
        _check_order(before, after)
    return lines


def _check_order(before: _Line, after: _Line) -> None:
    if after.variant < before.variant:
        raise NotSampledError(
            f"is not sorted by chromosome and position: {_named(after)} follows {_named(before)} "
            f"(bytes {after.offset:,} and {before.offset:,})"
        )


def _named(line: _Line) -> str:
    return "{}:{}".format(*line.variant)


class _Density:
    """Estimates the number of lines up to a byte from the length of lines in the samples, interpolating between
    them."""

    def __init__(self, windows: Sequence[_Window], size: int, variants: int) -> None:
        """Raises NotSampledError if the estimated number of lines is far from `variants`."""
        self._offsets = [*(window.lines[0].offset for window in windows), size]
        lengths = [*(window.line_bytes for window in windows), windows[-1].line_bytes]
        gaps = ((end - start) for start, end in pairwise(self._offsets))
        steps = (gap * 2 / (left + right) for gap, (left, right) in zip(gaps, pairwise(lengths), strict=True))
        counts = list(accumulate(steps, initial=0.0))
        if abs(counts[-1] - variants) > TOLERANCE * variants:
            raise NotSampledError(
                f"seems to have {counts[-1]:,.0f} lines by their length in samples, for {variants:,} variants"
            )
        self._counts = [count * variants / counts[-1] for count in counts]

    def lines_before(self, offset: int) -> float:
        return _interpolate(offset, self._offsets, self._counts)

    def offset_behind(self, lines: float) -> int:
        return int(_interpolate(lines, self._counts, self._offsets))

    def between(self, start: int, end: int) -> int:
        return round(self.lines_before(end)) - round(self.lines_before(start))


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    right = min(max(bisect_right(xs, x), 1), len(xs) - 1)
    left = right - 1
    return ys[left] + (ys[right] - ys[left]) * (x - xs[left]) / (xs[right] - xs[left])


def _changes(lines: Sequence[_Line]) -> Iterator[tuple[_Line, _Line]]:
    """Neighbouring samples of different chromosomes."""
    return ((before, after) for before, after in pairwise(lines) if before.variant[0] != after.variant[0])


def _chromosome_starts(listed: _VariantList, low: _Line, high: _Line) -> Iterator[_Boundary]:
    """Where each chromosome between two lines begins, the later line's included."""
    while low.variant[0] < high.variant[0]:
        found = _boundary(listed, (low.variant[0] + 1, 0), low, high)
        yield found
        low = found.after


def _boundary(listed: _VariantList, variant: VariantPosition, low: _Line, high: _Line) -> _Boundary:
    """The first line at or behind `variant`, which is behind `low` and not behind `high`, and the line before it."""
    while high.offset - low.offset > listed.window_bytes:
        lines = listed.window((low.offset + high.offset) // 2).lines
        if not lines or lines[0].offset >= high.offset:
            break  # the middle of a very long line: read both at once
        _check_order(low, lines[0])
        _check_order(lines[0], high)
        if lines[0].variant >= variant:
            high = lines[0]
        elif lines[-1].variant < variant and lines[-1].offset < high.offset:
            low = lines[-1]
        else:
            return _first_at(variant, lines, high)
    return _first_at(variant, listed.between(low.offset, high.offset).lines, high)


def _first_at(variant: VariantPosition, lines: Sequence[_Line], high: _Line) -> _Boundary:
    index = next((index for index, line in enumerate(lines) if line.variant >= variant), len(lines))
    if index == 0:
        raise NotSampledError(f"is not sorted around byte {high.offset:,}")
    return _Boundary(lines[index - 1], lines[index] if index < len(lines) else high)


def _runs(lines: Sequence[_Line], starts: Sequence[_Boundary], size: int) -> list[_Run]:
    firsts = [lines[0], *(boundary.after for boundary in starts)]
    ends = [*starts, _Boundary(lines[-1], _Line(_END, size))]
    return [_Run(first, end.before, end.after) for first, end in zip(firsts, ends, strict=True)]


def _even_offsets(density: _Density, run: _Run, variants_per_job: int) -> Iterator[int]:
    """Where a chromosome is cut into the fewest equal parts that keep to the limit."""
    start, end = density.lines_before(run.first.offset), density.lines_before(run.next.offset)
    parts = max(1, ceil((end - start) / variants_per_job - _SURPLUS))
    return (density.offset_behind(start + (end - start) * number / parts) for number in range(1, parts))


def _cut(listed: _VariantList, run: _Run, offset: int) -> _Boundary | None:
    """The first place behind `offset` where a new position of the chromosome begins, if there is one."""
    lines = [line for line in listed.window(offset).lines if line.offset < run.next.offset]
    if not lines:
        return None
    _check_order(run.first, lines[0])
    _check_order(lines[-1], run.last)
    for before, after in pairwise(lines):
        if before.variant != after.variant:
            return _Boundary(before, after)
    chromosome, position = lines[0].variant
    found = _boundary(listed, (chromosome, position + 1), lines[0], run.next)
    return found if found.after.offset < run.next.offset else None


def _chunks(density: _Density, run: _Run, cuts: Sequence[_Boundary], position_column: int) -> Iterator[Chunk]:
    inside = {cut.after.offset: cut for cut in cuts if run.first.offset < cut.after.offset < run.next.offset}
    edges = [inside[offset] for offset in sorted(inside)]
    firsts = [run.first, *(edge.after for edge in edges)]
    ends = [*edges, _Boundary(run.last, run.next)]
    for first, end in zip(firsts, ends, strict=True):
        lines = max(1, density.between(first.offset, end.after.offset))
        part = ListSlice(first.offset, end.after.offset, position_column)
        yield Chunk(run.chromosome, first.variant[1], end.before.variant[1], lines, part)
