"""Genotypes of a PLINK .bed file by blocks of variants (https://www.cog-genomics.org/plink/1.9/formats#bed).

Genotypes stay packed, four samples a byte: 00 is two copies of the .bim file's column 5 allele, 10 one, 11 none and 01
missing. Everything is counted on the packed bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.errors import RunnerError

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

BLOCK_BYTES = 32 << 20
"""Read at a time; the working copies take about four times as much."""

_MAGIC = b"\x6c\x1b\x01"  # variant-major
_SAMPLES_PER_BYTE = 4
_LOW_BITS = np.uint8(0b01010101)


class Bed(NamedTuple):
    """A .bed file whose size fits its variants and samples."""

    path: Path
    variants: int
    samples: int

    @classmethod
    def open(cls, path: Path, variants: int, samples: int) -> Bed:
        """Raises RunnerError if it is damaged, or not the file that the .bim and .fam files belong to."""
        bed = cls(path, variants, samples)
        bed._check_magic()
        if path.stat().st_size != len(_MAGIC) + variants * bed.record_bytes:
            raise RunnerError(f"The size of {path.name} does not fit its .bim and .fam files.")
        return bed

    @classmethod
    def of_samples(cls, path: Path, samples: int) -> Bed:
        """The same, if its list of variants was not counted."""
        bed = cls(path, 0, samples)
        bed._check_magic()
        variants, surplus = divmod(path.stat().st_size - len(_MAGIC), max(bed.record_bytes, 1))
        if surplus:
            raise RunnerError(f"The size of {path.name} does not fit its .fam file.")
        return bed._replace(variants=variants)

    def _check_magic(self) -> None:
        with self.path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise RunnerError(f"{self.path.name} is not a variant-major PLINK 1 file.")

    @property
    def record_bytes(self) -> int:
        """Bytes of one variant."""
        return -(-self.samples // _SAMPLES_PER_BYTE)

    def records(self, variants: Sequence[int]) -> Bytes:
        """Packed genotypes of some variants: len(variants) x record_bytes.

        Raises:
            RunnerError: the file has not as many variants.
        """
        packed = np.empty((len(variants), self.record_bytes), np.uint8)
        with self.path.open("rb") as file:
            for row, number in zip(packed, variants, strict=True):
                file.seek(len(_MAGIC) + number * self.record_bytes)
                if file.readinto(row.data) != self.record_bytes:
                    raise RunnerError(f"{self.path.name} has fewer variants than its .bim file.")
        return packed

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, Bytes]]:
        """(number of the first variant, packed genotypes: variants x record_bytes), in the order of the file."""
        rows = max(1, block_bytes // self.record_bytes)
        with self.path.open("rb") as file:
            file.seek(len(_MAGIC))
            for first in range(0, self.variants, rows):
                count = min(rows, self.variants - first)
                block = np.frombuffer(file.read(count * self.record_bytes), np.uint8)
                yield first, block.reshape(count, self.record_bytes)


def sample_mask(chosen: Bools) -> Bytes:
    """One bit (the lower of a genotype's two) for each chosen sample: record_bytes long."""
    bits = np.zeros(-(-len(chosen) // _SAMPLES_PER_BYTE) * _SAMPLES_PER_BYTE, np.uint8)
    bits[: len(chosen)] = chosen
    places = np.arange(_SAMPLES_PER_BYTE, dtype=np.uint8) * 2
    packed: Bytes = np.bitwise_or.reduce(bits.reshape(-1, _SAMPLES_PER_BYTE) << places, axis=1)
    return packed


class GenotypeCounts(NamedTuple):
    """Of the chosen samples, for each variant."""

    two: Counts  # copies of the .bim file's column 5 allele
    one: Counts
    none: Counts
    missing: Counts


def count_genotypes(block: Bytes, mask: Bytes) -> GenotypeCounts:
    """Count the genotypes of the samples in `mask` (sample_mask)."""
    low: Bytes = block & mask
    high: Bytes = np.right_shift(block, np.uint8(1)) & mask
    common: Bytes = low & high
    ones_low, ones_high, both = _bits(low), _bits(high), _bits(common)
    chosen = int(np.bitwise_count(mask).sum())
    return GenotypeCounts(
        two=chosen - ones_low - ones_high + both, one=ones_high - both, none=both, missing=ones_low - both
    )


def count_missing(block: Bytes, samples: int) -> Counts:
    """How many of the block's variants each sample has no genotype of."""
    missing = block & ~(block >> 1) & _LOW_BITS
    by_place = [((missing >> (2 * place)) & 1).sum(axis=0, dtype=np.int64) for place in range(_SAMPLES_PER_BYTE)]
    return np.stack(by_place, axis=1).reshape(-1)[:samples]


def _bits(packed: Bytes) -> Counts:
    counts: Counts = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    return counts
