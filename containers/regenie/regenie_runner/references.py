"""Reads reference files of a genome build: genes, dbSNP's variants, recombination rates, and known associations.

The first three are read through their tabix indexes, around a few positions; associations are read once, from begin to
end. Chromosomes may be called 1, chr1 or by RefSeq's accession (NC_000001.11).
"""

from __future__ import annotations

import csv
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pysam

from regenie_runner.chromosomes import chromosome_label, chromosome_number
from regenie_runner.errors import RunnerError
from regenie_runner.packed import open_text

_ACCESSION = re.compile(r"NC_0000(\d\d)\.\d+")
"""RefSeq's names of human chromosomes: X is 23, Y is 24."""
_VERSIONS = dict(
    enumerate(
        (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9),
        start=1,
    )
)
"""Chromosome -> version of its accession in GRCh37 (NCBI, assembly GCF_000001405.13)."""
_LATER_THAN_GRCH37 = {"NCBI36": -1, "GRCh37": 0, "GRCh38": 1}
"""Each build raised the version of every chromosome by one (NCBI, assemblies GCF_000001405.12, .13 and .26)."""
_INDEX_SUFFIXES = (".tbi", ".csi")
_BIOTYPES = ("biotype", "gene_type", "gene_biotype")  # Ensembl, GENCODE, NCBI
_NAMES = ("gene_name", "Name", "gene", "gene_id", "ID")
_CODING = "protein_coding"
_GENOME_WIDE = 5e-8
_LAST_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""Of a file of bgzip: SAM's specification, section 4.1.2."""
_NO_HEADER = "{} has no column {}"


class NoReferenceError(Exception):
    """A reference file cannot be used; the text says why, in words that end a sentence."""


class NoChromosomeError(NoReferenceError):
    """A reference file has nothing of a chromosome; it may well have something of others."""


class Gene(NamedTuple):
    """Of a GFF3 file; base pairs from 1, both ends included."""

    name: str
    start: int
    end: int
    strand: str  # + or -
    coding: bool  # or nothing is said about it

    def distance(self, position: int) -> int:
        """Base pairs to the nearer end; 0 inside."""
        return max(self.start - position, position - self.end, 0)


class Feature(NamedTuple):
    """What a GFF3 file has at a position."""

    kind: str
    gene: Gene | None  # if it is one
    fields: Sequence[str]  # columns of its line

    def values(self, name: str) -> list[str]:
        """Of an attribute, which may have several, such as Parent."""
        text = _attributes(self.fields).get(name)
        return [unquote(each) for each in text.split(",")] if text else []

    def spans(self, other: Feature) -> bool:
        """Whether it has all of the other's base pairs, on the same strand."""
        start, end, strand = int(self.fields[3]), int(self.fields[4]), self.fields[6]
        return start <= int(other.fields[3]) and int(other.fields[4]) <= end and strand == other.fields[6]


class Association(NamedTuple):
    """Of the GWAS Catalog."""

    chromosome: int
    position: int
    variant: str
    trait: str
    p_value: float


class Indexed:
    """A file that bgzip compressed and tabix indexed."""

    def __init__(self, path: Path, build: str | None = None) -> None:
        """Raises NoReferenceError if it, or its index, is not there or cannot be read, or is of another genome build
        than this one, as far as the names of its chromosomes tell."""
        indexes = [path.with_name(path.name + suffix) for suffix in _INDEX_SUFFIXES]
        index = next((each for each in indexes if each.is_file()), None)
        for needed in (path, index or indexes[0]):
            if not needed.is_file():
                raise NoReferenceError(f"{needed.name} is not among the stage's reference files")
        try:
            self._table = pysam.TabixFile(str(path), index=str(index), encoding="latin-1")
        except (OSError, ValueError) as error:
            raise NoReferenceError(f"{path.name} is no file that bgzip and tabix made") from error
        if not _is_whole(path):
            raise NoReferenceError(f"{path.name} is cut short: it does not end as bgzip ends a file")
        _check_build(path.name, self._table.contigs, build)
        self._file = path.name
        self._names: dict[int, list[str]] = {}
        for name in self._table.contigs:
            number = _number(name)
            if number is not None:
                self._names.setdefault(number, []).append(name)

    def lines(self, chromosome: int, start: int, end: int) -> Iterator[list[str]]:
        """Columns of the lines that overlap these base pairs, both ends included.

        Raises NoChromosomeError if it has no line of the chromosome: that nothing is there would be a false answer.
        """
        if chromosome not in self._names:
            raise NoChromosomeError(f"{self._file} has nothing of chromosome {chromosome_label(str(chromosome))}")
        for name in self._names[chromosome]:
            for line in self._table.fetch(name, max(start, 1) - 1, max(end, 1)):
                yield line.encode("latin-1").decode(errors="replace").split("\t")


def _is_whole(path: Path) -> bool:
    """Whether a file has its last block: without it pysam gives the lines that there are, and no error."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_LAST_BLOCK)))
        return file.read() == _LAST_BLOCK


def _check_build(file: str, contigs: Iterable[str], build: str | None) -> None:
    if build not in _LATER_THAN_GRCH37:
        return
    for name in contigs:
        accession = _ACCESSION.fullmatch(name)
        version = _VERSIONS.get(int(accession[1])) if accession else None
        if accession and version is not None:
            expected = f"NC_0000{accession[1]}.{version + _LATER_THAN_GRCH37[build]}"
            if name != expected:
                raise NoReferenceError(f"{file} is not of {build}: it has {name} instead of {expected}")


def _number(name: str) -> int | None:
    accession = _ACCESSION.fullmatch(name)
    try:
        return chromosome_number(accession[1] if accession else name)
    except RunnerError:
        return None


class Genes:
    """A GFF3 file of Ensembl, GENCODE or NCBI."""

    def __init__(self, path: Path, build: str | None = None) -> None:
        self._file = Indexed(path, build)

    def features(self, chromosome: int, start: int, end: int) -> Iterator[Feature]:
        """Everything that overlaps these base pairs."""
        for fields in self._file.lines(chromosome, start, end):
            kind = fields[2]
            is_gene = kind == "gene" or kind.endswith(("_gene", "pseudogene"))
            yield Feature(kind, _gene(fields) if is_gene else None, fields)

    def coding(self, chromosome: int, start: int, end: int) -> list[Gene]:
        """Genes that code for proteins, or of which the file does not say whether they do, in genome order."""
        genes = (feature.gene for feature in self.features(chromosome, start, end))
        return sorted({gene for gene in genes if gene and gene.coding}, key=lambda gene: (gene.start, gene.end))


def _attributes(fields: Sequence[str]) -> dict[str, str]:
    """As they are written: reserved characters of a value are escaped (GFF3's specification, column 9)."""
    pairs = (each.strip().partition("=") for each in fields[8].split(";"))
    return {key: value for key, _, value in pairs}


def _gene(fields: Sequence[str]) -> Gene:
    values = {key: unquote(value) for key, value in _attributes(fields).items()}
    name = next((values[key] for key in _NAMES if values.get(key)), "unnamed")
    biotype = next((values[key] for key in _BIOTYPES if key in values), None)
    is_coding = "pseudogene" not in fields[2] if biotype is None else biotype == _CODING
    return Gene(name, int(fields[3]), int(fields[4]), fields[6], is_coding)


class Variants:
    """A VCF file with ids, such as dbSNP's."""

    def __init__(self, path: Path, build: str | None = None) -> None:
        self._file = Indexed(path, build)

    def name(self, chromosome: int, position: int, alleles: frozenset[str]) -> str | None:
        """Id of the variant that begins there and has these two alleles, written in the same way."""
        for fields in self._file.lines(chromosome, position, position):
            reference, others = fields[3].upper(), set(fields[4].upper().split(","))
            rest = alleles - {reference}
            is_it = int(fields[1]) == position and reference in alleles and len(rest) == 1 and rest <= others
            if is_it and fields[2] != ".":
                return fields[2]
        return None


class Rates:
    """Recombination: chromosome, position, rate (cM/Mb, from there to the next line), and more columns."""

    _BEFORE = 1_000_000
    """Base pairs in which the line is looked for whose rate holds at the begin of a region."""

    def __init__(self, path: Path, build: str | None = None) -> None:
        self._file = Indexed(path, build)

    def between(self, chromosome: int, start: int, end: int) -> list[tuple[int, float]]:
        """(position, rate from there on), in genome order."""
        found: list[tuple[int, float]] = []
        for fields in self._file.lines(chromosome, start - self._BEFORE, end):
            try:
                position, rate = int(fields[1]), float(fields[2])
            except (ValueError, IndexError):
                continue  # a header
            if not math.isfinite(rate):
                raise ValueError(f"the rate at {position} is {rate}")
            if position <= start:
                found = [(start, rate)]
            else:
                found.append((position, rate))
        return found


class Known:
    """Significant associations (p at most 5e-8) near some positions, from a file of the GWAS Catalog."""

    def __init__(self, path: Path, near: Mapping[int, Sequence[int]], window_bp: int, traits: Sequence[str]) -> None:
        """Read the file once.

        Args:
            path: of the file.
            near: positions by chromosome.
            window_bp: associations farther away are left out.
            traits: words of which an association's trait must have one; empty for all traits.
        """
        if not path.is_file():
            raise NoReferenceError(f"{path.name} is not among the stage's reference files")
        positions = {chromosome: sorted(each) for chromosome, each in near.items()}
        words = [word.casefold() for word in traits]
        self._window_bp = window_bp
        self._found = [
            each
            for each in _associations(path)
            if _is_near(each, positions, window_bp)
            and (not words or any(word in each.trait.casefold() for word in words))
        ]

    def nearest(self, chromosome: int, position: int) -> list[Association]:
        """All of the nearest variant's, the most significant first."""
        near = [
            each
            for each in self._found
            if each.chromosome == chromosome and abs(each.position - position) < self._window_bp
        ]
        least = min((abs(each.position - position) for each in near), default=0)
        return sorted((each for each in near if abs(each.position - position) == least), key=lambda each: each.p_value)


def _is_near(one: Association, positions: Mapping[int, Sequence[int]], window_bp: int) -> bool:
    near = positions.get(one.chromosome, ())
    return bisect_right(near, one.position - window_bp) < bisect_left(near, one.position + window_bp)


def _associations(path: Path) -> Iterator[Association]:
    """What has one place, and is significant."""
    with open_text(path, errors="replace") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(rows, [])
        columns = [_column(header, name, path) for name in ("CHR_ID", "CHR_POS", "P-VALUE", "SNPS", "DISEASE/TRAIT")]
        mapped = header.index("MAPPED_TRAIT") if "MAPPED_TRAIT" in header else None
        has_place = False
        for row in rows:
            if len(row) != len(header):
                continue
            chromosome, position, p_value, variant, trait = (row[column] for column in columns)
            number = _number(chromosome) if position.isascii() and position.isdigit() else None
            has_place = has_place or number is not None
            if number is None or not _is_significant(p_value):
                continue
            of = row[mapped] if mapped is not None else ""
            yield Association(
                number,
                int(position),
                variant,
                trait if not of or of.casefold() == trait.casefold() else f"{trait} ({of})",
                float(p_value),
            )
    if not has_place:
        raise NoReferenceError(f"{path.name} has no row with a chromosome and a position")


def _column(header: Sequence[str], name: str, path: Path) -> int:
    if name not in header:
        raise NoReferenceError(_NO_HEADER.format(path.name, name))
    return header.index(name)


def _is_significant(p_value: str) -> bool:
    try:
        return float(p_value) <= _GENOME_WIDE
    except ValueError:
        return False
