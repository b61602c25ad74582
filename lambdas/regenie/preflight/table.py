"""Phenotype and covariate files, and the people whom they list."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.column import Column
from lambdas.regenie.preflight.findings import Examples
from lambdas.regenie.preflight.id_hints import LOOKED_AT, Names

ID_COLUMNS: Final = 2
"""FID and IID."""


@dataclass(slots=True)
class Table:
    """A phenotype or covariate file with a good header."""

    data: DataSet
    path: str
    columns: Sequence[str]
    """All after FID and IID."""
    sha256: str | None = None
    """Of all lines, as soon as every row was read: tells what a launch analysed, wherever the file lay."""

    @property
    def uri(self) -> str:
        """For people."""
        return self.data.uri(self.path)

    def unusable(self, problem: str, remedy: str) -> UnusableInputError:
        """What to say of a table with such a problem."""
        return UnusableInputError(f"names {self.uri}, which has {problem}", remedy)


class People:
    """Which of the genotyped people a table lists."""

    def __init__(self, places: dict[bytes, int], genotyped: Collection[bytes] = ()) -> None:
        """`places` are the people whom the launch's lists leave in, `genotyped` all that have genotypes."""
        self._places = places
        self._genotyped = genotyped
        self.listed = bytearray(len(places))
        """1 for each genotyped person that the table lists, by place."""
        self.repeated = Examples()
        self.not_genotyped = Examples()
        self.unknown: list[Names] = []
        """FID and IID of the first few who are not genotyped."""

    @property
    def in_both(self) -> int:
        """Genotyped people that the table lists."""
        return self.listed.count(1)

    @property
    def genotyped(self) -> Collection[bytes]:
        """`FID_IID` of all who have genotypes."""
        return self._genotyped

    def place(self, person: bytes, names: Sequence[bytes] = ()) -> int | None:
        """The place of a person whose first row this is; None for others. `names` begin with FID and IID."""
        place = self._places.get(person)
        if place is None:
            if person not in self._genotyped:
                self.not_genotyped.add(person)
                if names and len(self.unknown) < LOOKED_AT:
                    self.unknown.append((names[0], names[1]))
        elif self.listed[place]:
            self.repeated.add(person)
        else:
            self.listed[place] = 1
            return place
        return None

    def places(self, people: Sequence[bytes], names: Sequence[Sequence[bytes]]) -> list[int]:
        """`place` of each of some people; -1 for None."""
        places = [self._places.get(person, -1) for person in people]
        if -1 in places or len(set(places)) < len(places) or any(map(self.listed.__getitem__, places)):
            found = map(self.place, people, names)
            return [-1 if place is None else place for place in found]
        for place in places:
            self.listed[place] = 1
        return places

    def not_listed(self) -> Examples:
        """Genotyped people that the table leaves out."""
        missing = Examples()
        if self.in_both < len(self._places):
            missing.update(person for person, place in self._places.items() if not self.listed[place])
        return missing


class ColumnBatch:
    """Hands values of chosen columns to their Column, many rows at a time."""

    def __init__(self, columns: Sequence[Column], indices: Sequence[int]) -> None:
        """`indices` are the columns' places among the fields of a row."""
        self._columns = columns
        self._values_of = fields_at(indices)
        self._people: list[bytes] = []
        self._rows: list[tuple[bytes, ...]] = []

    def add(self, person: bytes, fields: list[bytes]) -> None:
        """Take a row."""
        self._people.append(person)
        self._rows.append(self._values_of(fields))

    def flush(self) -> None:
        """Hand them on; call it after the last row of a block."""
        for column, values in zip(self._columns, zip(*self._rows, strict=True), strict=bool(self._rows)):
            column.add(values, self._people)
        self._people, self._rows = [], []


def fields_at(indices: Sequence[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    """What takes these fields out of a row."""
    if len(indices) > 1:
        return itemgetter(*indices)
    return lambda fields: tuple(fields[index] for index in indices)


def field_index(columns: Sequence[str], name: str) -> int:
    """A column's place among the fields of a row."""
    return ID_COLUMNS + columns.index(name)
