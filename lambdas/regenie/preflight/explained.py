"""Traits that the covariates explain wholly: nothing is left of them to test.

regenie takes the covariates' share out of each trait first. Of a trait that is a sum of covariates (one of them under
another name, 2 * age + 1) nothing is left but rounding: regenie ends with `phenotype '...' has sd=0` (4.1.2's sources:
Pheno.cpp, residualize_phenotypes) once it has read the genotypes, or computes with the rounding.

Nearly every trait is found to be another's after some people, so a few are enough: covariates are kept of some
thousands at most, spread over the file, with those who differ from most in a column. Where they leave no doubt but that
a trait is explained, both tables are read once more, for everyone.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

import numpy as np

from genolaunch.launch_configs.regenie_config import RegenieParameters
from lambdas.regenie.preflight.blocks import rows
from lambdas.regenie.preflight.column import Column, number_of, number_or_nan
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.numbers import Matrix, Places
from lambdas.regenie.preflight.scales import LEAST_DEVIATION
from lambdas.regenie.preflight.table import Table, field_index

LEAST_LEFT: Final = 1e-3
"""Of a trait's standard deviation, what is left beside the covariates where it is more than they; a millionth of its
variance. Values that were written with four digits are rounded by less."""
_SPREAD: Final = 1024
"""People of any kind who are kept: so many to twice as many."""
_DIFFERENT: Final = 8
"""People who are kept of each covariate with a value unlike the first one's, and of each level of a category."""
_MORE_THAN_COLUMNS: Final = 24
"""People beyond the number of columns by whom it is tried first whether anything is left."""
_FEWEST_BEYOND: Final = 5
"""People beyond the number of columns, with fewer of whom nothing is told."""
_MOST_COLUMNS: Final = 64
"""Columns of the design, a category's levels among them. A fit costs their square times the people: with 64 some 0.2
seconds for each trait. With more of them nothing is told here, and regenie tells it."""
_DEPENDENT: Final = 1e-6
"""Share of a column that is left beside the columns before it, below which it is one of their sums."""


_AT_ONCE: Final = 20
"""Traits for which the tables are read again together: a number is kept of each person and trait."""

_Level = tuple[str, bytes]
"""A category, and one of its levels."""


class CovariateSample:
    """The covariates of some people, and of each column's rarities."""

    def __init__(self, numbers: Mapping[str, int], categories: Mapping[str, int]) -> None:
        """Both by name: the places among the fields of a row."""
        self._numbers = numbers
        self._categories = categories
        self._indices = (*numbers.values(), *categories.values())
        self._spread: list[tuple[int, tuple[bytes, ...]]] = []
        self._step = 1
        self._seen = 0
        self._rare: dict[int, tuple[bytes, ...]] = {}
        self._first: dict[int, bytes] = {}
        self._open = Counter(dict.fromkeys(numbers.values(), _DIFFERENT))
        """Columns of which somebody with another value than the first one's is still wanted."""
        self._levels: Counter[tuple[int, bytes]] = Counter()

    @property
    def is_too_wide(self) -> bool:
        """Whether the covariates make more columns than are looked at."""
        return len(self._numbers) + len(self._levels) > _MOST_COLUMNS

    def add(self, place: int, fields: Sequence[bytes]) -> None:
        """Take the row of a person who has all covariates."""
        if self.is_too_wide:
            return
        if not self._seen:
            self._first = {index: fields[index] for index in self._indices}
        self._seen += 1
        if self._seen % self._step == 0:
            self._spread.append((place, self._row(fields)))
            if len(self._spread) == 2 * _SPREAD:
                self._spread = self._spread[1::2]
                self._step *= 2
        different = [
            index
            for index in self._open
            if fields[index] != self._first[index] and number_of(fields[index]) != number_of(self._first[index])
        ]
        levels = [(index, fields[index]) for index in self._categories.values()]
        rare = [level for level in levels if self._levels[level] < _DIFFERENT]
        if different or rare:
            self._rare[place] = self._row(fields)
            self._levels.update(rare)
            self._open.subtract(different)
            self._open = +self._open  # without those of whom there are enough

    def add_numbers(self, places: Places, values: Matrix, fields_of: Callable[[int], Sequence[bytes]]) -> None:
        """As `add`, of some people.

        Args:
            places: of the people.
            values: a row for each of them, a column for each covariate; there is no category.
            fields_of: gives a row, by its number among these.
        """
        if self.is_too_wide:
            return
        before = self._seen
        is_kept = (before + 1 + np.arange(len(places))) % self._step == 0
        if before:
            columns = [column for column, index in enumerate(self._indices) if index in self._open]
            firsts = [number_or_nan(self._first[self._indices[column]]) for column in columns]
            is_kept |= (values[:, columns] != firsts).any(axis=1)
        for row in np.flatnonzero(is_kept).tolist():
            self._seen = before + row
            self.add(int(places[row]), fields_of(row))
        self._seen = before + len(places)

    def _row(self, fields: Sequence[bytes]) -> tuple[bytes, ...]:
        return tuple(fields[index] for index in self._indices)

    def rows(self) -> dict[int, tuple[bytes, ...]]:
        """Place -> values, of everyone who is kept: the rarities first. Nobody if there are too many columns."""
        return {} if self.is_too_wide else self._rare | dict(self._spread)

    @property
    def covariates(self) -> tuple[str, ...]:
        """In the order of the values of a row."""
        return (*self._numbers, *self._categories)

    @property
    def categories(self) -> Collection[str]:
        """Those of them whose values are levels."""
        return self._categories.keys()


class Explained:
    """Whether traits are explained: gathers their values of the people whose covariates are kept."""

    def __init__(self, sample: CovariateSample) -> None:
        self._sample = sample
        self._rows = sample.rows()
        self._values: dict[int, list[float]] = {}

    def add(self, place: int, fields: Sequence[bytes], indices: Sequence[int]) -> None:
        """Take the row of a person who is analysed; `indices` are the traits' places in it."""
        if place in self._rows:
            self._values[place] = [number_or_nan(fields[index]) for index in indices]

    def add_numbers(self, places: Places, values: Matrix) -> None:
        """As `add`, of some people: a row for each, a column for each trait, NaN for what is missing."""
        for row, place in enumerate(places.tolist()):
            if place in self._rows:
                self._values[place] = values[row].tolist()

    def check(
        self,
        columns: Sequence[Column],
        good: Collection[str],
        places: Mapping[bytes, int],
        tables: tuple[Table, Table],
        parameters: RegenieParameters,
        findings: Findings,
    ) -> None:
        """Find the traits that covariates explain.

        Args:
            columns: of the traits, in their order, with the values of all people who are analysed.
            good: those of them that have no other fault.
            places: `FID_IID` -> place.
            tables: the phenotype file and the covariate file, which are read again where need be.
            parameters: the launch's config.
            findings: get the faults.
        """
        design = _Design.of(self._sample, list(self._rows.values()))
        if design is None:
            return
        suspects = {}
        for number, column in enumerate(columns):
            least = _least_left(column, parameters)
            if column.name in good and (model := self._model(design, number, least)):
                suspects[column.name] = model
        names = list(suspects)
        left: dict[str, float] = {}
        for first in range(0, len(names), _AT_ONCE):
            some = {name: suspects[name] for name in names[first : first + _AT_ONCE]}
            left |= _left_over(some, places, *tables)
        for column in columns:
            if left.get(column.name, math.inf) < _least_left(column, parameters):
                findings.add(
                    "regenie.traits",
                    f"names {column.name}, which covariates explain wholly ({', '.join(suspects[column.name].names)}): "
                    "nothing of it is left to test",
                    "Leave it out of `traits`, or the covariates that it is made of out of the analysis "
                    "(covariate_columns).",
                )

    def _model(self, design: "_Design", number: int, least: float) -> "_Model | None":
        """By what covariates explain a trait, as far as those who are kept tell; None where something is left."""
        trait = {
            index: value
            for index, place in enumerate(self._rows)
            if place in self._values and not math.isnan(value := self._values[place][number])
        }
        some = list(trait)[:: max(len(trait) // (design.width + _MORE_THAN_COLUMNS), 1)]
        first = design.fit({index: trait[index] for index in some})
        if first is None or first.left >= least:
            return None
        fit = design.fit(trait)
        # Whoever is rare in a covariate is among these people: what is the same in all of them is made of none.
        return fit.model if fit and fit.left < least <= fit.spread else None


@dataclass(frozen=True, slots=True)
class _Model:
    """What covariates make of a trait: a sum of their columns."""

    constant: float
    slopes: Mapping[str | _Level, float]
    names: Sequence[str]
    """The covariates that make a difference in it."""

    def of(self, indices: Mapping[str, int], fields: Sequence[bytes]) -> float:
        """A person's value; NaN without all covariates. `indices` are their places in a row."""
        total = self.constant
        for name, slope in self.slopes.items():
            if isinstance(name, tuple):
                total += slope * (fields[indices[name[0]]] == name[1])
            elif (number := number_of(fields[indices[name]])) is None:
                return math.nan
            else:
                total += slope * number
        return total


@dataclass(frozen=True, slots=True)
class _Fit:
    """Least squares."""

    model: _Model
    left: float
    """Standard deviation of what the model does not explain."""
    spread: float
    """Of the trait."""


@dataclass(frozen=True, slots=True)
class _Design:
    """The columns that covariates make, of the people who are kept."""

    names: Sequence[str | _Level]
    columns: Sequence[Sequence[float]]

    @classmethod
    def of(cls, sample: CovariateSample, rows: Sequence[Sequence[bytes]]) -> "_Design | None":
        """None where a value is no number, which is a fault by now."""
        names: list[str | _Level] = []
        columns: list[Sequence[float]] = []
        for name, values in zip(sample.covariates, zip(*rows, strict=True), strict=bool(rows)):
            if name in sample.categories:
                levels = sorted(set(values))[1:]
                names += [(name, level) for level in levels]
                columns += [[float(value == level) for value in values] for level in levels]
                continue
            numbers = _numbers(values)
            if numbers is None:
                return None
            names.append(name)
            columns.append(numbers)
        return cls(names, columns)

    @property
    def width(self) -> int:
        """Columns, and one for the intercept."""
        return len(self.columns) + 1

    def fit(self, trait: Mapping[int, float]) -> _Fit | None:
        """Fit a trait's values of some people, by their places in the columns; None if they are too few to tell."""
        people = len(trait)
        columns = [[column[index] for index in trait] for column in self.columns]
        means = [math.fsum(column) / max(people, 1) for column in columns]
        basis = _orthogonal([[value - mean for value in column] for column, mean in zip(columns, means, strict=True)])
        beyond = people - len(basis) - 1
        if beyond < _FEWEST_BEYOND or not basis:
            return None
        mean = math.fsum(trait.values()) / people
        rest = [value - mean for value in trait.values()]
        spread = _length(rest)
        slopes = [0.0] * len(columns)
        for unit, made in basis:
            share = sum(map(mul, unit, rest))
            rest = _less(rest, share, unit)
            slopes = _less(slopes, -share, made)
        named = dict.fromkeys(
            name[0] if isinstance(name, tuple) else name
            for name, slope, column, centre in zip(self.names, slopes, columns, means, strict=True)
            if abs(slope) * _length([value - centre for value in column]) > LEAST_LEFT * spread
        )
        constant = mean - math.fsum(map(mul, slopes, means))
        model = _Model(constant, dict(zip(self.names, slopes, strict=True)), list(named))
        return _Fit(model, _length(rest) / math.sqrt(beyond), spread / math.sqrt(people))


def _orthogonal(columns: Sequence[list[float]]) -> list[tuple[list[float], list[float]]]:
    """Columns of length 1 at right angles, and how each is made of the given ones; without those that others make.

    One after the other, twice over for the digits' sake (modified Gram-Schmidt).
    """
    basis: list[tuple[list[float], list[float]]] = []
    for number, column in enumerate(columns):
        rest, size = column, _length(column)
        made = [0.0] * len(columns)
        made[number] = 1.0
        for _ in range(2):
            for unit, of in basis:
                share = sum(map(mul, unit, rest))
                rest, made = _less(rest, share, unit), _less(made, share, of)
        length = _length(rest)
        if length > _DEPENDENT * size:
            basis.append(([one / length for one in rest], [one / length for one in made]))
    return basis


def _less(one: Sequence[float], share: float, other: Sequence[float]) -> list[float]:
    return [value - share * taken for value, taken in zip(one, other, strict=True)]


def _length(values: Sequence[float]) -> float:
    return math.sqrt(sum(map(mul, values, values)))


def _numbers(values: Sequence[bytes]) -> list[float] | None:
    """None if one is no number."""
    numbers = [number for value in values if (number := number_of(value)) is not None]
    return numbers if len(numbers) == len(values) else None


def _least_left(column: Column, parameters: RegenieParameters) -> float:
    """Below how much (standard deviation) nothing is left of a trait."""
    least = LEAST_LEFT * column.deviation
    goes_by_size = parameters.trait_type == "quantitative" and not parameters.apply_rint
    return max(least, LEAST_DEVIATION) if goes_by_size else least


def _left_over(
    suspects: Mapping[str, _Model], places: Mapping[bytes, int], phenotypes: Table, covariates: Table
) -> dict[str, float]:
    """What is left of each trait beside its model (standard deviation), over everyone with all covariates."""
    explained = {name: array("d", [math.nan]) * len(places) for name in suspects}
    indices = {name: field_index(covariates.columns, name) for name in covariates.columns}
    for person, fields in rows(covariates):
        place = places.get(person)
        if place is not None:
            for name, model in suspects.items():
                explained[name][place] = model.of(indices, fields)
    traits = [(name, field_index(phenotypes.columns, name)) for name in suspects]
    squares, people = dict.fromkeys(suspects, 0.0), dict.fromkeys(suspects, 0)
    for person, fields in rows(phenotypes):
        place = places.get(person)
        if place is None:
            continue
        for name, index in traits:
            left = number_or_nan(fields[index]) - explained[name][place]
            if not math.isnan(left):
                squares[name] += left * left
                people[name] += 1
    return {name: math.sqrt(squares[name] / people[name]) for name in suspects if people[name]}
