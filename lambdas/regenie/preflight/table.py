"""The rows of a phenotype or covariate file, as strictly as regenie reads them."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.column import Column
from lambdas.regenie.preflight.findings import Examples
from lambdas.regenie.preflight.id_hints import LOOKED_AT, Names

_ID_COLUMNS: Final = 2
_BATCH: Final = 2048
"""Rows taken together: enough that the cost of a batch does not count, few enough that 1,000 columns fit in memory."""


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

    def rows(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """`FID_IID` and all fields of each row.

        regenie takes every single space or tab for the end of a field. It does not strip a carriage return, past which
        it reads a number, but not NA (4.1.2: "could not convert value to double").

        Raises:
            UnusableInputError: a row that regenie would refuse or misread. Names the first one.
        """
        width = _ID_COLUMNS + len(self.columns)
        content = hashlib.sha256()
        number = 0
        for number, line in enumerate(self.data.lines(self.path), start=1):
            content.update(line + b"\n")
            if number == 1:
                continue
            fields = line.replace(b"\t", b" ").split(b" ")
            if len(fields) == width + 1 and not fields[-1]:
                fields.pop()  # regenie passes over one separator at the end
            if len(fields) != width or b"" in fields or line.endswith(b"\r"):
                raise self._malformed(number, line, width)
            yield fields[0] + b"_" + fields[1], fields
        if number <= 1:
            raise self._unusable("a header and no rows", "Give each person a row, or check that it was written whole.")
        self.sha256 = content.hexdigest()

    def _malformed(self, number: int, line: bytes, width: int) -> UnusableInputError:
        if not line.strip():
            return self._unusable(f"nothing in line {number}", "Remove the empty line: regenie stops there.")
        if line.endswith(b"\r"):
            return self._unusable(
                f"Windows line endings (line {number}), which are a part of the last value: regenie ends at an "
                "NA there",
                "Remove them: sed -i 's/\\r$//' FILE, or dos2unix.",
            )
        fields = len(line.split())
        if fields == width:
            return self._unusable(
                f"a row (line {number}) whose fields are separated by more than one space or tab",
                "Separate fields by exactly one space or tab: regenie sees an empty field between two separators.",
            )
        return self._unusable(
            f"{fields} fields in line {number}, where its header has {width}",
            "Give every row a value for each column, separated by one space or tab, with NA for what is missing.",
        )

    def _unusable(self, problem: str, remedy: str) -> UnusableInputError:
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

    def not_listed(self) -> Examples:
        """Genotyped people that the table leaves out."""
        missing = Examples()
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
        if len(self._rows) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand on what is left; call it after the last row."""
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
    return _ID_COLUMNS + columns.index(name)
