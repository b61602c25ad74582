"""Where a data set's variants lie, read from S3 in bounded memory."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from lambdas.regenie.chromosomes import chromosome_number
from lambdas.regenie.data_set import DataSet
from lambdas.regenie.genotypes import GenotypeFiles, GenotypeFormat
from lambdas.shared.input_error import UnusableInputError

VariantPosition = tuple[int, int]
"""Chromosome (regenie's number, 1 to 23) and position in base pairs."""

_BIM_POSITION_COLUMN: Final = 3
_PVAR_POSITION_COLUMN: Final = 1
_SHOWN_BYTES: Final = 60
_FREE_SPACE_SHARE: Final = 0.9
"""The index of a .bgen may take this share of what is free: the rest is for what else is written there."""


def variant_positions(data: DataSet, genotypes: GenotypeFiles) -> Iterator[VariantPosition]:
    """Every variant in the order of the file.

    Raises:
        UnusableInputError: the list of variants is missing, damaged, or names a chromosome that regenie refuses.
    """
    if genotypes.format is GenotypeFormat.BGEN:
        return _from_index(data, genotypes.variant_list)
    return _from_lines(data, line_parser(data, genotypes))


class LineParser:
    """Reads lines of one list of variants: a .bim, or a .pvar with or without header."""

    def __init__(self, path: str, uri: str, position_column: int) -> None:
        self.path = path
        self._uri = uri
        self.position_column = position_column
        self._numbers: dict[bytes, int] = {}

    def parse(self, line: bytes) -> VariantPosition | None:
        """The variant of a line; None for a line of the header, and an empty one.

        Raises:
            UnusableInputError: the line has no position, or a chromosome that regenie refuses.
        """
        if line.startswith(b"#") or not line.strip():
            return None
        fields = line.split(None, self.position_column + 1)
        if len(fields) <= self.position_column or not fields[self.position_column].isdigit():
            raise UnusableInputError(
                f"has a list of variants, {self._uri}, without a position in the line "
                f"{line[:_SHOWN_BYTES].decode(errors='replace')!r}",
                "Make the files again with plink2.",
            )
        name = fields[0]
        if name not in self._numbers:
            self._numbers[name] = known_chromosome(name.decode(errors="replace"), self._uri)
        return self._numbers[name], int(fields[self.position_column])


def line_parser(data: DataSet, genotypes: GenotypeFiles) -> LineParser:
    """The reader of a .bim or .pvar. A .pvar without a header has the columns of a .bim (PLINK 2 file format)."""
    path = genotypes.variant_list
    has_header = genotypes.format is GenotypeFormat.PGEN and data.head(path, 1) == b"#"
    return LineParser(path, data.uri(path), _PVAR_POSITION_COLUMN if has_header else _BIM_POSITION_COLUMN)


def _from_lines(data: DataSet, parser: LineParser) -> Iterator[VariantPosition]:
    for line in data.lines(parser.path):
        variant = parser.parse(line)
        if variant is not None:
            yield variant


def _from_index(data: DataSet, path: str) -> Iterator[VariantPosition]:
    """Read a .bgi: an SQLite database with a row for each variant (bgenix's table Variant)."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index.bgi")
        _check_space(data, path, index.parent)
        data.download(path, index)
        try:
            with closing(sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True)) as database:
                yield from _from_database(database, data.uri(path))
        except sqlite3.DatabaseError as error:
            raise UnusableInputError(
                f"has an index, {data.uri(path)}, that cannot be read ({error})", "Make it again: bgenix -index."
            ) from error


def _from_database(database: sqlite3.Connection, uri: str) -> Iterator[VariantPosition]:
    # A chromosome at a time along the primary key (chromosome, position, ...): no sorting, no temporary tables.
    chromosomes = database.execute(
        "SELECT chromosome FROM Variant GROUP BY chromosome ORDER BY MIN(file_start_position)"
    ).fetchall()
    for (name,) in chromosomes:
        number = known_chromosome(name, uri)
        rows = database.execute("SELECT position FROM Variant WHERE chromosome = ? ORDER BY position", (name,))
        for (position,) in rows:
            yield number, position


def _check_space(data: DataSet, path: str, folder: Path) -> None:
    size, free = data.size(path), shutil.disk_usage(folder).free
    if size > free * _FREE_SPACE_SHARE:
        raise UnusableInputError(
            f"has an index, {data.uri(path)}, of {size:,} bytes, more than planning can hold ({free:,} bytes free)",
            "Split the .bgen file by chromosome and list the parts under step2.datasets.",
        )


def known_chromosome(name: str, uri: str) -> int:
    """regenie's number of a chromosome; UnusableInputError for one that it refuses."""
    number = chromosome_number(name)
    if number is None:
        raise UnusableInputError(
            f"has variants on chromosome {name} ({uri}), which regenie does not know",
            "Keep chromosomes 1 to 22 and X only (plink2 --chr 1-22,X).",
        )
    return number
