"""Reads reference files of a genome build: genes, dbSNP's variants, recombination rates, and known associations.

The first three are read through their tabix indexes, around a few positions; associations are read once, from begin to
end. Chromosomes may be called 1, chr1 or by RefSeq's accession (NC_000001.11).
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pysam

from regenie_runner.chromosomes import chromosome_number
from regenie_runner.errors import RunnerError
from regenie_runner.packed import open_text

_ACCESSION = re.compile(r"NC_0000(\d\d)\.\d+")
"""RefSeq's names of human chromosomes: X is 23, Y is 24."""
_INDEX_SUFFIXES = (".tbi", ".csi")
_BIOTYPES = ("biotype", "gene_type", "gene_biotype")  # Ensembl, GENCODE, NCBI
_NAMES = ("gene_name", "Name", "gene", "gene_id", "ID")
_CODING = "protein_coding"
_GENOME_WIDE = 5e-8
_NO_HEADER = "{} has no column {}"


class NoReferenceError(Exception):
    """A reference file cannot be used; the text says why, in words that end a sentence."""


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


class Association(NamedTuple):
    """Of the GWAS Catalog."""

    chromosome: int
    position: int
    variant: str
    trait: str
    p_value: float


class Indexed:
    """A file that bgzip compressed and tabix indexed."""

    def __init__(self, path: Path) -> None:
        """Raises NoReferenceError if it, or its index, is not there or cannot be read."""
        indexes = [path.with_name(path.name + suffix) for suffix in _INDEX_SUFFIXES]
        index = next((each for each in indexes if each.is_file()), None)
        for needed in (path, index or indexes[0]):
            if not needed.is_file():
                raise NoReferenceError(f"{needed.name} is not among the stage's reference files")
        try:
            self._table = pysam.TabixFile(str(path), index=str(index), encoding="latin-1")
        except (OSError, ValueError) as error:
            raise NoReferenceError(f"{path.name} is no file that bgzip and tabix made") from error
        self._names = {number: name for name in self._table.contigs if (number := _number(name))}

    def lines(self, chromosome: int, start: int, end: int) -> Iterator[list[str]]:
        """Columns of the lines that overlap these base pairs, both ends included."""
        name = self._names.get(chromosome)
        if name is not None:
            for line in self._table.fetch(name, max(start, 1) - 1, max(end, 1)):
                yield line.encode("latin-1").decode(errors="replace").split("\t")


def _number(name: str) -> int | None:
    accession = _ACCESSION.fullmatch(name)
    try:
        return chromosome_number(accession[1] if accession else name)
    except RunnerError:
        return None


class Genes:
    """A GFF3 file of Ensembl, GENCODE or NCBI."""

    def __init__(self, path: Path) -> None:
        self._file = Indexed(path)

    def features(self, chromosome: int, start: int, end: int) -> Iterator[Feature]:
        """Everything that overlaps these base pairs."""
        for fields in self._file.lines(chromosome, start, end):
            kind = fields[2]
            is_gene = kind == "gene" or kind.endswith(("_gene", "pseudogene"))
            yield Feature(kind, _gene(fields) if is_gene else None)

    def coding(self, chromosome: int, start: int, end: int) -> list[Gene]:
        """Genes that code for proteins, or of which the file does not say whether they do, in genome order."""
        genes = (feature.gene for feature in self.features(chromosome, start, end))
        return sorted({gene for gene in genes if gene and gene.coding}, key=lambda gene: (gene.start, gene.end))


def _gene(fields: Sequence[str]) -> Gene:
    pairs = (each.strip().partition("=") for each in fields[8].split(";"))
    values = {key: unquote(value) for key, _, value in pairs}
    name = next((values[key] for key in _NAMES if values.get(key)), "unnamed")
    biotype = next((values[key] for key in _BIOTYPES if key in values), None)
    is_coding = "pseudogene" not in fields[2] if biotype is None else biotype == _CODING
    return Gene(name, int(fields[3]), int(fields[4]), fields[6], is_coding)


class Variants:
    """A VCF file with ids, such as dbSNP's."""

    def __init__(self, path: Path) -> None:
        self._file = Indexed(path)

    def name(self, chromosome: int, position: int, alleles: frozenset[str]) -> str | None:
        """Id of the variant that begins there and has these two alleles, written in the same way."""
        for fields in self._file.lines(chromosome, position, position):
            reference, others = fields[3].upper(), set(fields[4].upper().split(","))
            rest = alleles - {reference}
            if int(fields[1]) == position and reference in alleles and len(rest) == 1 and rest <= others:
                return fields[2] if fields[2] != "." else None
        return None


class Rates:
    """Recombination: chromosome, position, rate (cM/Mb, from there to the next line), and more columns."""

    _BEFORE = 1_000_000
    """Base pairs in which the line is looked for whose rate holds at the begin of a region."""

    def __init__(self, path: Path) -> None:
        self._file = Indexed(path)

    def between(self, chromosome: int, start: int, end: int) -> list[tuple[int, float]]:
        """(position, rate from there on), in genome order."""
        found: list[tuple[int, float]] = []
        for fields in self._file.lines(chromosome, start - self._BEFORE, end):
            try:
                position, rate = int(fields[1]), float(fields[2])
            except (ValueError, IndexError):
                continue  # a header
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
        for row in rows:
            if len(row) != len(header):
                continue
            chromosome, position, p_value, variant, trait = (row[column] for column in columns)
            number = _number(chromosome) if position.isascii() and position.isdigit() else None
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


def _column(header: Sequence[str], name: str, path: Path) -> int:
    if name not in header:
        raise NoReferenceError(_NO_HEADER.format(path.name, name))
    return header.index(name)


def _is_significant(p_value: str) -> bool:
    try:
        return float(p_value) <= _GENOME_WIDE
    except ValueError:
        return False
