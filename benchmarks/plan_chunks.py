"""What it takes to plan the chunks of a long list of variants: by samples of it, against reading it whole.

    .venv/bin/python -m benchmarks.plan_chunks            # 1, 10 and 100 million variants
    .venv/bin/python -m benchmarks.plan_chunks 1 10       # these many million

The list is simulated: a .bim whose bytes are computed where they are read, so that nothing large is stored. Its 22
chromosomes have the proportions of the human genome, names are rs numbers, positions grow from 5 to 9 digits, and every
twelfth variant has longer alleles. Each plan is made in a process of its own, whose peak memory (resident, with the
interpreter) is shown. Time is this machine's processor's, without any network; making the lines is part of it, and how
long that takes alone is shown beside it. To S3, a request takes some 20 to 50 ms, and 10 of them are under way at a
time. Reading whole is measured up to 10 million variants; beyond, it is extrapolated, and marked ~.
"""

import argparse
import resource
import time
from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from multiprocessing import get_context
from threading import Lock
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles
from lambdas.regenie.chunks import Chunk, Survey, survey
from lambdas.regenie.sampling import sample_list
from lambdas.regenie.variants import line_parser, variant_positions

VARIANTS_PER_JOB = 50_000
MEASURED_WHOLE_UP_TO = 10_000_000
FILES = GenotypeFiles("cohort.bed")
MEGABASES = (249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51)
"""Of chromosomes 1 to 22 (GRCh38, rounded)."""
PERIOD = 36
"""Lines after which the lengths of alleles repeat."""
BLOCK_LINES = 28 * PERIOD
"""Lines that are made at once."""


class Block(NamedTuple):
    """Neighbouring variants of one chromosome."""

    chromosome: int
    first: int  # number of its first variant within the chromosome
    lines: int

    def text(self) -> bytes:
        """Its lines, the same whenever they are asked for."""
        numbers = range(self.first, self.first + self.lines)
        return b"".join(
            b"%d\trs%d\t0\t%d\t%s\tG\n" % (self.chromosome, self.name(n), position(n), alleles(n)) for n in numbers
        )

    def name(self, number: int) -> int:
        """The digits of an rs number."""
        return 1_000_000 * self.chromosome + 13 * number

    def widths(self, number: int) -> int:
        """Characters of a line that grow along a chromosome."""
        return len(str(self.name(number))) + len(str(position(number)))

    def bytes(self) -> int:
        """Length of its text, computed where the whole block's numbers have as many digits."""
        first, last = self.widths(self.first), self.widths(self.first + self.lines - 1)
        if first != last or self.lines != BLOCK_LINES:
            return len(self.text())
        fixed = len(b"%d\trs\t0\t\t\tG\n" % self.chromosome)
        return self.lines * (fixed + first) + BLOCK_LINES // PERIOD * sum(len(alleles(n)) for n in range(PERIOD))


def position(number: int) -> int:
    """Base pairs; it grows by 2 to 58."""
    return 10_000 + 30 * number + number * number % 29


def alleles(number: int) -> bytes:
    """Mostly one letter."""
    return b"ACGTTGCAAC"[: 2 + number % 9] if number % 12 == 0 else b"A"


@dataclass(frozen=True, slots=True)
class SimulatedList(DataSet):
    """A data set whose .bim is made where it is read."""

    blocks: list[Block] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Offset behind each block."""
    counts: list[int] = field(default_factory=list)
    """Lines up to the end of each block."""
    reads: list[int] = field(default_factory=list)
    """Bytes of each request."""
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, variants: int) -> "SimulatedList":
        """One with so many variants."""
        counts = [variants * size // sum(MEGABASES) for size in MEGABASES]
        counts[0] += variants - sum(counts)
        blocks = [
            Block(number, first, min(BLOCK_LINES, count - first))
            for number, count in enumerate(counts, start=1)
            for first in range(0, count, BLOCK_LINES)
        ]
        ends = accumulate(block.bytes() for block in blocks)
        return cls("simulated", "", blocks, list(ends), list(accumulate(block.lines for block in blocks)))

    def size(self, path: str) -> int:  # noqa: ARG002 - there is one file
        """Bytes of the .bim."""
        return self.ends[-1]

    def read(self, path: str, start: int, length: int) -> bytes:  # noqa: ARG002 - there is one file
        """As from S3."""
        first, last = bisect_right(self.ends, start), bisect_right(self.ends, start + length - 1)
        text = b"".join(block.text() for block in self.blocks[first : last + 1])
        begin = start - (self.ends[first - 1] if first else 0)
        found = text[begin : begin + length]
        with self.lock:
            self.reads.append(len(found))
        return found

    def lines(self, path: str) -> Iterator[bytes]:  # noqa: ARG002 - there is one file
        """All of it, by one request."""
        self.reads.append(self.ends[-1])
        for block in self.blocks:
            yield from block.text().split(b"\n")[:-1]

    def lines_before(self, offset: int) -> int:
        """Number of lines up to a byte at which a line begins."""
        index = bisect_right(self.ends, offset)
        lines = self.counts[index - 1] if index else 0
        inside = offset - (self.ends[index - 1] if index else 0)
        return lines + (self.blocks[index].text()[:inside].count(b"\n") if inside else 0)


class Measurement(NamedTuple):
    """What one plan took."""

    chunks: int
    smallest: int  # variants of a chunk, counted
    largest: int
    requests: int
    bytes: int
    size: int
    seconds: float
    making: float  # seconds for making the lines alone
    peak_mib: float


def sampled(data: SimulatedList, variants: int) -> Survey:
    """The plan by samples."""
    return sample_list(data, line_parser(data, FILES), variants, VARIANTS_PER_JOB)


def whole(data: SimulatedList, _variants: int) -> Survey:
    """The plan by all lines."""
    return survey(variant_positions(data, FILES), VARIANTS_PER_JOB)


PLANS = {"sampled": sampled, "whole": whole}


def measure(way: str, variants: int) -> Measurement:
    """Plan once, in this process."""
    data = SimulatedList.of(variants)
    started = time.perf_counter()
    found = PLANS[way](data, variants)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    sizes = [lines_of(data, chunk) for chunk in found.chunks]
    assert sum(sizes) == variants, "every variant is in one chunk"
    reads = list(data.reads)
    return Measurement(
        len(sizes), min(sizes), max(sizes), len(reads), sum(reads), data.ends[-1], seconds, making(data, way), peak
    )


def lines_of(data: SimulatedList, chunk: Chunk) -> int:
    """Variants of a chunk: counted, where the plan has an estimate."""
    if chunk.slice is None:
        return chunk.variants
    return data.lines_before(chunk.slice.end) - data.lines_before(chunk.slice.start)


def making(data: SimulatedList, way: str) -> float:
    """Seconds for making the lines that were read, without looking at them."""
    started = time.perf_counter()
    blocks = data.blocks if way == "whole" else data.blocks[:: max(1, len(data.blocks) // len(data.reads))]
    for block in blocks:
        block.text()
    return time.perf_counter() - started


def in_a_process_of_its_own(way: str, variants: int) -> Measurement:
    """So that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(measure, way, variants).result()


def extrapolated(measured: Measurement, factor: float) -> Measurement:
    """For so many times the variants: time and bytes grow with them, memory with the longest chromosome's positions."""
    positions = 4 * MEASURED_WHOLE_UP_TO * MEGABASES[0] / sum(MEGABASES) / (1 << 20)
    return measured._replace(
        chunks=round(measured.chunks * factor),
        bytes=round(measured.bytes * factor),
        size=round(measured.size * factor),
        seconds=measured.seconds * factor,
        making=measured.making * factor,
        peak_mib=measured.peak_mib + positions * (factor - 1),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("millions", nargs="*", type=int, default=[1, 10, 100], help="million variants")
    table = Table(
        "variants", "way", "chunks", "variants of a chunk", "requests", "bytes", "of the list", "seconds", "peak MiB",
        title=f"Planning jobs of {VARIANTS_PER_JOB:,} variants",
    )  # fmt: skip
    for millions in options.parse_args().millions:
        variants = millions * 1_000_000
        add_row(table, variants, "sampled", in_a_process_of_its_own("sampled", variants), "")
        measured = min(variants, MEASURED_WHOLE_UP_TO)
        read_whole = in_a_process_of_its_own("whole", measured)
        estimate = "~" if measured < variants else ""
        add_row(table, variants, "whole", extrapolated(read_whole, variants / measured), estimate)
    Console(width=150).print(table)


def add_row(table: Table, variants: int, way: str, found: Measurement, estimate: str) -> None:
    table.add_row(
        f"{variants:,}",
        way,
        f"{estimate}{found.chunks:,}",
        f"{found.smallest:,} to {found.largest:,}",
        f"{found.requests:,}",
        f"{estimate}{found.bytes:,}",
        f"{found.bytes / found.size:.2%}",
        f"{estimate}{found.seconds:.1f} (making lines: {estimate}{found.making:.1f})",
        f"{estimate}{found.peak_mib:.0f}",
    )


if __name__ == "__main__":
    main()
