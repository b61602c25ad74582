"""Reads the traits' values of everyone who is analysed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

import numpy as np

from genolaunch.launch_configs.regenie_config import RegenieParameters
from lambdas.regenie.preflight.blocks import Numbers, blocks
from lambdas.regenie.preflight.chosen import ChosenPeople
from lambdas.regenie.preflight.column import MISSING, Column, have_values
from lambdas.regenie.preflight.explained import Explained
from lambdas.regenie.preflight.interacting import Interacting
from lambdas.regenie.preflight.numbers import Marks, Places, add_numbers, have_numbers
from lambdas.regenie.preflight.table import ColumnBatch, People, Table, field_index, fields_at
from lambdas.regenie.preflight.traits import STRICT, is_strict


class TraitValues:
    """The traits' values of everyone who has all covariates.

    Who has no prediction has no value, and with --strict neither has who lacks another trait's: in either step, since
    step 2 needs predictions. regenie leaves out whoever has none at all (4.1.2's sources: Pheno.cpp, setMasks).
    """

    def __init__(
        self,
        chosen: ChosenPeople,
        complete: bytearray,
        table: Table,
        traits: Sequence[str],
        covered: Mapping[str, bytearray | None],
        interacting: Interacting | None,
        explained: Explained,
        parameters: RegenieParameters,
    ) -> None:
        """Begin with nobody.

        Args:
            chosen: the people whom the launch's lists leave in.
            complete: 1 for each of them who has all covariates.
            table: the phenotype file.
            traits: those of its columns that are analysed.
            covered: trait -> 1 for each person with a given prediction; not for other traits.
            interacting: gets the people of the launch's interaction.
            explained: gets the values of the people whose covariates it has.
            parameters: the launch's config.
        """
        self.people = People(chosen.places, chosen.genotyped)
        self.columns = [Column(trait) for trait in traits]
        self.analysed = bytearray(len(chosen.places))
        """1 for who has a value of any trait, by place."""
        # regenie parses values of people whom it leaves out for a covariate, too, and ends at one that is no number.
        self._left_out = [Column(trait) for trait in traits]
        self._chosen, self._complete, self._table, self._traits = chosen, complete, table, traits
        self._indices = [field_index(table.columns, trait) for trait in traits]
        self._with_predictions = [
            (column, mark) for column, trait in enumerate(traits) if (mark := covered.get(trait)) is not None
        ]
        self._interacting, self._explained = interacting, explained
        self._has_step1 = parameters.step1.enabled
        self._strict, self._step1_strict = is_strict(parameters), STRICT in parameters.step1.extra
        self._is_binary = parameters.trait_type == "binary"

    def read(self) -> None:
        """Read the table.

        Raises:
            UnusableInputError: it has a row that regenie would refuse or misread.
        """
        for block in blocks(self._table):
            numbers = block.numbers(self._indices)
            if numbers is None:
                self._add_rows(block.rows())
            else:
                self._add_numbers(numbers)
        for column, other in zip(self.columns, self._left_out, strict=True):
            column.take_faults_of(other)

    def _add_rows(self, rows: Iterable[tuple[bytes, list[bytes]]]) -> None:
        """Take rows in which anything may stand."""
        indices, values_of = self._indices, fields_at(self._indices)
        batch, others = ColumnBatch(self.columns, indices), ColumnBatch(self._left_out, indices)
        for person, fields in rows:
            place = self.people.place(person, fields)
            if place is None and self._is_left_out(person):
                for column, index in zip(self.columns, indices, strict=True):
                    column.note_left_out(fields[index])
            elif place is not None and not self._complete[place]:
                others.add(person, fields)
            elif place is not None:
                has = have_values(values_of(fields))
                in_step1 = any(has) and not (self._step1_strict and not all(has))
                if self._strict and not all(has):
                    others.add(person, fields)
                    fields = [MISSING] * len(fields)
                    has = [False] * len(indices)
                if self._with_predictions:
                    self._leave_out_unpredicted(fields, place)
                    has = have_values(values_of(fields))
                self.analysed[place] = in_step1 if self._has_step1 else any(has)
                if self._interacting and any(has):
                    self._interacting.count(place, compress(self._traits, has))
                self._explained.add(place, fields, indices)
                batch.add(person, fields)
        batch.flush()
        others.flush()

    def _leave_out_unpredicted(self, fields: list[bytes], place: int) -> None:
        """Take the values of traits of which a person has no prediction."""
        for column, mark in self._with_predictions:
            if not mark[place]:
                fields[self._indices[column]] = MISSING

    def _is_left_out(self, person: bytes) -> bool:
        """Whether it matters what a person has whom the launch's own choice leaves out."""
        return self._is_binary and person in self._chosen.genotyped and person not in self._chosen.places

    def _add_numbers(self, numbers: Numbers) -> None:
        """As `_add_rows`, of rows in which numbers stand, and NA."""
        places = np.array(self.people.places(numbers.people, numbers.names), np.intp)
        values = numbers.values
        is_listed = places >= 0
        if not is_listed.all():
            rows = [row for row in np.flatnonzero(~is_listed) if self._is_left_out(numbers.people[row])]
            for column, cases, controls in zip(
                self.columns, (values[rows] == 1).sum(axis=0), (values[rows] == 0).sum(axis=0), strict=True
            ):
                column.cases_left_out += int(cases)
                column.controls_left_out += int(controls)
            places, values = places[is_listed], values[is_listed]
        is_complete = _marked(self._complete, places)
        add_numbers(self._left_out, values[~is_complete])
        places, values = places[is_complete], values[is_complete]
        has = have_numbers(values)
        has_all = has.all(axis=1)
        in_step1 = has_all if self._step1_strict else has.any(axis=1)
        if self._strict:
            add_numbers(self._left_out, values[~has_all])
            values[~has_all] = np.nan
        for number, mark in self._with_predictions:
            values[~_marked(mark, places), number] = np.nan
        has = have_numbers(values)
        np.frombuffer(self.analysed, np.uint8)[places] = in_step1 if self._has_step1 else has.any(axis=1)
        if self._interacting:
            for place, traits in self._by_person(places, has):
                self._interacting.count(place, traits)
        self._explained.add_numbers(places, np.where(has, values, np.nan))
        add_numbers(self.columns, values)

    def _by_person(self, places: Places, has: Marks) -> Iterator[tuple[int, Iterable[str]]]:
        """Everyone's place and traits, of those who have one."""
        for place, own in zip(places.tolist(), has.tolist(), strict=True):
            if any(own):
                yield place, compress(self._traits, own)


def _marked(marks: bytearray, places: Places) -> Marks:
    """Whether these places are marked with 1."""
    return np.frombuffer(marks, np.uint8)[places].astype(np.bool_)
