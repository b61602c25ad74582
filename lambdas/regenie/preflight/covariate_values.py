"""Reads the covariates' values of everyone who is genotyped."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

import numpy as np

from genolaunch.launch_configs.regenie_config import RegenieParameters
from lambdas.regenie.preflight.adjusting import covariates_in_use
from lambdas.regenie.preflight.blocks import Numbers, blocks
from lambdas.regenie.preflight.chosen import ChosenPeople
from lambdas.regenie.preflight.column import MISSING, Column, have_values
from lambdas.regenie.preflight.explained import CovariateSample
from lambdas.regenie.preflight.interacting import Interacting
from lambdas.regenie.preflight.levels import Levels
from lambdas.regenie.preflight.numbers import add_numbers, have_numbers
from lambdas.regenie.preflight.table import ColumnBatch, People, Table, field_index

_NO_VALUE: Final = frozenset({MISSING, b"nan", b"inf"})
"""What regenie takes for a missing covariate (Regenie.cpp, convertDouble and convertNumLevel)."""


class CovariateValues:
    """The covariates' values, up to the first one that a person lacks: what stands behind it may be anything."""

    def __init__(
        self, chosen: ChosenPeople, table: Table, interacting: Interacting | None, parameters: RegenieParameters
    ) -> None:
        """Begin with nobody.

        Args:
            chosen: the people whom the launch's lists leave in.
            table: the covariate file.
            interacting: gets what people have of the covariate of the launch's interaction.
            parameters: the launch's config.
        """
        used = covariates_in_use(table.columns, parameters)
        categories = parameters.categorical_covariates or ()
        self.people = People(chosen.places, chosen.genotyped)
        self.complete = bytearray(len(chosen.places))
        """1 for each genotyped person with a value for every covariate in use, by place."""
        self.columns = [Column(name) for name in used if name not in categories]
        self.levels = [Levels(name, field_index(table.columns, name)) for name in used if name in categories]
        self.coded: Counter[str] = Counter()
        """How many people have regenie's own number for a missing value, and no missing one before it."""
        self.lacking: Counter[str] = Counter()
        """How many people lack each covariate."""
        self._table, self._interacting = table, interacting
        self._places = {name: field_index(table.columns, name) for name in used}
        self.sample = CovariateSample(
            {name: index for name, index in self._places.items() if name not in categories},
            {name: index for name, index in self._places.items() if name in categories},
        )

    @property
    def directions(self) -> int:
        """Columns that the covariates make: a category counts for each level but one."""
        return len(self.columns) + sum(max(len(level.analysed) - 1, 0) for level in self.levels)

    def read(self) -> None:
        """Read the table.

        Raises:
            UnusableInputError: it has a row that regenie would refuse or misread.
        """
        are_numbers = not self.levels and not self._interacting
        for block in blocks(self._table):
            numbers = block.numbers(list(self._places.values())) if are_numbers else None
            if numbers is None:
                self._add_rows(block.rows())
            else:
                self._add_numbers(numbers)

    def _add_rows(self, rows: Iterable[tuple[bytes, list[bytes]]]) -> None:
        """Take rows in which anything may stand."""
        places = self._places
        batch = ColumnBatch(self.columns, [places[column.name] for column in self.columns])
        own = places[self._interacting.name] if self._interacting else 0
        category_indices = {level.index for level in self.levels}
        for person, fields in rows:
            place = self.people.place(person, fields)
            if place is None:
                continue
            lacks = _lacking(fields, places, category_indices)
            self.lacking.update(lacks)
            missing = places[lacks[0]] if lacks else len(fields)
            if lacks and fields[missing] not in _NO_VALUE:
                self.coded[lacks[0]] += 1
            is_complete = missing == len(fields)
            self.complete[place] = is_complete
            if is_complete:
                self.sample.add(place, fields)
            batch.add(person, fields[:missing] + [MISSING] * (len(fields) - missing))
            for level in self.levels:
                if level.index < missing:
                    level.add(fields, is_analysed=is_complete)
            if self._interacting and own < missing:
                self._interacting.add(place, fields[own], is_analysed=is_complete)
        batch.flush()

    def _add_numbers(self, numbers: Numbers) -> None:
        """As `_add_rows`, of rows in which numbers stand, and NA; none is a category."""
        places = np.array(self.people.places(numbers.people, numbers.names), np.intp)
        rows = np.flatnonzero(places >= 0)
        places, values = places[rows], numbers.values[rows]
        is_missing = ~have_numbers(values)
        lacks = is_missing.any(axis=1)
        if lacks.any():
            names = list(self._places)
            firsts = is_missing.argmax(axis=1)
            coded = np.flatnonzero(lacks & ~np.isnan(values[np.arange(len(values)), firsts]))
            self.coded.update(names[firsts[row]] for row in coded)
            first_rows = is_missing.argmax(axis=0)
            for column in sorted(np.flatnonzero(is_missing.any(axis=0)), key=first_rows.__getitem__):
                self.lacking[names[column]] += int(is_missing[:, column].sum())
            values[np.logical_or.accumulate(is_missing, axis=1)] = np.nan
        np.frombuffer(self.complete, np.uint8)[places] = ~lacks
        with_all = rows[~lacks]
        self.sample.add_numbers(places[~lacks], values[~lacks], lambda row: numbers.fields(int(with_all[row])))
        add_numbers(self.columns, values)


def _lacking(fields: Sequence[bytes], places: Mapping[str, int], categories: Set[int]) -> list[str]:
    """The covariates that a row has no value of, by their places; `categories` are the places of levels."""
    if _NO_VALUE.isdisjoint(fields) and all(have_values(fields)):  # as nearly all rows
        return []
    return [name for name, index in places.items() if _is_missing(fields[index], is_level=index in categories)]


def _is_missing(value: bytes, *, is_level: bool) -> bool:
    """As regenie reads a covariate: a category may be called -999."""
    return value in _NO_VALUE or not (is_level or Column.has(value))
