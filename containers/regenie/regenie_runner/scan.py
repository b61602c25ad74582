"""Collects what plots and statistics need of each variant, while its line is read.

Memory: 13 bytes a variant (10 million variants: 130 MB).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.checks import OF_INTERACTION
from regenie_runner.rows import NO_VALUE, Rows

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int32]
Bins = npt.NDArray[np.uint8]

FREQUENCY_BOUNDS = (0.01, 0.05)
"""Minor allele frequencies that part rare from low-frequency, and those from common variants."""

_SEVERAL_DEGREES = b"DF"
"""How regenie's names of joint tests end: ADD-INT_2DF is of a variant and its interaction."""


_ONCE_A_VARIANT = b"-INT_SNP"
"""How the one of them ends that is of the variant's effect at the baseline, or at 0."""


class Chromosome(NamedTuple):
    """One chromosome's variants in ascending position; all arrays have the same length."""

    name: str
    positions: Positions  # base pairs
    log10p: Floats  # -log10 of the p-value; NaN where the test failed
    chisq: Floats  # 1 degree of freedom; NaN where the test failed, or has more of them
    frequencies: Bins  # how many of FREQUENCY_BOUNDS the minor allele frequency reaches


class Scan:
    """Collects lines in genome order."""

    def __init__(self) -> None:
        self._segments: dict[str, list[Chromosome]] = {}
        self.rows = 0
        self.samples: tuple[int, int] | None = None
        """Smallest and largest N of a variant."""
        self.interaction_rows = 0
        """Of `rows`, those of an interaction, which stand beside a variant's own."""
        self.interactions = 0
        """Variants that have rows of an interaction."""

    def add(self, rows: Rows) -> None:
        """Take the columns of some lines."""
        self.rows += rows.count
        self._widen_samples(rows.column("N"))
        log10p, chisq = _numbers(rows.column("LOG10P")), _numbers(rows.column("CHISQ"))
        if "TEST" in rows.columns:
            chisq[_joint_tests(rows.column("TEST"))] = np.nan
            self._count_interactions(rows.column("TEST"))
        frequencies = _frequency_bins(_numbers(rows.column("A1FREQ")))
        for name, stretch in rows.chromosomes:
            self._segments.setdefault(name, []).append(
                Chromosome(
                    name,
                    rows.positions[stretch].astype(np.int32),
                    log10p[stretch].copy(),
                    chisq[stretch].copy(),
                    frequencies[stretch].copy(),
                )
            )

    def _count_interactions(self, tests: Sequence[bytes]) -> None:
        for test in {test for test in set(tests) if OF_INTERACTION in test}:
            rows = tests.count(test)
            self.interaction_rows += rows
            self.interactions += rows if test.endswith(_ONCE_A_VARIANT) else 0

    def _widen_samples(self, column: Sequence[bytes]) -> None:
        numbers = {int(text) for text in set(column) if text != NO_VALUE}
        if self.samples:
            numbers.update(self.samples)
        self.samples = (min(numbers), max(numbers)) if numbers else None

    def take_chromosomes(self) -> list[Chromosome]:
        """The collected chromosomes, in their order. They are handed over, not kept."""
        return [_joined(name, self._segments.pop(name)) for name in list(self._segments)]


def _numbers(column: Sequence[bytes]) -> Floats:
    try:
        return np.fromiter(map(float, column), np.float32, len(column))
    except ValueError:  # NA where a test failed: rare, so that the fast way is tried first
        return np.fromiter((np.nan if text == NO_VALUE else float(text) for text in column), np.float32, len(column))


def _joint_tests(tests: Sequence[bytes]) -> npt.NDArray[np.intp]:
    """Rows whose chi-square has several degrees of freedom (ADD-INT_2DF): their median is not that of the others."""
    if not any(test.endswith(_SEVERAL_DEGREES) for test in set(tests)):
        return np.empty(0, np.intp)
    return np.flatnonzero([test.endswith(_SEVERAL_DEGREES) for test in tests])


def _frequency_bins(a1freq: Floats) -> Bins:
    return np.digitize(np.minimum(a1freq, 1 - a1freq), FREQUENCY_BOUNDS).astype(np.uint8)


def _joined(name: str, segments: list[Chromosome]) -> Chromosome:
    return Chromosome(
        name,
        np.concatenate([segment.positions for segment in segments]),
        np.concatenate([segment.log10p for segment in segments]),
        np.concatenate([segment.chisq for segment in segments]),
        np.concatenate([segment.frequencies for segment in segments]),
    )
