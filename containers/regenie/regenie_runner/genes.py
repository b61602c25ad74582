"""Results of gene-based tests by gene: the best p-value of each, and p-values by mask and test.

A set is called a gene here, whatever it is. Memory: about 1 kB a gene, and 12 bytes a p-value.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np

from regenie_runner import significance
from regenie_runner.chromosomes import chromosome_number, genome_key
from regenie_runner.kinds_of_test import GENE_P, USUAL, is_a_smallest, is_of_the_variant
from regenie_runner.masks import mask_sizes
from regenie_runner.quantiles import Curve, curve_of, inflation_by_p
from regenie_runner.rows import NO_VALUE, NOT_NUMBERS, Rows

GENES_SUFFIX = ".genes.tsv"
"""Of the table that stands beside a trait's results, which has a row for each gene."""
COLUMNS = (
    "GENE",
    "CHROM",
    "GENPOS",
    "MASK",
    "TEST",
    "BETA",
    "SE",
    "LOG10P",
    "P",
    "VARIANTS",
    "N",
    "MASKS",
    "PVALUES",
    "GENE_P_LOG10P",
    "SIGNIFICANT",
)
SHOWN, MOST_SHOWN = 30, 200
"""Genes of the report's table: all that are significant, or more of them, and of very many only the first."""
_NA = "NA"
_GENE_P = GENE_P.encode()
_REFERENCE = b"ref"
"""What regenie writes as the other allele of every mask (4.1.2: Masks.cpp); joint tests have no alleles."""


class Gene(TypedDict):
    """A gene's best p-value: of which mask and test it is, by regenie's columns; None where regenie says NA."""

    name: str
    chromosome: str
    position: int  # base pairs, by the list of sets
    mask: str | None  # with its bound of frequency, such as M1.0.01; None of a test of all masks together
    test: str | None  # None, as the next ones, of a gene without a p-value
    beta: str | None
    se: str | None
    log10p: str | None  # with regenie's digits
    variants: int | None  # of the mask, by --write-mask-snplist
    samples: int | None
    masks: int  # with a p-value
    p_values: int  # of which it is the best
    gene_p: str | None  # -log10 p of --rgc-gene-p's test, which combines all
    significant: bool


class GroupSummary(TypedDict):
    """The p-values of one mask and test, of all genes."""

    mask: str | None  # None: tests of all masks together
    test: str
    p_values: int
    genomic_inflation: float | None  # None of a test that is inflated by what it is: the smallest of p-values
    significant: int  # genes above the line
    lead: str | None  # gene with the smallest p-value
    log10p: float | None
    curve: Curve


class GenesSummary(TypedDict):
    """All that the report says of gene-based tests of a trait."""

    genes: int  # with rows
    tested: int  # of these, with a p-value
    line: float  # -log10 p of significance
    significant: int  # genes whose best p-value reaches the line
    gene_p_significant: int | None  # genes that do by --rgc-gene-p's test; None without it
    masks: int  # of all genes, with rows
    p_values: int  # of all genes
    top: list[Gene]  # the first of the table
    groups: list[GroupSummary]
    table: str  # path of the table below the launch's results


@dataclass
class _Found:
    """What was met of a gene."""

    chromosome: str
    position: int
    best: float = -1.0
    mask: bytes | None = None
    test: bytes | None = None
    beta: bytes = NO_VALUE
    se: bytes = NO_VALUE
    log10p: bytes = NO_VALUE
    samples: bytes = NO_VALUE
    id: bytes = b""
    gene_p: bytes | None = None
    p_values: int = 0
    masks: int = 0
    """A bit for each mask with a p-value."""
    listed: int = 0
    """A bit for each mask with a row."""


@dataclass
class _Group:
    values: array[float] = field(default_factory=lambda: array("f"))
    genes: list[bytes] = field(default_factory=list)


class MaskFiles(NamedTuple):
    """What the jobs say of sets and masks, besides results."""

    sets: frozenset[bytes]
    variants: Mapping[bytes, int]
    """Mask, by its ID in the results -> its number of variants."""


class GeneScan:
    """Collects rows of masks and sets, in any order."""

    def __init__(self, files: MaskFiles) -> None:
        self._files = files
        self._genes: dict[bytes, _Found] = {}
        self._groups: dict[tuple[bytes | None, bytes], _Group] = {}
        self._known: dict[bytes, bool] = {}
        self._bits: dict[bytes, int] = {}

    def add(self, rows: Rows) -> None:
        """Take some lines."""
        tests = rows.column("TEST") if "TEST" in rows.columns else [USUAL.encode()] * rows.count
        fields = zip(
            *(rows.column(name) for name in ("CHROM", "GENPOS", "ID", "ALLELE0", "ALLELE1", "N", "BETA", "SE")),
            *(tests, rows.column("LOG10P")),
            strict=True,
        )
        for chromosome, position, id_, other, allele, samples, beta, se, test, log10p in fields:
            if not self._is_of_genes(test):
                continue
            mask, name = (allele, self._gene(id_, allele)) if other == _REFERENCE else (None, id_)
            gene = self._genes.get(name)
            if gene is None:
                gene = self._genes[name] = _Found(chromosome.decode(), int(position))
            bit = 0 if mask is None else 1 << self._bits.setdefault(id_[len(name) :], len(self._bits))
            gene.listed |= bit
            if log10p in NOT_NUMBERS:
                continue
            value = float(log10p)
            group = self._groups.get((mask, test)) or self._groups.setdefault((mask, test), _Group())
            group.values.append(value)
            group.genes.append(name)
            gene.p_values += 1
            gene.masks |= bit
            if mask is None and test == _GENE_P:
                gene.gene_p = log10p
            if value > gene.best:
                gene.best, gene.mask, gene.test, gene.id = value, mask, test, id_
                gene.beta, gene.se, gene.log10p, gene.samples = beta, se, log10p, samples

    def _is_of_genes(self, test: bytes) -> bool:
        if test not in self._known:
            self._known[test] = is_of_the_variant(test.decode(errors="replace"))
        return self._known[test]

    def _gene(self, id_: bytes, mask: bytes) -> bytes:
        """The set of a row: its ID is SET.MASK, or SET.DOMAIN.MASK, and each of these may have points."""
        name = id_.removesuffix(b"." + mask)
        known = name
        while known not in self._files.sets and b"." in known:
            known = known.rpartition(b".")[0]
        return known if known in self._files.sets else name

    def _mask_of(self, gene: bytes, found: _Found) -> str | None:
        """With its domain."""
        if found.mask is None:
            return None
        return found.id.removeprefix(gene + b".").decode(errors="replace")

    @property
    def masks(self) -> int:
        """Of all genes, with rows."""
        return sum(found.listed.bit_count() for found in self._genes.values())

    def table(self) -> list[Gene]:
        """All genes: the smallest p-value first, at the end those without one."""
        tested = sum(found.best >= 0 for found in self._genes.values())
        line = significance.of_genes(tested)
        order = sorted(
            self._genes.items(),
            key=lambda each: (
                -each[1].best,
                genome_key(chromosome_number(each[1].chromosome), each[1].position),
                each[0],
            ),
        )
        return [self._row(name, found, line) for name, found in order]

    def _row(self, name: bytes, found: _Found, line: float) -> Gene:
        return {
            "name": name.decode(errors="replace"),
            "chromosome": found.chromosome,
            "position": found.position,
            "mask": self._mask_of(name, found),
            "test": None if found.test is None else found.test.decode(errors="replace"),
            "beta": _text(found.beta),
            "se": _text(found.se),
            "log10p": _text(found.log10p),
            "variants": None if found.mask is None else self._files.variants.get(found.id),
            "samples": None if found.samples == NO_VALUE else int(found.samples),
            "masks": found.masks.bit_count(),
            "p_values": found.p_values,
            "gene_p": None if found.gene_p is None else found.gene_p.decode(),
            "significant": found.best >= line,
        }

    def summary(self, table: list[Gene], path: str) -> GenesSummary:
        """Of `table`, which is in the file `path`."""
        tested = sum(gene["log10p"] is not None for gene in table)
        line = significance.of_genes(tested)
        significant = sum(gene["significant"] for gene in table)
        has_gene_p = any(gene["gene_p"] is not None for gene in table)
        return {
            "genes": len(table),
            "tested": tested,
            "line": line,
            "significant": significant,
            "gene_p_significant": (
                sum(float(gene["gene_p"]) >= line for gene in table if gene["gene_p"]) if has_gene_p else None
            ),
            "masks": self.masks,
            "p_values": sum(gene["p_values"] for gene in table),
            "top": table[: max(SHOWN, min(significant, MOST_SHOWN))],
            "groups": [self._group(mask, test, group, line) for (mask, test), group in self._in_order()],
            "table": path,
        }

    def _in_order(self) -> Iterator[tuple[tuple[bytes | None, bytes], _Group]]:
        """By test, those of all masks together last; within it by mask."""
        return iter(sorted(self._groups.items(), key=lambda each: (each[0][0] is None, each[0][1], each[0][0] or b"")))

    def _group(self, mask: bytes | None, test: bytes, group: _Group, line: float) -> GroupSummary:
        values = np.frombuffer(group.values, np.float32).copy()
        lead = int(np.argmax(values))
        return {
            "mask": None if mask is None else mask.decode(errors="replace"),
            "test": test.decode(errors="replace"),
            "p_values": int(values.size),
            "genomic_inflation": None if is_a_smallest(test.decode(errors="replace")) else inflation_by_p(values),
            "significant": len({group.genes[place] for place in np.flatnonzero(values >= line)}),
            "lead": group.genes[lead].decode(errors="replace"),
            "log10p": float(values[lead]),
            "curve": curve_of(values),
        }


def read_mask_files(folders: Iterable[Path]) -> MaskFiles:
    """Of the folders of step 2's jobs; what an earlier version did not leave is not known."""
    sets: set[bytes] = set()
    variants: dict[bytes, int] = {}
    for folder in folders:
        names = folder / SETS_FILE
        if names.exists():
            sets.update(names.read_bytes().split())
        variants.update(mask_sizes(folder))
    return MaskFiles(frozenset(sets), variants)


SETS_FILE = "sets.txt"
"""In the folder of a job: the names of its sets (lambdas/regenie/commands.py)."""


def table_text(genes: Iterable[Gene]) -> bytes:
    """The table, tab-separated; a field with a quotation mark is in quotation marks, as in CSV files."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for gene in genes:
        writer.writerow(_shown(gene))
    return text.getvalue().encode()


def _shown(gene: Gene) -> tuple[object, ...]:
    values = (
        gene["name"],
        gene["chromosome"],
        gene["position"],
        gene["mask"],
        gene["test"],
        gene["beta"],
        gene["se"],
        gene["log10p"],
        None if gene["log10p"] is None else p_text(float(gene["log10p"])),
        gene["variants"],
        gene["samples"],
        gene["masks"],
        gene["p_values"],
        gene["gene_p"],
        "yes" if gene["significant"] else "no",
    )
    return tuple(_NA if value is None else value for value in values)


def p_text(log10p: float) -> str:
    """A p-value as text, such as 3.162e-400: it may be below what a float holds."""
    exponent = -int(log10p // 1) - 1
    mantissa = f"{10 ** (-log10p - exponent):.3f}"
    if mantissa == "10.000":
        mantissa, exponent = "1.000", exponent + 1
    return f"{mantissa}e{exponent:+03d}"


def _text(value: bytes) -> str | None:
    return None if value == NO_VALUE else value.decode()
