"""The rows of a phenotype or covariate file, many at a time, as strictly as regenie reads them."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.numbers import Matrix, are_separated, parsed
from lambdas.regenie.preflight.table import ID_COLUMNS, Table, fields_at

_ROWS: Final = 1024
"""Of a block: enough that what a block costs does not count, few enough that they stay in a processor's cache, and
1,000 columns of them fit in memory."""


def blocks(table: Table) -> Iterator["Block"]:
    """All rows of a table; after the last one, the table has its digest.

    Raises:
        UnusableInputError: there are none.
    """
    content = hashlib.sha256()
    lines = iter(table.data.lines(table.path))
    content.update(next(lines, b"") + b"\n")
    number = 1
    while some := list(islice(lines, _ROWS)):
        block = Block(table, number + 1, some)
        content.update(block.text)
        yield block
        number += len(some)
    if number == 1:
        raise table.unusable("a header and no rows", "Give each person a row, or check that it was written whole.")
    table.sha256 = content.hexdigest()


def rows(table: Table) -> Iterator[tuple[bytes, list[bytes]]]:
    """`FID_IID` and all fields of each row of a table.

    Raises:
        UnusableInputError: there are none, or there is one that regenie would refuse or misread (Block.rows).
    """
    return (row for block in blocks(table) for row in block.rows())


class Block:
    """Some rows of a table, one after the other."""

    def __init__(self, table: Table, first: int, lines: Sequence[bytes]) -> None:
        """`first` is the number of the first line, from 1."""
        self._table = table
        self._first = first
        self._lines = lines
        self.text = b"\n".join(lines) + b"\n"
        """All lines, each with its end."""
        self._width = ID_COLUMNS + len(table.columns)

    def rows(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """`FID_IID` and all fields of each row.

        regenie takes every single space or tab for the end of a field. It does not strip a carriage return, past which
        it reads a number, but not NA (4.1.2: "could not convert value to double").

        Raises:
            UnusableInputError: a row that regenie would refuse or misread. Names the first one.
        """
        width = self._width
        for number, line in enumerate(self._lines, start=self._first):
            fields = line.replace(b"\t", b" ").split(b" ")
            if len(fields) == width + 1 and not fields[-1]:
                fields.pop()  # regenie passes over one separator at the end
            if len(fields) != width or b"" in fields or line.endswith(b"\r"):
                raise self._malformed(number, line)
            yield fields[0] + b"_" + fields[1], fields

    def numbers(self, indices: Sequence[int]) -> "Numbers | None":
        """These columns' values, if each is a number that needs no second look, or NA, and each row is well formed.

        Args:
            indices: the columns' places among the fields of a row.

        Returns:
            None if a value is anything else, or a number above LARGEST_NUMBER, or a row has something odd; `rows` then
            tells what it is.
        """
        text = self.text.replace(b"\t", b" ")
        if not indices or not are_separated(text, len(self._lines), self._width):
            return None
        lines = text.split(b"\n")[:-1]
        names = [line.split(b" ", ID_COLUMNS) for line in lines]
        if list(indices) == list(range(ID_COLUMNS, self._width)):
            words = b" ".join([fields[ID_COLUMNS] for fields in names])
        else:
            values_of = fields_at(indices)
            words = b" ".join([word for line in lines for word in values_of(line.split(b" "))])
        values = parsed(words, len(lines), len(indices))
        if values is None:
            return None
        return Numbers([fields[0] + b"_" + fields[1] for fields in names], names, values, lines)

    def _malformed(self, number: int, line: bytes) -> UnusableInputError:
        if not line.strip():
            return self._table.unusable(f"nothing in line {number}", "Remove the empty line: regenie stops there.")
        if line.endswith(b"\r"):
            return self._table.unusable(
                f"Windows line endings (line {number}), which are a part of the last value: regenie ends at an "
                "NA there",
                "Remove them: sed -i 's/\\r$//' FILE, or dos2unix.",
            )
        fields = len(line.split())
        if fields == self._width:
            return self._table.unusable(
                f"a row (line {number}) whose fields are separated by more than one space or tab",
                "Separate fields by exactly one space or tab: regenie sees an empty field between two separators.",
            )
        return self._table.unusable(
            f"{fields} fields in line {number}, where its header has {self._width}",
            "Give every row a value for each column, separated by one space or tab, with NA for what is missing.",
        )


class Numbers(NamedTuple):
    """Rows of which every value is a number, or NA."""

    people: Sequence[bytes]
    """`FID_IID`, by row."""
    names: Sequence[Sequence[bytes]]
    """FID, IID, and the rest of the row."""
    values: Matrix
    """A row for each person, and a column for each of those asked for; NaN for NA."""
    lines: Sequence[bytes]

    def fields(self, row: int) -> list[bytes]:
        """All fields of a row, as they are written."""
        return self.lines[row].split(b" ")
