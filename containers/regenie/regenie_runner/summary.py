"""Summary of one trait's results for the report, written as JSON beside the summary statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import numpy as np

from regenie_runner.chromosomes import chromosome_number
from regenie_runner.genes import Gene, GenesSummary
from regenie_runner.kinds_of_test import is_of_interaction, is_of_the_variant, main_of
from regenie_runner.loci import Loci, find_loci
from regenie_runner.quantiles import (
    Curve,
    FrequencyQuantiles,
    QuantilePoints,
    curve_of,
    frequency_quantiles,
    genomic_inflation,
    inflation_by_p,
    quantile_points,
)
from regenie_runner.scan import Met, Scan
from regenie_runner.spool import Bins, Chromosome, Floats, Spool
from regenie_runner.tabix import IndexedResults
from regenie_runner.top_loci import (
    BY_DISTANCE,
    NOT_ANNOTATED,
    Annotated,
    FoundBy,
    Locus,
    Surroundings,
    TopLoci,
    read_locus,
)

KEPT_FROM = 3.0
"""Points of the Manhattan plot from this -log10 p are kept one by one, those below only as many as can be seen."""
KEPT_AT_MOST = 50_000
GRID_WIDTH = 1_200
GRID_STEP = 0.1
"""The grid of the points below: cells over the width of the plot, and the height of a cell in -log10 p."""


class ManhattanChromosome(TypedDict):
    """The thinned points of one chromosome; `positions` and `log10p` have the same length."""

    name: str
    start: int  # base pairs: first and last variant
    end: int
    positions: list[int]
    log10p: list[float]


class ChromosomeInflation(TypedDict):
    """Of the main test."""

    chromosome: str
    variants: int  # with a p-value
    genomic_inflation: float | None


class TestSummary(TypedDict):
    """One of the tests that regenie makes of each variant, or set of them."""

    name: str  # of regenie's column TEST
    of_the_variant: bool  # otherwise of what it interacts with
    rows: int
    failed: int  # of these, those without a p-value
    genomic_inflation: float | None
    significant_loci: int
    lead: Locus | None  # of its strongest locus; these three only of tests of the variant
    curve: Curve | None  # where there are several tests of the variant


class Summary(TypedDict):
    """Everything about one trait."""

    trait: str
    inputs: str | None  # the task's fingerprint of the data and the image
    of_sets: bool  # of variants, tested by masks
    results: str  # path of the merged file, below the launch's results
    left_out_of_ssf: int  # rows that the GWAS Catalog's format cannot hold
    cases: int | None  # of a binary trait, by regenie's log
    controls: int | None
    rows: int  # lines of the merged file
    variants: int  # that have rows; of sets, their masks
    test: str  # of which the inflation and the quantiles are
    tests: list[TestSummary]
    interaction_rows: int  # of these, those of an interaction, which stand beside a variant's own
    interactions: int  # variants that have rows of an interaction
    failed_tests: int  # rows of which regenie could not compute a p-value
    planned_variants: int | None  # of all data sets; None when the plan does not say
    counts: Mapping[str, Any] | None  # of the people whom quality control left; None without it
    samples: tuple[int, int] | None  # smallest and largest number of samples of a variant
    genomic_inflation: float | None
    chromosome_inflation: list[ChromosomeInflation]
    significant_loci: int  # by any test of the variant, as are the loci and the Manhattan plot
    secondary_signals: int  # significant ones, in these loci
    loci: list[Locus]  # the strongest, also some below the line; each primary signal with its secondary ones
    loci_by: FoundBy
    surroundings: list[Surroundings]  # of the loci that are drawn
    annotated: Annotated
    manhattan: list[ManhattanChromosome]
    quantiles: QuantilePoints
    frequency_quantiles: list[FrequencyQuantiles]
    genes: GenesSummary | None  # of sets, in place of loci, inflation and quantiles


class Counts(TypedDict):
    """What is counted of all lines."""

    rows: int
    variants: int
    interaction_rows: int
    interactions: int
    failed_tests: int
    samples: tuple[int, int] | None


class TraitResults(TypedDict):
    """What the merge knows of a trait, besides its lines."""

    trait: str
    inputs: str | None
    of_sets: bool
    results: str
    left_out_of_ssf: int
    cases: int | None
    controls: int | None
    planned_variants: int | None
    counts: Mapping[str, Any] | None


def summarise(facts: TraitResults, scan: Scan, top: TopLoci, results: IndexedResults) -> Summary:
    """Condense a finished scan; leads of single tests are read again from the results."""
    chromosomes, loci = scan.chromosomes, top.by_distance
    strong = _gathered(chromosome.log10p[chromosome.log10p >= KEPT_FROM] for chromosome in chromosomes)
    test = main_of([met.name for met in scan.tests if is_of_the_variant(met.name)])
    tests = [_test(number, met, chromosomes, loci, results, len(scan.tests)) for number, met in enumerate(scan.tests)]
    code = next((number for number, met in enumerate(scan.tests) if met.name == test), 0)
    log10p, chisq, bins, by_chromosome = _of_main_test(_tested(chromosomes, code, len(tests)))
    by_frequency = frequency_quantiles(log10p, chisq, bins)
    return {
        **facts,
        **_counts(scan),
        "test": test,
        "tests": tests,
        "significant_loci": top.significant,
        "secondary_signals": top.secondary,
        "loci": top.shown,
        "loci_by": top.found_by,
        "surroundings": top.surroundings,
        "annotated": top.annotated,
        "manhattan": manhattan_points(chromosomes, _kept_from(strong)),
        "frequency_quantiles": by_frequency,
        "genomic_inflation": genomic_inflation(chisq),
        "chromosome_inflation": by_chromosome,
        "quantiles": quantile_points(log10p),
        "genes": None,
    }


def summarise_genes(facts: TraitResults, scan: Scan, genes: GenesSummary, table: Sequence[Gene]) -> Summary:
    """Condense a finished scan of sets: by gene instead of by locus. `table`: all genes."""
    return {
        **facts,
        **_counts(scan),
        "variants": genes["masks"],  # joint tests have rows of their own, of no mask
        "test": main_of([met.name for met in scan.tests if is_of_the_variant(met.name)]),
        "tests": [_rows_of(met) for met in scan.tests],
        "significant_loci": 0,
        "secondary_signals": 0,
        "loci": [],
        "loci_by": BY_DISTANCE,
        "surroundings": [],
        "annotated": NOT_ANNOTATED,
        "manhattan": _manhattan_of_genes(table),
        "frequency_quantiles": [],
        "genomic_inflation": None,
        "chromosome_inflation": [],
        "quantiles": {"expected": [], "observed": [], "low": [], "high": []},
        "genes": genes,
    }


def _counts(scan: Scan) -> Counts:
    return {
        "rows": scan.rows,
        "variants": scan.variants,
        "interaction_rows": scan.interaction_rows,
        "interactions": scan.interactions,
        "failed_tests": sum(met.failed for met in scan.tests),
        "samples": scan.samples,
    }


def _manhattan_of_genes(table: Sequence[Gene]) -> list[ManhattanChromosome]:
    """A point for each gene that has a p-value: its best."""
    by_chromosome: dict[str, list[tuple[int, float]]] = {}
    for gene in table:
        if gene["log10p"] is not None:
            by_chromosome.setdefault(gene["chromosome"], []).append((gene["position"], float(gene["log10p"])))
    chromosomes: list[ManhattanChromosome] = []
    for name in sorted(by_chromosome, key=chromosome_number):
        points = sorted(by_chromosome[name])
        chromosomes.append(
            {
                "name": name,
                "start": points[0][0],
                "end": points[-1][0],
                "positions": [position for position, _ in points],
                "log10p": [log10p for _, log10p in points],
            }
        )
    return chromosomes


def _rows_of(met: Met) -> TestSummary:
    return {
        "name": met.name,
        "of_the_variant": is_of_the_variant(met.name),
        "rows": met.rows,
        "failed": met.failed,
        "genomic_inflation": None,
        "significant_loci": 0,
        "lead": None,
        "curve": None,
    }


def _test(number: int, met: Met, chromosomes: Spool, of_all: Loci, results: IndexedResults, tests: int) -> TestSummary:
    """`number`: its place in the scan. `of_all`: loci of all tests of the variant, those of a single one if it is."""
    summary = _rows_of(met)
    if not summary["of_the_variant"]:
        return summary
    own = partial(_tested, chromosomes, number, tests)
    loci = of_all if tests == 1 else find_loci(own())
    if is_of_interaction(met.name):  # whose chi-squares may have several degrees of freedom
        summary["genomic_inflation"] = inflation_by_p(_gathered(chromosome.log10p for chromosome in own()))
    else:
        summary["genomic_inflation"] = genomic_inflation(_gathered(chromosome.chisq for chromosome in own()))
    if tests > 1:
        summary["curve"] = curve_of(_gathered(chromosome.log10p for chromosome in own()))
    summary["significant_loci"] = loci.significant
    summary["lead"] = read_locus(loci.leads[0], results, met.name) if loci.leads else None
    return summary


def _tested(chromosomes: Iterable[Chromosome], number: int, tests: int) -> Iterator[Chromosome]:
    """The rows of one of the tests that have a p-value, chromosome by chromosome; those without any are left out."""
    for chromosome in chromosomes:
        rows = ~np.isnan(chromosome.log10p)
        if tests > 1:
            rows &= chromosome.tests == number
        if rows.any():
            yield chromosome.chosen(rows)


def _of_main_test(chromosomes: Iterable[Chromosome]) -> tuple[Floats, Floats, Bins, list[ChromosomeInflation]]:
    """-log10 p, chi-squares and bins of frequency one after another, and the inflation of each chromosome."""
    log10p, chisq, bins = bytearray(), bytearray(), bytearray()
    inflation: list[ChromosomeInflation] = []
    for chromosome in chromosomes:
        log10p += chromosome.log10p.data
        chisq += chromosome.chisq.data
        bins += chromosome.frequencies.data
        # The last use of this copy of the column, whose order the median changes.
        own = genomic_inflation(chromosome.chisq)
        inflation.append({"chromosome": chromosome.name, "variants": len(chromosome.log10p), "genomic_inflation": own})
    return np.frombuffer(log10p, np.float32), np.frombuffer(chisq, np.float32), np.frombuffer(bins, np.uint8), inflation


def _gathered(columns: Iterable[Floats]) -> Floats:
    """One after another into one array that grows, so that none is in memory twice."""
    gathered = bytearray()
    for column in columns:
        gathered += column.data
    return np.frombuffer(gathered, np.float32)


def _kept_from(strong: Floats) -> float:
    """KEPT_FROM, or more if too many points are that `strong`."""
    return float(np.partition(strong, -KEPT_AT_MOST)[-KEPT_AT_MOST]) if strong.size > KEPT_AT_MOST else KEPT_FROM


def manhattan_points(chromosomes: Iterable[Chromosome], kept_from: float) -> list[ManhattanChromosome]:
    """All points from `kept_from` on, and of those below one for each cell of a grid."""
    span = sum(int(chromosome.positions[-1] - chromosome.positions[0]) + 1 for chromosome in chromosomes)
    cell_bp = max(1, span // GRID_WIDTH)
    return [_thinned(chromosome, cell_bp, kept_from) for chromosome in chromosomes]


def _thinned(chromosome: Chromosome, cell_bp: int, kept_from: float) -> ManhattanChromosome:
    start = int(chromosome.positions[0])
    weak = np.flatnonzero(chromosome.log10p < kept_from)  # False for NaN
    rows_of_cells = int(np.ceil(kept_from / GRID_STEP)) + 1
    cells = (chromosome.positions[weak] - start) // cell_bp * rows_of_cells
    cells += (chromosome.log10p[weak] / GRID_STEP).astype(np.int32)
    _, seen = np.unique(cells, return_index=True)
    kept = np.sort(np.concatenate([weak[seen], np.flatnonzero(chromosome.log10p >= kept_from)]))
    return {
        "name": chromosome.name,
        "start": start,
        "end": int(chromosome.positions[-1]),
        "positions": chromosome.positions[kept].tolist(),
        "log10p": [round(value, 3) for value in chromosome.log10p[kept].tolist()],
    }
