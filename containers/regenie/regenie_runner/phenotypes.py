"""What the phenotype file says of each trait."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MISSING = "NA"


class TraitFacts(NamedTuple):
    """Of one column of the phenotype file; moments are NaN without values."""

    observed: int
    missing: int
    mean: float
    deviation: float  # standard deviation of the observed people (n - 1)
    cases: int  # values equal to 1: meaningful for binary traits only


def describe_traits(path: Path, traits: Sequence[str]) -> dict[str, TraitFacts]:
    """Facts by trait, in one pass; a trait that is not in the header has none."""
    # regenie takes ids in any encoding.
    with path.open(encoding="utf-8", errors="replace") as lines:
        header = next(lines, "").split()
        columns = {trait: header.index(trait) for trait in traits if trait in header}
        tallies = {trait: _Tally() for trait in columns}
        for line in lines:
            fields = line.split()
            for trait, column in columns.items():
                tallies[trait].add(fields[column])
    return {trait: tally.facts() for trait, tally in tallies.items()}


class _Tally:
    """Mean and variance in one pass (Welford 1962): a large mean does not cost the variance its digits."""

    def __init__(self) -> None:
        self._count = self._missing = self._cases = 0
        self._mean = self._squares = 0.0

    def add(self, text: str) -> None:
        if text == MISSING:
            self._missing += 1
            return
        value = float(text)
        self._count += 1
        self._cases += value == 1
        step = value - self._mean
        self._mean += step / self._count
        self._squares += step * (value - self._mean)

    def facts(self) -> TraitFacts:
        mean = self._mean if self._count else math.nan
        deviation = math.sqrt(self._squares / (self._count - 1)) if self._count > 1 else math.nan
        return TraitFacts(self._count, self._missing, mean, deviation, self._cases)
