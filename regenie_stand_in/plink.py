"""Genotypes in PLINK's bed/bim/fam files (https://www.cog-genomics.org/plink/1.9/formats#bed)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import numpy as np

from regenie_stand_in.arrays import Bools, Codes, Floats, Indices
from regenie_stand_in.chromosomes import chromosome_number
from regenie_stand_in.cli import Range
from regenie_stand_in.errors import RegenieError

_MAGIC: Final = b"\x6c\x1b\x01"  # a bed file in variant-major order
_SAMPLES_PER_BYTE: Final = 4
MISSING: Final = 3
_COUNT_OF_CODE: Final = (2, MISSING, 1, 0)
"""Copies of the .bim file's column 5 allele for the two-bit codes 00, 01, 10, 11."""

_COUNTS_OF_BYTE: Final = np.array(
    [[_COUNT_OF_CODE[byte >> 2 * place & 3] for place in range(_SAMPLES_PER_BYTE)] for byte in range(256)],
    dtype=np.uint8,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One line of a .bim file; `row` is its place in the .bed file."""

    row: int
    chromosome: int
    name: str
    position: int
    counted_allele: str  # column 5, ALLELE1 of regenie's results
    other_allele: str  # column 6, ALLELE0


@dataclass(frozen=True)
class Block:
    """Neighbouring variants of one chromosome that are analysed together."""

    chromosome: int
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class Genotypes:
    """Counts of the column 5 allele, (variants, samples), with what is missing set to the variant's mean."""

    counts: Floats
    missing: Bools


def read_bim(path: Path) -> list[Variant]:
    """All variants. Chromosomes must be ascending (measured on regenie v4.1.2)."""
    with path.open(encoding="utf-8") as lines:
        variants = [_parse_variant(row, line) for row, line in enumerate(lines)]
    chromosomes = [chromosome for chromosome, _ in groupby(variants, key=lambda variant: variant.chromosome)]
    if any(later <= earlier for earlier, later in pairwise(chromosomes)):
        raise RegenieError("chromosomes in bim file are not in ascending order.")
    return variants


def _parse_variant(row: int, line: str) -> Variant:
    fields = line.split()
    if len(fields) < 6:
        raise RegenieError(f"incorrectly formatted bim file at line {row + 1}")
    chromosome = chromosome_number(fields[0])
    if chromosome is None:
        raise RegenieError(f"unknown chromosome code in bim file at line {row + 1}")
    return Variant(row, chromosome, fields[1], int(fields[3]), counted_allele=fields[4], other_allele=fields[5])


def select_variants(
    variants: list[Variant],
    *,
    chromosomes: frozenset[int] | None = None,
    within: Range | None = None,
    names: Collection[str] | None = None,
    without: Collection[str] = (),
) -> list[Variant]:
    """The variants that meet every condition given. Raises RegenieError when none is left."""

    def wanted(variant: Variant) -> bool:
        return (
            (chromosomes is None or variant.chromosome in chromosomes)
            and (within is None or _is_within(variant, within))
            and (names is None or variant.name in names)
            and variant.name not in without
        )

    selected = [variant for variant in variants if wanted(variant)]
    if not selected:
        raise RegenieError("no variant left to include in analysis.")
    return selected


def _is_within(variant: Variant, span: Range) -> bool:
    return variant.chromosome == span.chromosome and span.start <= variant.position <= span.end


def cut_blocks(variants: list[Variant], size: int) -> list[Block]:
    """Blocks of `size` variants, the last of each chromosome shorter. They never cross chromosomes."""
    return list(_blocks(variants, size))


def _blocks(variants: list[Variant], size: int) -> Iterator[Block]:
    for chromosome, group in groupby(variants, key=lambda variant: variant.chromosome):
        members = tuple(group)
        for start in range(0, len(members), size):
            yield Block(chromosome, members[start : start + size])


def read_fam(path: Path) -> list[str]:
    """Sample ids in file order, as FID_IID."""
    with path.open(encoding="utf-8") as lines:
        ids = ["_".join(line.split(maxsplit=2)[:2]) for line in lines]
    if len(set(ids)) < len(ids):
        raise RegenieError("duplicate individual in fam file (FID_IID must be unique).")
    return ids


def read_males(path: Path) -> Bools:
    """Who is a man by a .fam file (1 in its fifth column), in file order."""
    with path.open(encoding="utf-8") as lines:
        return np.array([line.split()[4:5] == ["1"] for line in lines], dtype=np.bool_)


class Bed:
    """A .bed file of which blocks are read on demand."""

    def __init__(self, path: Path, *, variants: int, samples: int) -> None:
        stride = -(-samples // _SAMPLES_PER_BYTE)
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise RegenieError("incorrect magic number in bed file.")
        if path.stat().st_size != len(_MAGIC) + variants * stride:
            raise RegenieError("bed file has a size that does not agree with the bim and fam files.")
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r", offset=len(_MAGIC), shape=(variants, stride))
        self._samples = samples

    def counts(self, rows: Indices, samples: Indices) -> Codes:
        """Copies of the column 5 allele, 0 to 2 or MISSING: (rows, samples), both given by place in the file."""
        decoded = _COUNTS_OF_BYTE[self._bytes[rows]].reshape(len(rows), -1)
        if len(samples) == self._samples:
            return decoded[:, : self._samples]
        return decoded[:, samples]

    def genotypes(self, block: Block, samples: Indices) -> Genotypes:
        """A block of the given samples, missing calls replaced by the mean of these samples."""
        codes = self.counts(np.array([variant.row for variant in block.variants]), samples)
        missing = codes == MISSING
        counts = codes.astype(np.float64)
        counts[missing] = 0.0
        called = codes.shape[1] - np.count_nonzero(missing, axis=1)
        means = counts.sum(axis=1) / np.maximum(called, 1)
        gaps = np.nonzero(missing)
        counts[gaps] = means[gaps[0]]
        return Genotypes(counts, missing)
