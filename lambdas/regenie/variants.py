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
from lambdas.regenie.errors import UnusableInputError
from lambdas.regenie.genotypes import GenotypeFiles, GenotypeFormat

VariantPosition = tuple[int, int]
"""Chromosome (regenie's number, 1 to 23) and position in base pairs."""

_BIM_POSITION_COLUMN: Final = 3
_PVAR_POSITION_COLUMN: Final = 1
_FREE_SPACE_SHARE: Final = 0.9
"""The index of a .bgen may take this share of what is free: the rest is for what else is written there."""


def variant_positions(data: DataSet, genotypes: GenotypeFiles) -> Iterator[VariantPosition]:
    """Every variant in the order of the file.

    Raises:
        UnusableInputError: the list of variants is missing, damaged, or names a chromosome that regenie refuses.
    """
    match genotypes.format:
        case GenotypeFormat.BED:
            return _from_lines(data, genotypes.variant_list, _BIM_POSITION_COLUMN)
        case GenotypeFormat.PGEN:
            return _from_lines(data, genotypes.variant_list, _pvar_position_column(data, genotypes.variant_list))
        case GenotypeFormat.BGEN:
            return _from_index(data, genotypes.variant_list)


def _pvar_position_column(data: DataSet, path: str) -> int:
    """A .pvar without a header has the columns of a .bim (PLINK 2 file format specification)."""
    return _PVAR_POSITION_COLUMN if data.head(path, 1) == b"#" else _BIM_POSITION_COLUMN


def _from_lines(data: DataSet, path: str, position_column: int) -> Iterator[VariantPosition]:
    name, number = b"", 0
    for line_number, line in enumerate(data.lines(path), start=1):
        if line.startswith(b"#") or not line.strip():
            continue
        fields = line.split(None, position_column + 1)
        if len(fields) <= position_column or not fields[position_column].isdigit():
            raise UnusableInputError(
                f"has a list of variants, {data.uri(path)}, without a position in line {line_number}",
                "Make the files again with plink2.",
            )
        if fields[0] != name:
            name, number = fields[0], _known_chromosome(fields[0].decode(errors="replace"), data.uri(path))
        yield number, int(fields[position_column])


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
        number = _known_chromosome(name, uri)
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


def _known_chromosome(name: str, uri: str) -> int:
    number = chromosome_number(name)
    if number is None:
        raise UnusableInputError(
            f"has variants on chromosome {name} ({uri}), which regenie does not know",
            "Keep chromosomes 1 to 22 and X only (plink2 --chr 1-22,X).",
        )
    return number
