"""Collects what plots and statistics need of each variant, while its line is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from regenie_runner.checks import OF_INTERACTION
from regenie_runner.kinds_of_test import USUAL, is_of_interaction, is_of_own_effect, is_of_the_variant
from regenie_runner.rows import NO_VALUE, Rows
from regenie_runner.spool import Bins, Bools, Chromosome, Codes, Floats, Spool

FREQUENCY_BOUNDS = (0.01, 0.05)
"""Minor allele frequencies that part rare from low-frequency, and those from common variants."""


@dataclass
class Met:
    """A test that was met."""

    name: str
    rows: int = 0
    failed: int = 0
    """Of `rows`, those without a p-value."""


class Scan:
    """Collects lines in genome order: what plots need of those that test a variant or a mask, and counts of all."""

    def __init__(self) -> None:
        self.chromosomes = Spool()
        self.rows = 0
        self.samples: tuple[int, int] | None = None
        """Smallest and largest N of a variant."""
        self.interaction_rows = 0
        """Of `rows`, those of an interaction, which stand beside a variant's own."""
        self.interactions = 0
        """Variants that have rows of an interaction."""
        self.variants = 0
        """What has rows: variants, or masks of sets."""
        self.tests: list[Met] = []
        self._codes: dict[bytes, int] = {}
        self._is_wanted: Bools = np.empty(0, np.bool_)
        self._own_tests: set[bytes] = set()
        self._place = -1
        self._ids: set[bytes] = set()
        """What was met at that place."""

    def add(self, rows: Rows) -> None:
        """Take the columns of some lines."""
        self.rows += rows.count
        self._widen_samples(rows.column("N"))
        log10p, chisq = _numbers(rows.column("LOG10P")), _numbers(rows.column("CHISQ"))
        tests = self._tests_of(rows, log10p)
        is_wanted = self._is_wanted[tests]
        frequencies = _frequency_bins(_numbers(rows.column("A1FREQ")))
        positions = rows.positions.astype(np.int32)
        for name, stretch in rows.chromosomes:
            segment = Chromosome(
                name, positions[stretch], log10p[stretch], chisq[stretch], frequencies[stretch], tests[stretch]
            )
            self.chromosomes.add(segment if is_wanted[stretch].all() else segment.chosen(is_wanted[stretch]))

    def _tests_of(self, rows: Rows, log10p: Floats) -> Codes:
        """Which test each row is of; counts them."""
        names = rows.column("TEST") if "TEST" in rows.columns else [USUAL.encode()] * rows.count
        met = dict.fromkeys(names)
        for name in met:
            if name not in self._codes:
                self._codes[name] = len(self._codes)
                self.tests.append(Met(name.decode(errors="replace")))
                self._is_wanted = np.append(self._is_wanted, is_of_the_variant(self.tests[-1].name))
        codes: Codes = (
            np.full(rows.count, self._codes[names[0]], np.uint16)
            if len(met) == 1
            else np.fromiter(map(self._codes.__getitem__, names), np.uint16, rows.count)
        )
        of_each = np.bincount(codes, minlength=len(self._codes))
        failed = np.bincount(codes[np.isnan(log10p)], minlength=len(self._codes))
        for test, count, without in zip(self.tests, of_each.tolist(), failed.tolist(), strict=True):
            test.rows += count
            test.failed += without
            if is_of_interaction(test.name):
                self.interaction_rows += count
                self.interactions += count if is_of_own_effect(test.name) else 0
        self._count_variants(rows, {name for name in met if OF_INTERACTION not in name}, of_each)
        return codes

    def _count_variants(self, rows: Rows, own_tests: set[bytes], of_each: npt.NDArray[np.intp]) -> None:
        """Most results have one row of each variant's own; those of sets have several, side by side or not."""
        self._own_tests |= own_tests
        ids = rows.column("ID")
        if len(self._own_tests) > 1:
            for place, name in zip(rows.keys.tolist(), ids, strict=True):
                self._meet(place, name)
            return
        self.variants += sum(int(of_each[self._codes[test]]) for test in own_tests)
        if rows.count:  # of which the next rows may be, too
            self._place = int(rows.keys[-1])
            self._ids = {ids[row] for row in np.flatnonzero(rows.keys == self._place)}

    def _meet(self, place: int, name: bytes) -> None:
        if place != self._place:
            self._place, self._ids = place, set()
        if name not in self._ids:
            self._ids.add(name)
            self.variants += 1

    def _widen_samples(self, column: Sequence[bytes]) -> None:
        numbers = {int(text) for text in set(column) if text != NO_VALUE}
        if self.samples:
            numbers.update(self.samples)
        self.samples = (min(numbers), max(numbers)) if numbers else None


def _numbers(column: Sequence[bytes]) -> Floats:
    try:
        return np.fromiter(map(float, column), np.float32, len(column))
    except ValueError:  # NA where a test failed: rare, so that the fast way is tried first
        return np.fromiter((np.nan if text == NO_VALUE else float(text) for text in column), np.float32, len(column))


def _frequency_bins(a1freq: Floats) -> Bins:
    return np.digitize(np.minimum(a1freq, 1 - a1freq), FREQUENCY_BOUNDS).astype(np.uint8)
