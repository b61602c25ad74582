"""Numbers that stand for "missing": 999, -9, 99 and their kin, which regenie takes for values of a trait.

regenie knows NA, nan and inf as missing, and the number -999 (4.1.2's sources: Regenie.hpp, missing_value_double; also
in covariates that are no categories), and nothing else: a few hundred heights of 999 make a trait of their own. Other
programs write -9 (PLINK), and statistics packages and questionnaires 9, 99, 999, 88, 77 and more. Such a code is seen
by what honest measurements hardly ever do: the outermost value is that of many people, and there is nothing near it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import pairwise
from typing import Final

TAKEN_FOR_MISSING: Final = -999.0
"""regenie's own number for a missing value."""
USUAL_CODES: Final = frozenset(
    sign * float(digit * length) for sign in (1, -1) for digit in "789" for length in range(1, 7)
)
"""7, 77, ..., 8, 88, ... and 9, 99, ..., and their negatives: what questionnaires and programs write."""
_PLINKS: Final = frozenset(-float("9" * length) for length in range(1, 7))

_KEPT: Final = 12
"""Outermost different values of each end that are kept: codes are few, and the others tell how far values are apart."""
_MOST_CODES: Final = 4
"""Different codes in one column."""
_FEWEST_PEOPLE: Final = 3
"""Of one value, below which it may be a single outlier."""
_FAR: Final = 2.0
"""Times the range of all the other values, from which on any number is out of place."""
_APART: Final = 3.0
"""Times the widest gap between the neighbours of the outermost values, from which on a usual code is ..."""
_NOT_NEAR: Final = 0.1
"""... if it is also as far as this share of the range of all the other values."""
_FEWEST_NEIGHBOURS: Final = 3
"""Different other values; of a yes-or-no there are two, which only a usual code can stand beside."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that looks like a code."""

    value: float
    people: int
    least: float
    """Of the other values."""
    greatest: float

    def __str__(self) -> str:
        return f"{self.value:g} ({self.people:,} people; all others are from {self.least:g} to {self.greatest:g})"


class Tail:
    """The outermost different values of one end, and how many people have each, exactly, in constant memory."""

    def __init__(self, sign: int) -> None:
        """`sign` is 1 for the least values and -1 for the greatest."""
        self._sign = sign
        self._counts: Counter[float] = Counter()
        self._bound = float("inf")

    def add(self, numbers: Sequence[float]) -> None:
        """Take in some values."""
        sign, bound = self._sign, self._bound
        near = numbers if bound == float("inf") else [number for number in numbers if sign * number <= bound]
        if not near:
            return
        self._counts.update(near)
        self._drop_inner()

    def take(self, people: Mapping[float, int]) -> None:
        """Take in how many of some people have each of their outermost values."""
        self._counts.update(people)
        self._drop_inner()

    @property
    def bound(self) -> float:
        """The innermost value that is one of the outermost so far."""
        return self._sign * self._bound

    def _drop_inner(self) -> None:
        if len(self._counts) > _KEPT:
            # What falls out has so many beyond it that it can never be one of the outermost again.
            kept = nsmallest(_KEPT, self._counts, key=lambda number: self._sign * number)
            self._counts = Counter({number: self._counts[number] for number in kept})
            self._bound = self._sign * kept[-1]

    @property
    def values(self) -> list[tuple[float, int]]:
        """Value and people, the outermost first."""
        return sorted(self._counts.items(), key=lambda each: self._sign * each[0])


class Codes:
    """Collects evidence of codes for missing values in one column."""

    def __init__(self) -> None:
        self._low, self._high = Tail(1), Tail(-1)
        self._usual: Counter[float] = Counter()
        self._whole = 0
        """Whole numbers."""
        self._observed = 0

    def add(self, numbers: Sequence[float]) -> None:
        """Take in some values."""
        if not numbers:
            return
        self._low.add(numbers)
        self._high.add(numbers)
        self._observed += len(numbers)
        self._whole += sum(map(float.is_integer, numbers))
        self._usual.update(USUAL_CODES.intersection(numbers) and filter(USUAL_CODES.__contains__, numbers))

    @property
    def outermost(self) -> tuple[float, float]:
        """A value up to the first of these, or from the second on, is one of the outermost so far."""
        return self._low.bound, self._high.bound

    def take(self, observed: int, outermost: Mapping[float, int], whole: Mapping[float, int]) -> None:
        """Take in what was counted of some people: how many have a value, and each of these (Column.take)."""
        self._observed += observed
        self._whole += sum(whole.values())
        self._usual.update({code: whole[code] for code in USUAL_CODES.intersection(whole)})
        if outermost:
            ascending = list(outermost.items())
            self._low.take(dict(ascending[:_KEPT]))
            self._high.take(dict(ascending[-_KEPT:]))

    def suspects(self) -> list[Suspect]:
        """Values that look like codes, by their size."""
        low, high = self._low.values, self._high.values
        if len(low) < _FEWEST_NEIGHBOURS:
            return []
        found: dict[float, int] = {}
        found |= _outermost(low, high[0][0])
        found |= _outermost(high, low[0][0])
        found |= self._spikes()
        rest = [value for value, _ in (*low, *high) if value not in found]
        if not rest:
            return []
        return [Suspect(value, people, min(rest), max(rest)) for value, people in sorted(found.items())]

    def _spikes(self) -> dict[float, int]:
        """Usual codes among measurements with fractions: more people have one than all other whole numbers together."""
        of_codes = {value: people for value, people in self._usual.items() if people >= _FEWEST_PEOPLE}
        others = self._whole - sum(of_codes.values())
        if self._observed - self._whole < self._whole:
            return {}
        return {value: people for value, people in of_codes.items() if people > _APART * max(others, 1)}


def _outermost(tail: Sequence[tuple[float, int]], other_end: float) -> dict[float, int]:
    """The codes at one end, the outermost value first; empty where there is nothing unusual."""
    for codes in range(min(_MOST_CODES, len(tail) - 1), 0, -1):
        beyond = dict(tail[:codes])
        gap = abs(tail[codes - 1][0] - tail[codes][0])
        spread = abs(other_end - tail[codes][0])
        are_usual = all(value in USUAL_CODES for value in beyond)
        are_enough = len(tail) - codes >= (_FEWEST_NEIGHBOURS - 1 if are_usual else _FEWEST_NEIGHBOURS)
        if are_enough and gap > _FAR * spread > 0 and _repeated(beyond.values()):
            return beyond
        if are_usual and gap >= _NOT_NEAR * spread and _is_apart(tail, codes, gap):
            return beyond
    return {}


def _is_apart(tail: Sequence[tuple[float, int]], codes: int, gap: float) -> bool:
    """Usual codes, and a gap that is far wider than those between the next values."""
    neighbours = tail[codes:]
    only_negative = all(value in _PLINKS for value, _ in tail[:codes]) and neighbours[0][0] >= 0
    if only_negative and len(neighbours) >= _FEWEST_NEIGHBOURS - 1:
        return True
    if len(neighbours) < _FEWEST_NEIGHBOURS:
        return False
    widest = max(abs(one[0] - other[0]) for one, other in pairwise(neighbours))
    fewest = _FEWEST_PEOPLE - 1 if all(value in _PLINKS for value, _ in tail[:codes]) else _FEWEST_PEOPLE
    return gap > _APART * widest and _repeated((people for _, people in tail[:codes]), fewest)


def _repeated(people: Iterable[int], fewest: int = _FEWEST_PEOPLE) -> bool:
    return min(people) >= fewest
