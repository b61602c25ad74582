"""Divides a data set into jobs: blocks of step 1, chunks of step 2."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Final

from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.variants import VariantPosition

_SORT: Final = "Sort them: plink2 --sort-vars --make-pgen (and --make-bed of that)."


@dataclass(frozen=True, slots=True)
class ListSlice:
    """Where the list of variants holds exactly a chunk's: the lines from byte `start` up to, not including, `end`."""

    start: int
    end: int
    position_column: int
    """From 0."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Variants of one step 2 job: all those from `start` to `end`, both included."""

    chromosome: int
    start: int
    end: int
    variants: int
    """Exact, unless there is a slice to count them in: then an estimate."""
    slice: ListSlice | None = None

    @property
    def range(self) -> str:
        """As regenie's --range has it."""
        return f"{self.chromosome}:{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class SetChunk:
    """Sets of variants (genes) of one step 2 job, by their names: all of one chromosome."""

    chromosome: int
    sets: tuple[str, ...]
    variants: int
    """Estimate of those that the job reads, by which its resources are chosen."""

    @property
    def range(self) -> str:
        """For people."""
        return f"{self.chromosome}:{self.sets[0]}" + (f"-{self.sets[-1]}" if len(self.sets) > 1 else "")


@dataclass(frozen=True, slots=True)
class Survey:
    """What planning keeps of a data set's variants."""

    variants_by_chromosome: Mapping[int, int]
    """Estimates, if the chunks' numbers are; they add up to the exact number."""
    chunks: tuple[Chunk, ...]
    note: str | None = None
    """Why the whole list was read although it is a long one."""
    as_read: tuple[int, ...] = ()
    """Of step 1's .bgen file: its chromosomes in the order in which regenie meets them."""

    @property
    def can_be_split(self) -> bool:
        """Whether regenie can cut level 0 into jobs.

        It cuts by the chromosomes' numbers what it has by the order of the file (4.1.2's sources: Data.cpp,
        write_l0_master): where that is another, a job ends for its numbers of blocks, or has blocks of a chromosome
        that level 1 takes for another's.
        """
        return list(self.as_read) == sorted(self.as_read)

    @property
    def variants(self) -> int:
        """All variants."""
        return sum(self.variants_by_chromosome.values())

    def blocks(self, block_size: int) -> int:
        """Step 1 blocks of at most `block_size` variants; regenie cuts them within a chromosome."""
        return sum(-(-variants // block_size) for variants in self.variants_by_chromosome.values())


def survey(positions: Iterable[VariantPosition], variants_per_job: int, *, ascending: bool = False) -> Survey:
    """Count and cut a data set in one pass; memory holds the positions of one chromosome (4 bytes each).

    Args:
        positions: of all variants, in the order of the file.
        variants_per_job: of a chunk, at most.
        ascending: chromosomes have to be in the order of their numbers, as regenie demands of .bim and .pvar files.

    Raises:
        UnusableInputError: there are no variants, or a chromosome's variants are not together, or not in their order.
    """
    counts: dict[int, int] = {}
    chunks: list[Chunk] = []
    for chromosome, variants in groupby(positions, key=itemgetter(0)):
        if chromosome in counts:
            raise UnusableInputError(f"has variants of chromosome {chromosome} in several places", _SORT)
        if ascending and counts and chromosome < max(counts):
            raise UnusableInputError(
                f"has chromosome {chromosome} behind chromosome {max(counts)}; regenie takes them in ascending order",
                _SORT,
            )
        sorted_positions = _sorted(array("I", (position for _, position in variants)))
        counts[chromosome] = len(sorted_positions)
        chunks += cut_chromosome(chromosome, sorted_positions, variants_per_job)
    if not counts:
        raise UnusableInputError("lists no variants", "Check that the files are the right ones and complete.")
    return Survey(counts, tuple(chunks))


def cut_chromosome(chromosome: int, positions: Sequence[int], variants_per_job: int) -> Iterator[Chunk]:
    """Chunks of at most `variants_per_job` variants, of about the same size, in the order of the chromosome.

    Variants at one position stay together, since a range cannot part them; only where a single position has more
    variants than a job is to get does a chunk exceed the limit. `positions` are sorted.
    """
    start, count = 0, len(positions)
    while start < count:
        jobs_left = -(-(count - start) // variants_per_job)
        end = _whole_positions(positions, start, start + -(-(count - start) // jobs_left))
        yield Chunk(chromosome, positions[start], positions[end - 1], end - start)
        start = end


def _whole_positions(positions: Sequence[int], start: int, end: int) -> int:
    """The last index up to `end` where a position begins; behind the first position if that is the only choice."""
    if end == len(positions):
        return end
    boundary = bisect_left(positions, positions[end], lo=start)
    return boundary if boundary > start else bisect_right(positions, positions[start], lo=start)


def _sorted(positions: "array[int]") -> "array[int]":
    """Sorted; X with its pseudo-autosomal regions, and files that nobody sorted, are the ones that are not."""
    if all(left <= right for left, right in pairwise(positions)):
        return positions
    return array(positions.typecode, sorted(positions))
