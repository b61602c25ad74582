"""Statistics of one column of a phenotype or covariate file, collected batch by batch."""

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import Final, NamedTuple

from lambdas.regenie.preflight.findings import Examples
from lambdas.regenie.preflight.missing_codes import TAKEN_FOR_MISSING, USUAL_CODES, Codes

MISSING: Final = b"NA"
"""The one documented way to say that a value is missing (regenie's documentation, "Phenotype file format")."""
ANSWERS_THAT_ARE_NO_NUMBERS: Final = (-1.0, -3.0, -10.0)
"""Codes in counts of UK Biobank's touchscreen questions: do not know, prefer not to answer, less than one."""

_BEGINS_MISSING: Final = b"-"
"""How a word begins that regenie may read as -999."""
LARGEST_NUMBER: Final = 1e100
"""Squares of greater numbers overflow on regenie's way: it ends, or every p-value is NA."""
_READ_OTHERWISE_BY_C: Final = b"_"
"""Python reads 1_000 as a thousand; C, and so regenie, reads it as 1."""
_KEPT_DISTINCT: Final = 3
"""Number of different values to keep: enough to distinguish a constant and a yes-or-no from a measurement."""


class Counted(NamedTuple):
    """What some people have in a column, without oddities (preflight.numbers)."""

    people: int
    shift: float
    """What was subtracted from each value before they were added up: the column's shift, or its first value."""
    observed: int
    taken_for_missing: int
    negative: int
    least: float
    greatest: float
    sum: float
    """Of the differences from `shift`."""
    squares: float


class Column:
    """Counts, moments and oddities of a column's values, in constant memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.missing = 0
        self.observed = 0
        self.controls = 0
        """Values equal to 0."""
        self.cases = 0
        """Values equal to 1."""
        self.twos = 0
        self.usual_codes = 0
        """Values that usually stand for missing ones (missing_codes.USUAL_CODES)."""
        self.taken_for_missing = 0
        """Numbers that regenie reads as missing values; they count as missing here."""
        self.codes = Codes()
        self.coded_answers = 0
        """Values of ANSWERS_THAT_ARE_NO_NUMBERS."""
        self.negative = 0
        self.uncoded_elsewhere = 0
        """Numbers other than 0 and 1 of people who are not analysed."""
        self.cases_left_out = 0
        """Values equal to 1 of people whom the launch's lists leave out."""
        self.controls_left_out = 0
        self.not_numbers = Examples()
        self.too_large = Examples()
        """Numbers whose squares overflow, with their people."""
        self.least, self.greatest = math.inf, -math.inf
        """Of the observed values."""
        self.distinct: set[float] = set()
        """The first few different values."""
        self.shift = 0.0
        """The first value, which is subtracted from all before they are added up: a large mean loses no digits so."""
        self._sum = 0.0
        self._squares = 0.0

    @property
    def people(self) -> int:
        """With and without a value."""
        return self.missing + self.observed

    @property
    def mean(self) -> float:
        """Of the observed values; NaN without any."""
        return self.shift + self._sum / self.observed if self.observed else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of the observed values (n - 1); NaN with fewer than two, or too large ones."""
        if self.observed < 2:
            return math.nan
        return math.sqrt(max(self._squares - self._sum * self._sum / self.observed, 0.0) / (self.observed - 1))

    @property
    def farthest(self) -> float:
        """The observed value that is farthest from the mean."""
        return max(self.least, self.greatest, key=lambda value: abs(value - self.mean))

    @property
    def distance(self) -> float:
        """Of that value from the mean, in standard deviations."""
        return abs(self.farthest - self.mean) / self.deviation

    @staticmethod
    def has(value: bytes) -> bool:
        """Whether regenie takes a word of a row for a value, and not for a missing one."""
        return value != MISSING and not (value[:1] == _BEGINS_MISSING and number_of(value) == TAKEN_FOR_MISSING)

    @property
    def is_constant(self) -> bool:
        """All observed values are the same."""
        return len(self.distinct) == 1

    def take_faults_of(self, other: "Column") -> None:
        """Record faults in the values of people who are not analysed, without counting the values."""
        self.not_numbers.extend(other.not_numbers)
        self.uncoded_elsewhere += other.observed - other.cases - other.controls

    def note_left_out(self, value: bytes) -> None:
        """Count the value of a person whom the launch's lists leave out, if it is a case or a control."""
        number = number_of(value)
        self.cases_left_out += number == 1.0
        self.controls_left_out += number == 0.0

    def add(self, values: Sequence[bytes], people: Sequence[bytes]) -> None:
        """Add the values of some people."""
        try:
            numbers = [float(value) for value in values if value != MISSING]
            are_finite = math.isfinite(sum(numbers)) and _READ_OTHERWISE_BY_C not in b"".join(values)
        except ValueError:
            are_finite = False
        if not are_finite:
            numbers = self._numbers_among(values, people)
        if numbers and max(max(numbers), -min(numbers)) > LARGEST_NUMBER:
            self._note_too_large(values, people)
        self.missing += values.count(MISSING)
        coded = numbers.count(TAKEN_FOR_MISSING)
        if coded:
            numbers = [number for number in numbers if number != TAKEN_FOR_MISSING]
            self.missing += coded
            self.taken_for_missing += coded
        self._count(numbers)
        self._measure(numbers)

    def take(self, counted: Counted, outermost: Mapping[float, int], whole: Mapping[float, int]) -> None:
        """Add what was counted of some people.

        Args:
            counted: of them.
            outermost: how many have each value that is among the outermost so far (Codes.outermost), the least first.
            whole: how many have each whole number.
        """
        self.missing += counted.people - counted.observed
        self.taken_for_missing += counted.taken_for_missing
        if not counted.observed:
            return
        if not self.observed:
            self.shift = counted.shift
        self.observed += counted.observed
        self.least, self.greatest = min(self.least, counted.least), max(self.greatest, counted.greatest)
        self.negative += counted.negative
        self._sum += counted.sum
        self._squares += counted.squares
        self.controls += whole.get(0.0, 0)
        self.cases += whole.get(1.0, 0)
        self.twos += whole.get(2.0, 0)
        self.coded_answers += sum(whole.get(answer, 0) for answer in ANSWERS_THAT_ARE_NO_NUMBERS)
        self.usual_codes += sum(whole[code] for code in USUAL_CODES.intersection(whole))
        self.codes.take(counted.observed, outermost, whole)
        self._keep_distinct(outermost)  # all of them, while few are different

    def _note_too_large(self, values: Sequence[bytes], people: Sequence[bytes]) -> None:
        for value, person in zip(values, people, strict=True):
            number = number_of(value)
            if number is not None and abs(number) > LARGEST_NUMBER:
                self.too_large.add(value + b" (" + person + b")")

    def _numbers_among(self, values: Sequence[bytes], people: Sequence[bytes]) -> list[float]:
        """The values that are numbers; others are recorded. `nan` and `inf` are not numbers: only NA is documented as
        missing."""
        numbers = []
        for value, person in zip(values, people, strict=True):
            if value == MISSING:
                continue
            number = number_of(value)
            if number is None:
                self.not_numbers.add(value + b" (" + person + b")")
            else:
                numbers.append(number)
        return numbers

    def _count(self, numbers: Sequence[float]) -> None:
        self.controls += numbers.count(0.0)
        self.cases += numbers.count(1.0)
        self.twos += numbers.count(2.0)
        self.usual_codes += sum(map(USUAL_CODES.__contains__, numbers))
        self.codes.add(numbers)
        if not numbers:
            return
        least = min(numbers)
        self.least, self.greatest = min(self.least, least), max(self.greatest, max(numbers))
        if least < 0:
            self.negative += sum(map((0.0).__gt__, numbers))
            self.coded_answers += sum(map(numbers.count, ANSWERS_THAT_ARE_NO_NUMBERS))
        self._keep_distinct(numbers)

    def _keep_distinct(self, numbers: Iterable[float]) -> None:
        if len(self.distinct) == _KEPT_DISTINCT:
            return
        self.distinct.update(sorted(set(numbers) - self.distinct)[: _KEPT_DISTINCT - len(self.distinct)])

    def _measure(self, numbers: Sequence[float]) -> None:
        """Add to the sums after subtracting a value of the column, so that a large mean loses no digits."""
        if not self.observed and numbers:
            self.shift = numbers[0]
        left = [number - self.shift for number in numbers]
        self.observed += len(left)
        self._sum += sum(left)
        self._squares += sum(map(mul, left, left))


def have_values(words: Sequence[bytes]) -> list[bool]:
    """`Column.has` of each of the words, in less time where none can be a number that stands for a missing value."""
    if _BEGINS_MISSING in b" ".join(words):
        return [Column.has(word) for word in words]
    return [word != MISSING for word in words]


def number_of(value: bytes) -> float | None:
    """A word of a row, as regenie reads it; None for what is no number, `nan` and `inf` too."""
    if _READ_OTHERWISE_BY_C in value:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def number_or_nan(value: bytes) -> float:
    """As `number_of`; NaN for what is no number, or is missing."""
    number = number_of(value) if Column.has(value) else None
    return math.nan if number is None else number
