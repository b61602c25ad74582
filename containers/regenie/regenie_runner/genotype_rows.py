"""Reads genotypes of single variants, by their places in the genome, from files of every format.

Lists of variants may have tens of millions of lines, of which a few regions are wanted: lines are only split where a
piece of the list can hold some of these.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

import numpy as np

from regenie_runner.bed import Bed, Bools
from regenie_runner.chromosomes import X, chromosome_number
from regenie_runner.errors import RunnerError
from regenie_runner.genotypes import MISSING, Calls, lines_of, open_genotypes

if TYPE_CHECKING:
    from bgen import BgenReader
    from bgen.reader import BgenVar

_PIECE_BYTES = 1 << 20
"""Of a list of variants, looked at together: some 30,000 lines, where a region of a million base pairs has as many."""
_CALL_OF_CODE = np.array([2, MISSING, 1, 0], np.int8)
"""Copies of the .bim file's column 5 allele, by PLINK 1's code."""
_CALLS_OF_BYTE = _CALL_OF_CODE[np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3]
_MALE = frozenset(("1", "M", "m", "male"))
_X_PROPER = frozenset(("X", "23"))
_OTHER_X = ("XY", "PAR1", "PAR2")
"""Names of the parts of X of which men have two copies."""


Positions = AbstractSet[int] | None


class Region(NamedTuple):
    """Base pairs of a chromosome, both ends included."""

    chromosome: int
    start: int
    end: int


class Row(NamedTuple):
    """A variant of a file."""

    chromosome: int
    position: int
    name: bytes
    alleles: frozenset[bytes]
    is_haploid: bool  # in men: on X, but not among what is called XY, PAR1 or PAR2
    place: int  # in the file: number of the row; of a .bgen, byte


class RowReader(Protocol):
    """A genotype file."""

    samples: list[str]
    """`FID IID` of each."""
    males: Bools

    def rows(self, regions: Sequence[Region], positions: Positions = None) -> Iterator[Row]:
        """The variants of these regions, in the order of the file; only those at some positions, if these are given."""

    def calls(self, rows: Sequence[Row]) -> Calls:
        """Copies of one allele: rows x samples."""


def open_rows(path: Path, sample: Path | None) -> RowReader:
    """The file and what belongs to it.

    Args:
        path: the .bed, .pgen or .bgen file.
        sample: the .sample file of a .bgen file, unless it holds the ids itself.

    Raises:
        RunnerError: a file is damaged, or they do not belong together.
        OSError: a file is not there.
    """
    if path.suffix == ".bgen":
        return _BgenRows(path, sample)
    return _BedRows(path) if path.suffix == ".bed" else _PgenRows(path)


class _Columns(NamedTuple):
    """Of a list of variants, from 0."""

    chromosome: int
    position: int
    name: int
    alleles: tuple[int, int]


class _BedRows:
    """A .bed file with its .bim and .fam."""

    def __init__(self, path: Path) -> None:
        self.samples = open_genotypes(path, None).samples
        fields = (line.split() for line in lines_of(path.with_suffix(".fam")))
        self.males = np.array([len(each) > 4 and each[4] in _MALE for each in fields], np.bool_)
        self._path = path
        self._list = _List(path.with_suffix(".bim"), _Columns(0, 3, 1, (4, 5)))

    def rows(self, regions: Sequence[Region], positions: Positions = None) -> Iterator[Row]:
        return self._list.rows(regions, positions)

    def calls(self, rows: Sequence[Row]) -> Calls:
        packed = Bed.of_samples(self._path, len(self.samples)).records([row.place for row in rows])
        calls: Calls = _CALLS_OF_BYTE[packed].reshape(len(rows), -1)[:, : len(self.samples)]
        return calls


class _PgenRows:
    """A .pgen file with its .pvar and .psam."""

    def __init__(self, path: Path) -> None:
        self.samples = open_genotypes(path, None).samples
        self.males = np.array(list(_men_of_psam(path.with_suffix(".psam"))), np.bool_)
        self._path = path
        self._list = _list_of_pvar(path.with_suffix(".pvar"))

    def rows(self, regions: Sequence[Region], positions: Positions = None) -> Iterator[Row]:
        return self._list.rows(regions, positions)

    def calls(self, rows: Sequence[Row]) -> Calls:
        import pgenlib  # where there are such files only

        order = np.argsort([row.place for row in rows], kind="stable")
        places = np.array([rows[each].place for each in order], np.uint32)
        calls = np.empty((len(rows), len(self.samples)), np.int8)
        try:
            with pgenlib.PgenReader(bytes(self._path), raw_sample_ct=len(self.samples)) as reader:
                reader.read_list(places, calls)
        except RuntimeError as error:
            raise RunnerError(f"{self._path.name} does not belong to its .pvar and .psam files.") from error
        calls[order] = calls.copy()
        return calls


class _BgenRows:
    """A .bgen file with its index, and its .sample file if it has one."""

    def __init__(self, path: Path, sample: Path | None) -> None:
        self.samples = open_genotypes(path, sample).samples
        fields = [line.split() for line in lines_of(sample)][2:] if sample else [[]] * len(self.samples)
        self.males = np.array([len(each) > 3 and each[3] in _MALE for each in fields], np.bool_)
        self._path = path
        self._index = path.with_name(f"{path.name}.bgi")

    def rows(self, regions: Sequence[Region], positions: Positions = None) -> Iterator[Row]:
        if not self._index.exists():
            raise RunnerError(f"{self._index.name} is not on the file system.")
        query = (
            "SELECT position, rsid, allele1, allele2, file_start_position FROM Variant "
            "WHERE chromosome = ? AND position BETWEEN ? AND ?"
        )
        index = sqlite3.connect(f"file:{self._index}?mode=ro&immutable=1", uri=True)
        index.text_factory = bytes
        try:
            found = [
                Row(
                    region.chromosome,
                    position,
                    name,
                    frozenset((one, other)),
                    _is_haploid(spelling),
                    place,
                )
                for region in regions
                for spelling in _spellings(region.chromosome)
                for position, name, one, other, place in index.execute(query, (spelling, region.start, region.end))
                if positions is None or position in positions
            ]
        except sqlite3.Error as error:
            raise RunnerError(f"{self._index.name} is no index that can be read: {error}") from error
        finally:
            index.close()
        yield from sorted(found, key=lambda row: row.place)

    def calls(self, rows: Sequence[Row]) -> Calls:
        from bgen import BgenReader  # where there are such files only

        calls = np.empty((len(rows), len(self.samples)), np.int8)
        with BgenReader(str(self._path), delay_parsing=True) as reader:
            for number, row in enumerate(rows):
                dosage = self._variant(reader, row).alt_dosage
                calls[number] = np.where(np.isnan(dosage), MISSING, np.rint(dosage))
        return calls

    def _variant(self, reader: BgenReader, row: Row) -> BgenVar:
        for spelling in _spellings(row.chromosome):
            for variant in reader.fetch(spelling, row.position, row.position):
                if variant.fileoffset == row.place:
                    return variant
        raise RunnerError(f"{self._index.name} is not the index of {self._path.name}.")


@cache
def _spellings(chromosome: int) -> tuple[str, ...]:
    """Names by which a file may call a chromosome."""
    bare = [str(chromosome), f"{chromosome:02}", *(("X", *_OTHER_X) if chromosome == X else ())]
    return tuple(dict.fromkeys(name for each in bare for name in (each, f"chr{each}")))


def _is_haploid(spelling: str) -> bool:
    return spelling.removeprefix("chr") in _X_PROPER


def _men_of_psam(path: Path) -> Iterator[bool]:
    column = None
    for line in lines_of(path):
        fields = line.split()
        if line.startswith("#"):
            column = fields.index("SEX") if "SEX" in fields else None
        else:
            yield column is not None and fields[column] in _MALE


def _list_of_pvar(path: Path) -> _List:
    start = 0
    with path.open("rb") as file:
        for line in file:
            start += len(line)
            if line.startswith(b"#CHROM"):
                names = line.lstrip(b"#").split()
                alleles = (names.index(b"REF"), names.index(b"ALT"))
                return _List(path, _Columns(0, names.index(b"POS"), names.index(b"ID"), alleles), start)
    raise RunnerError(f"{path.name} has no header.")


@cache
def _numbered(chromosome: bytes) -> int:
    """0 for a contig that no result may have."""
    try:
        return chromosome_number(chromosome.decode(errors="replace"))
    except RunnerError:
        return 0


class _Piece(NamedTuple):
    """Some lines of a list of variants, side by side."""

    offset: int  # bytes
    size: int
    rows_before: int
    first: tuple[int, int]  # chromosome and position
    last: tuple[int, int]

    def may_have(self, region: Region) -> bool:
        """On X the positions need not ascend, and contigs that nobody tests lie anywhere."""
        if not 0 < self.first[0] <= self.last[0]:
            return True
        if region.chromosome == X:
            return self.first[0] <= X <= self.last[0]
        start, end = (region.chromosome, region.start), (region.chromosome, region.end)
        return self.first <= end and start <= self.last


class _List:
    """A list of variants that ascends along the genome, as regenie needs it. It is read once, to know what is where."""

    def __init__(self, path: Path, columns: _Columns, start: int = 0) -> None:
        self._path, self._columns = path, columns
        with path.open("rb") as file:
            file.seek(start)
            self._pieces = list(self._cut(file, start))

    def rows(self, regions: Sequence[Region], positions: Positions) -> Iterator[Row]:
        """Those of the regions."""
        with self._path.open("rb") as file:
            for piece in self._pieces:
                near = [region for region in regions if piece.may_have(region)]
                if near:
                    file.seek(piece.offset)
                    yield from _rows(file.read(piece.size), self._columns, near, positions, piece.rows_before)

    def _cut(self, file: BinaryIO, offset: int) -> Iterator[_Piece]:
        rows = 0
        while text := file.read(_PIECE_BYTES):
            text += file.readline()
            lines = text.rstrip()
            if not lines.strip():
                break
            first, last = lines.lstrip().partition(b"\n")[0], lines[lines.rfind(b"\n") + 1 :]
            yield _Piece(offset, len(text), rows, self._place(first), self._place(last))
            has_gaps = b"\n\n" in text or text.startswith(b"\n")
            rows += len(_lines(text)) if has_gaps else text.count(b"\n")
            offset += len(text)

    def _place(self, line: bytes) -> tuple[int, int]:
        fields = line.split()
        return _numbered(fields[self._columns.chromosome]), int(fields[self._columns.position])


def _lines(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if line and not line.isspace()]


def _rows(
    piece: bytes, columns: _Columns, regions: Sequence[Region], positions: Positions, before: int
) -> Iterator[Row]:
    wanted: dict[int, list[Region]] = {}
    for region in regions:
        wanted.setdefault(region.chromosome, []).append(region)
    one, other = columns.alleles
    for place, fields in _fields(piece, columns, positions):
        position = int(fields[columns.position])
        if positions is not None and position not in positions:
            continue
        chromosome = _numbered(fields[columns.chromosome])
        if any(region.start <= position <= region.end for region in wanted.get(chromosome, ())):
            yield Row(
                chromosome,
                position,
                fields[columns.name],
                frozenset((fields[one], fields[other])),
                _is_haploid(fields[columns.chromosome].decode(errors="replace")),
                before + place,
            )


def _fields(piece: bytes, columns: _Columns, positions: Positions) -> Iterator[tuple[int, list[bytes]]]:
    """(number, fields) of each line, or at least of those at some positions.

    A list is split as a whole where each line has as many fields: for each line by itself it would take twice as long.
    """
    width = len(piece.lstrip().partition(b"\n")[0].split())
    cells = piece.split()
    if positions is None or len(cells) != width * (piece.count(b"\n") + (not piece.endswith(b"\n"))):
        yield from enumerate(line.split() for line in _lines(piece))
        return
    texts = {b"%d" % position for position in positions}
    for number, text in enumerate(cells[columns.position :: width]):
        if text in texts:
            yield number, cells[number * width : (number + 1) * width]
