"""Reads genotype files of every format of step 1, in blocks of variants: samples, variants and genotypes.

A .bed file stays packed. Of .pgen files the hard calls are read, by which plink2 filters. Of .bgen files a genotype is
the dosage's nearest whole number, as regenie counts them (4.1.2's sources: Geno.cpp). Which of the two alleles
is counted plays no part in quality control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from regenie_runner.bed import (
    BLOCK_BYTES,
    Bed,
    Bools,
    Bytes,
    Counts,
    GenotypeCounts,
    count_genotypes,
    count_missing,
    sample_mask,
)
from regenie_runner.errors import RunnerError
from regenie_runner.packed import open_text

Calls = npt.NDArray[np.int8]
"""Variants x samples: copies of an allele, or MISSING."""
MISSING = -9
"""As pgenlib has it."""

_SAMPLE_HEADER_LINES = 2
"""Of a .sample file: names and types of its columns."""


class Variant(NamedTuple):
    """What is needed of a line of a list of variants."""

    name: str
    chromosome: str


class Block(Protocol):
    """Genotypes of neighbouring variants."""

    def __len__(self) -> int:
        """Variants."""

    def counted(self, people: Bools) -> GenotypeCounts:
        """Genotypes of these samples, by variant."""

    def missing(self, variants: Bools) -> Counts:
        """How many of these variants of the block each sample has no genotype of."""


class Genotypes(NamedTuple):
    """A genotype file with its companions."""

    samples: list[str]
    """`FID IID` of each."""
    variants: Callable[[], Iterator[Variant]]
    blocks: Callable[[], Iterator[tuple[int, Block]]]
    """(number of the first variant, block), in the order of the file."""


class PackedBlock(NamedTuple):
    """Of a .bed file."""

    packed: Bytes
    samples: int

    def __len__(self) -> int:
        """Variants."""
        return len(self.packed)

    def counted(self, people: Bools) -> GenotypeCounts:
        """Genotypes of these samples, by variant."""
        return count_genotypes(self.packed, sample_mask(people))

    def missing(self, variants: Bools) -> Counts:
        """How many of these variants of the block each sample has no genotype of."""
        return count_missing(self.packed[variants], self.samples)


class CalledBlock(NamedTuple):
    """Of other files, a byte for each genotype."""

    calls: Calls

    def __len__(self) -> int:
        """Variants."""
        return len(self.calls)

    def counted(self, people: Bools) -> GenotypeCounts:
        """Genotypes of these samples, by variant."""
        chosen = self.calls[:, people]
        two, one, none = (np.count_nonzero(chosen == copies, axis=1).astype(np.int64) for copies in (2, 1, 0))
        return GenotypeCounts(two, one, none, missing=chosen.shape[1] - two - one - none)

    def missing(self, variants: Bools) -> Counts:
        """How many of these variants of the block each sample has no genotype of."""
        counted: Counts = np.count_nonzero(self.calls[variants] == MISSING, axis=0).astype(np.int64)
        return counted


def open_genotypes(path: Path, sample: Path | None) -> Genotypes:
    """The file and what belongs to it.

    Args:
        path: the .bed, .pgen or .bgen file.
        sample: the .sample file of a .bgen file, unless it holds the ids itself.

    Raises:
        RunnerError: a file is damaged, or they do not belong together.
    """
    return {".bed": _bed, ".pgen": _pgen, ".bgen": _bgen}[path.suffix](path, sample)


def lines_of(path: Path) -> Iterator[str]:
    """Lines that hold something. Names may be in any encoding: they are compared and written as they are."""
    with open_text(path) as lines:
        yield from (line for line in lines if line.strip())


def _id(line: str) -> str:
    """The first two columns."""
    return " ".join(line.split(maxsplit=2)[:2])


def _bed(path: Path, _: Path | None) -> Genotypes:
    samples = [_id(line) for line in lines_of(path.with_suffix(".fam"))]
    bim = path.with_suffix(".bim")

    def variants() -> Iterator[Variant]:
        for line in lines_of(bim):
            chromosome, name, _ = line.split(maxsplit=2)
            yield Variant(name, chromosome)

    def blocks() -> Iterator[tuple[int, Block]]:
        bed = Bed.open(path, sum(1 for _ in lines_of(bim)), len(samples))
        for first, packed in bed.blocks():
            yield first, PackedBlock(packed, len(samples))

    return Genotypes(samples, variants, blocks)


def _pgen(path: Path, _: Path | None) -> Genotypes:
    samples = [_id(line) for line in lines_of(path.with_suffix(".psam")) if not line.startswith("#")]
    pvar = path.with_suffix(".pvar")

    def variants() -> Iterator[Variant]:
        columns: list[str] = []
        for line in lines_of(pvar):
            if line.startswith("#CHROM"):
                columns = line.removeprefix("#").split()
            elif not line.startswith("#"):
                fields = line.split()
                yield Variant(fields[columns.index("ID")], fields[columns.index("CHROM")])

    def blocks() -> Iterator[tuple[int, Block]]:
        import pgenlib  # where there are such files only

        number = sum(1 for line in lines_of(pvar) if not line.startswith("#"))
        try:
            reader = pgenlib.PgenReader(bytes(path), raw_sample_ct=len(samples), variant_ct=number)
        except RuntimeError as error:
            raise RunnerError(
                f"{path.name} is not whole, or does not belong to its .pvar and .psam files: {_words_of(error)} "
                "Upload all three again."
            ) from error
        with reader:
            for first, rows in _cut(number, len(samples)):
                calls = np.empty((rows, len(samples)), np.int8)
                reader.read_range(first, first + rows, calls)
                yield first, CalledBlock(calls)

    return Genotypes(samples, variants, blocks)


def _bgen(path: Path, sample: Path | None) -> Genotypes:
    from bgen import BgenReader  # where there are such files only

    def opened() -> BgenReader:
        try:
            return BgenReader(str(path), delay_parsing=True)
        except ValueError as error:
            raise RunnerError(f"{path.name} is no BGEN file that can be read: {error}") from error

    with opened() as reader:
        number, people = reader.header.nvariants, reader.header.nsamples
        embedded = [_parted(name) for name in reader.samples] if sample is None else []
    samples = embedded if sample is None else [_id(line) for line in lines_of(sample)][_SAMPLE_HEADER_LINES:]
    if len(samples) != people:
        raise RunnerError(f"{path.name} has {people:,} samples, and {len(samples):,} are listed.")

    def variants() -> Iterator[Variant]:
        with opened() as reader:
            for variant in reader:
                yield Variant(variant.rsid, variant.chrom)

    def blocks() -> Iterator[tuple[int, Block]]:
        with opened() as reader:
            each = iter(reader)
            for first, rows in _cut(number, people):
                calls = np.empty((rows, people), np.int8)
                for row in range(rows):
                    dosage = next(each).alt_dosage
                    calls[row] = np.where(np.isnan(dosage), MISSING, np.rint(dosage))
                yield first, CalledBlock(calls)

    return Genotypes(samples, variants, blocks)


def _parted(name: str) -> str:
    """regenie takes an id that is in a .bgen file for FID_IID, and compares it with lists as such."""
    family, _, person = name.partition("_")
    return f"{family} {person}"


def _words_of(error: Exception) -> str:
    """What an error says: pgenlib's have bytes."""
    words = error.args[0] if error.args else ""
    return (words.decode(errors="replace") if isinstance(words, bytes) else str(words)).strip()


def _cut(variants: int, samples: int) -> Iterator[tuple[int, int]]:
    """(first variant, how many) of each block."""
    rows = max(1, BLOCK_BYTES // max(samples, 1))
    for first in range(0, variants, rows):
        yield first, min(rows, variants - first)
