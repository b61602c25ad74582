"""Reads the positions of a data set's variants from S3, in bounded memory."""

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.chromosomes import X_CHROMOSOME, chromosome_number
from lambdas.regenie.line_columns import columns_of, count_columns, has_columns

VariantPosition = tuple[int, int]
"""Chromosome (regenie's number, 1 to 23) and position in base pairs."""
Found = TypeVar("Found")


class Columns(NamedTuple):
    """Places of what is read of a line, from 0, how many columns regenie reads, and how many the file has."""

    position: int
    name: int
    alternative: int
    width: int
    whole: int
    is_exact: bool = False
    """By its first line the file has more columns than its format: then each line must have as many."""


_BIM: Final = Columns(position=3, name=1, alternative=4, width=6, whole=6)
_PVAR_HEADER: Final = b"#CHROM"
_PVAR_NAMES: Final = (b"POS", b"ID", b"REF", b"ALT")
_PVAR_WIDTH: Final = 5
_MOST_HEADER_BYTES: Final = 1 << 24
"""Of the meta-information above a .pvar file's header; contigs of an assembly are some 100 kB."""
_HEAD_BYTES: Final = 1 << 16
_SHOWN_BYTES: Final = 60
_FREE_SPACE_SHARE: Final = 0.9
"""The index of a .bgen may take this share of what is free: the rest is for what else is written there."""


def variant_positions(data: DataSet, genotypes: GenotypeFiles) -> Iterator[VariantPosition]:
    """Every variant in the order of the file.

    Raises:
        UnusableInputError: the list of variants is missing, damaged, or names a chromosome that regenie refuses.
    """
    if genotypes.format is GenotypeFormat.BGEN:
        return _of_index(data, genotypes, _positions_of_database)
    return _from_lines(data, line_parser(data, genotypes))


class LineParser:
    """Reads lines of one list of variants: a .bim or a .pvar, as strictly as regenie does."""

    def __init__(self, path: str, uri: str, columns: Columns) -> None:
        self.path = path
        self.columns = columns
        self._uri = uri
        self._numbers: dict[bytes, int] = {}

    @property
    def position_column(self) -> int:
        """From 0."""
        return self.columns.position

    def parse(self, line: bytes, number: int | None = None) -> VariantPosition | None:
        """The variant of a line; None for a line of the header. `number` is the line's, from 1, where it is known.

        Raises:
            UnusableInputError: another number of columns (an empty line, a blank within an id), a position that is
                none, several alternative alleles, or a chromosome that regenie refuses.
        """
        fields = self._fields(line, number)
        return None if fields is None else self._variant(fields)

    def parse_name(self, line: bytes, number: int | None = None) -> tuple[int, bytes] | None:
        """The number of the chromosome, and the variant's id; None for a line of the header. As `parse`."""
        fields = self._fields(line, number)
        return None if fields is None else (self._variant(fields)[0], fields[self.columns.name])

    def _fields(self, line: bytes, number: int | None) -> list[bytes] | None:
        if line.startswith(b"#"):
            return None
        fields = line.replace(b"\t", b" ").split(b" ", self.columns.whole)
        position = fields[self.columns.position] if len(fields) >= self.columns.width else b""
        if not position.isdigit() or b"" in fields[: self.columns.width] or (position[:1] == b"0" and position != b"0"):
            raise UnusableInputError(
                f"has a list of variants, {self._uri}, where a line lacks one of {self.columns.width} columns, or its "
                f"position: {line[:_SHOWN_BYTES].decode(errors='replace')!r}",
                "Part columns by one space or tab, remove empty lines, or make the files again with plink2.",
            )
        if fault := self._moved(line, fields):
            where = f"line {number:,}" if number else "a line"
            raise UnusableInputError(
                f"has a list of variants, {self._uri}, where {where} has {fault}: "
                f"{line[:_SHOWN_BYTES].decode(errors='replace')!r}; regenie would take the wrong ones for position and "
                "alleles",
                "Give variants ids without a blank (plink2 --set-all-var-ids '@:#:$r:$a'), and write lists of them "
                "anew.",
            )
        if b"," in fields[self.columns.alternative]:
            raise UnusableInputError(
                f"has a list of variants, {self._uri}, with several alternative alleles in a line: "
                f"{line[:_SHOWN_BYTES].decode(errors='replace')!r}; regenie takes variants of two alleles",
                "Keep variants with two alleles only (plink2 --max-alleles 2 --make-pgen), or split the others "
                "(bcftools norm -m -any).",
            )
        return fields

    def _moved(self, line: bytes, fields: list[bytes]) -> str | None:
        """In words, why columns are not what their places say, as behind a blank within an id; None where they are."""
        columns = self.columns
        if not columns.is_exact and len(fields) <= columns.whole:
            return None
        alternative = fields[columns.alternative]
        if columns.is_exact and len(alternative) > 1 and alternative.isdigit():  # all ids may have a blank
            return f"the number {alternative.decode()} for an allele"
        if has_columns(line, columns.whole, columns.width):
            return None
        return f"{count_columns(line, columns.width):,} columns instead of {columns.whole}"

    def _variant(self, fields: list[bytes]) -> VariantPosition:
        name = fields[0]
        if name not in self._numbers:
            self._numbers[name] = known_chromosome(name.decode(errors="replace"), self._uri)
        return self._numbers[name], int(fields[self.columns.position])


def line_parser(data: DataSet, genotypes: GenotypeFiles) -> LineParser:
    """The reader of a .bim or .pvar.

    Raises:
        UnusableInputError: a .pvar without the header by which regenie finds its columns.
    """
    path = genotypes.variant_list
    columns = _pvar_columns(data, path) if genotypes.format is GenotypeFormat.PGEN else _bim_columns(data, path)
    return LineParser(path, data.uri(path), columns)


def _bim_columns(data: DataSet, path: str) -> Columns:
    """By the first line: regenie passes over columns behind the sixth."""
    first = count_columns(data.head(path, _HEAD_BYTES).partition(b"\n")[0], _BIM.width)
    return _BIM._replace(whole=first, is_exact=True) if first > _BIM.width else _BIM


def _pvar_columns(data: DataSet, path: str) -> Columns:
    """By the header: the columns may have any order, but #CHROM is the first."""
    header = _pvar_header(data, path)
    if header[:1] != [_PVAR_HEADER] or any(name not in header for name in _PVAR_NAMES):
        raise UnusableInputError(
            f"has a list of variants, {data.uri(path)}, without a header line #CHROM POS ID REF ALT",
            "regenie needs these columns, #CHROM first: make the file again with plink2 --make-just-pvar.",
        )
    position, name, _, alternative = map(header.index, _PVAR_NAMES)
    width = max(_PVAR_WIDTH, *(header.index(each) + 1 for each in _PVAR_NAMES))
    return Columns(position, name, alternative, width, whole=len(header))


def _pvar_header(data: DataSet, path: str) -> list[bytes]:
    """The words of the first line that is no meta-information (##...)."""
    length = _HEAD_BYTES
    while True:
        head = data.head(path, length)
        is_whole = len(head) < length
        *lines, rest = head.split(b"\n")
        for line in [*lines, rest] if is_whole else lines:
            if not line.startswith(b"##"):
                return columns_of(line)
        if is_whole or length >= _MOST_HEADER_BYTES:
            return []
        length *= 8


def variant_names(data: DataSet, genotypes: GenotypeFiles) -> Iterator[tuple[int, bytes]]:
    """Number of the chromosome and id of every variant (of a .bgen the rsid), in the order of the file.

    Raises:
        UnusableInputError: as variant_positions.
    """
    if genotypes.format is GenotypeFormat.BGEN:
        yield from _of_index(data, genotypes, _names_of_database)
        return
    parser = line_parser(data, genotypes)
    for number, line in enumerate(data.lines(parser.path), start=1):
        found = parser.parse_name(line, number)
        if found is not None:
            yield found


def _from_lines(data: DataSet, parser: LineParser) -> Iterator[VariantPosition]:
    for number, line in enumerate(data.lines(parser.path), start=1):
        variant = parser.parse(line, number)
        if variant is not None:
            yield variant


def _of_index(
    data: DataSet, genotypes: GenotypeFiles, read: Callable[[sqlite3.Connection, str], Iterator[Found]]
) -> Iterator[Found]:
    """Read a .bgi: an SQLite database with a row for each variant (bgenix's table Variant)."""
    path = genotypes.variant_list
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index.bgi")
        _check_space(data, path, index.parent)
        data.download(path, index)
        try:
            with closing(sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True)) as database:
                _check_alleles(database, data.uri(path))
                _check_whole(database, data, genotypes.path)
                yield from read(database, data.uri(path))
        except sqlite3.DatabaseError as error:
            raise UnusableInputError(
                f"has an index, {data.uri(path)}, that cannot be read ({error})", "Make it again: bgenix -index."
            ) from error


def _check_alleles(database: sqlite3.Connection, uri: str) -> None:
    """regenie's reader of .bgen files takes two alleles for granted, and is ended by the first other variant."""
    (others,) = database.execute("SELECT COUNT(*) FROM Variant WHERE number_of_alleles <> 2").fetchone()
    if others:
        raise UnusableInputError(
            f"has {counted(others, 'variant')} with another number of alleles than two ({uri})",
            "Split or leave them out, and make file and index again: plink2 --max-alleles 2 --export bgen-1.2 bits=8.",
        )


def _check_whole(database: sqlite3.Connection, data: DataSet, path: str) -> None:
    """Raise UnusableInputError if the .bgen ends before its last variant does, by the index."""
    (end,) = database.execute("SELECT MAX(file_start_position + size_in_bytes) FROM Variant").fetchone()
    size = data.size(path)
    if end is not None and size < end:
        raise UnusableInputError(
            f"names {data.uri(path)}, which has {size:,} bytes; by its index its last variant ends at {end:,}",
            "The two files do not belong together, or one was not uploaded completely.",
        )


def _chromosomes(database: sqlite3.Connection, uri: str) -> Iterator[tuple[str, int]]:
    """Name and regenie's number of each chromosome, in the order of the file."""
    # A chromosome at a time along the primary key (chromosome, position, ...): no sorting, no temporary tables.
    found = database.execute("SELECT chromosome FROM Variant GROUP BY chromosome ORDER BY MIN(file_start_position)")
    for (name,) in found.fetchall():
        yield name, known_chromosome(name, uri)


def chromosomes_as_read(data: DataSet, genotypes: GenotypeFiles) -> tuple[int, ...]:
    """The chromosomes of a .bgen file in the order in which regenie meets them: that of the index.

    regenie 4.1.2 asks for all rows in no order (Geno.cpp, read_bgi_file); bgenix's table has them by its primary key,
    which begins with the chromosome's name: 1, 10, 11, ..., 19, 2, 20.

    Raises:
        UnusableInputError: the index is missing or damaged, names a chromosome that regenie refuses, or has one in
            several places.
    """
    met = tuple(_of_index(data, genotypes, _order_of_database))
    several = next((number for place, number in enumerate(met) if number in met[:place]), None)
    if several is not None:
        raise UnusableInputError(
            f"has variants of chromosome {several} in several places of its index",
            "Sort the file by chromosome and position (plink2 --sort-vars), and index it again.",
        )
    return met


def _order_of_database(database: sqlite3.Connection, uri: str) -> Iterator[int]:
    # regenie's own query: for one column SQLite would go along an index, if there is one, and not along the table.
    for name, _ in groupby(row[0] for row in database.execute("SELECT * FROM Variant")):
        yield known_chromosome(name, uri)


def _positions_of_database(database: sqlite3.Connection, uri: str) -> Iterator[VariantPosition]:
    for name, number in _chromosomes(database, uri):
        rows = database.execute("SELECT position FROM Variant WHERE chromosome = ? ORDER BY position", (name,))
        for (position,) in rows:
            yield number, position


def _names_of_database(database: sqlite3.Connection, uri: str) -> Iterator[tuple[int, bytes]]:
    for name, number in _chromosomes(database, uri):
        for (rsid,) in database.execute("SELECT rsid FROM Variant WHERE chromosome = ?", (name,)):
            yield number, rsid.encode()


def _check_space(data: DataSet, path: str, folder: Path) -> None:
    size, free = data.size(path), shutil.disk_usage(folder).free
    if size > free * _FREE_SPACE_SHARE:
        raise UnusableInputError(
            f"has an index, {data.uri(path)}, of {size:,} bytes, more than planning can hold ({free:,} bytes free)",
            "Split the .bgen file by chromosome and list the parts under step2.datasets.",
        )


def known_chromosome(name: str, uri: str) -> int:
    """regenie's number of a chromosome; UnusableInputError for one that it refuses, or takes for another."""
    number = chromosome_number(name)
    if number is None:
        raise UnusableInputError(
            f"has variants on chromosome {name} ({uri}), which regenie {_what_becomes_of(name)}",
            "Keep chromosomes 1 to 22 and X only (plink2 --chr 1-22,X).",
        )
    return number


def _what_becomes_of(name: str) -> str:
    """By regenie 4.1.2 (Regenie.cpp, chrStrToInt): Y is 23, and a name that begins with digits is their number."""
    bare = name.removeprefix("chr")
    if bare == "Y":
        return "counts as X, whose variants it would be mixed with"
    leading = re.match(r"0*([0-9]{1,2})(?![0-9])", bare)
    if leading and 1 <= int(leading[1]) <= X_CHROMOSOME:
        return f"would take for chromosome {int(leading[1])}"
    return "does not know"
