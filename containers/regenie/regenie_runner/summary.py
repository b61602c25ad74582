"""Summary of one trait's results for the report, written as JSON beside the summary statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from regenie_runner.loci import GENOME_WIDE, Lead, find_loci
from regenie_runner.quantiles import (
    FrequencyQuantiles,
    QuantilePoints,
    frequency_quantiles,
    genomic_inflation,
    quantile_points,
)
from regenie_runner.scan import Chromosome, Floats, Scan
from regenie_runner.tabix import IndexedResults

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


class Locus(TypedDict):
    """The lead variant of a locus, by regenie's columns; None where regenie says NA."""

    id: str
    chromosome: str
    position: int
    effect_allele: str
    other_allele: str
    a1freq: float | None
    info: float | None
    samples: int
    test: str  # ADD, unless the launch asked for another
    beta: float | None
    se: float | None
    log10p: float
    significant: bool


class Summary(TypedDict):
    """Everything about one trait."""

    trait: str
    inputs: str | None  # the task's fingerprint of the data and the image
    results: str  # path of the merged file, below the launch's results
    left_out_of_ssf: int  # rows that the GWAS Catalog's format cannot hold
    cases: int | None  # of a binary trait, by regenie's log
    controls: int | None
    rows: int  # lines of the merged file
    interaction_rows: int  # of these, those of an interaction, which stand beside a variant's own
    interactions: int  # variants that have rows of an interaction
    failed_tests: int  # rows of which regenie could not compute a p-value
    planned_variants: int | None  # of all data sets; None when the plan does not say
    counts: Mapping[str, Any] | None  # of the people whom quality control left; None without it
    samples: tuple[int, int] | None  # smallest and largest number of samples of a variant
    genomic_inflation: float | None
    significant_loci: int
    loci: list[Locus]  # the strongest, also some below the line
    manhattan: list[ManhattanChromosome]
    quantiles: QuantilePoints
    frequency_quantiles: list[FrequencyQuantiles]


class TraitResults(TypedDict):
    """What the merge knows of a trait, besides its lines."""

    trait: str
    inputs: str | None
    results: str
    left_out_of_ssf: int
    cases: int | None
    controls: int | None
    planned_variants: int | None
    counts: Mapping[str, Any] | None


def summarise(facts: TraitResults, scan: Scan, results: IndexedResults) -> Summary:
    """Condense a finished scan, which loses its arrays; the leads of the loci are read again from the results."""
    chromosomes = scan.take_chromosomes()
    loci = find_loci(chromosomes)
    log10p = _gathered([chromosome.log10p for chromosome in chromosomes])
    tested = ~np.isnan(log10p)
    log10p = log10p[tested]
    chisq = _gathered([chromosome.chisq for chromosome in chromosomes])[tested]
    bins = np.concatenate([np.empty(0, np.uint8), *(chromosome.frequencies for chromosome in chromosomes)])[tested]
    by_frequency = frequency_quantiles(log10p, chisq, bins)
    return {
        **facts,
        "rows": scan.rows,
        "interaction_rows": scan.interaction_rows,
        "interactions": scan.interactions,
        "failed_tests": scan.rows - log10p.size,
        "samples": scan.samples,
        "significant_loci": loci.significant,
        "loci": [_locus(lead, results) for lead in loci.leads],
        "manhattan": manhattan_points(chromosomes, _kept_from(log10p)),
        "frequency_quantiles": by_frequency,
        "genomic_inflation": genomic_inflation(chisq[~np.isnan(chisq)]),
        "quantiles": quantile_points(log10p),
    }


def _gathered(columns: list[Floats]) -> Floats:
    values: Floats = np.concatenate([np.empty(0, np.float32), *columns])
    return values


def _kept_from(log10p: Floats) -> float:
    """KEPT_FROM, or more if too many variants are that strong (`log10p` without NaN)."""
    strong = log10p[log10p >= KEPT_FROM]
    return float(np.partition(strong, -KEPT_AT_MOST)[-KEPT_AT_MOST]) if strong.size > KEPT_AT_MOST else KEPT_FROM


def manhattan_points(chromosomes: list[Chromosome], kept_from: float) -> list[ManhattanChromosome]:
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


def _locus(lead: Lead, results: IndexedResults) -> Locus:
    lines = results.region(lead.chromosome, lead.position, lead.position)
    line = max(lines, key=lambda line: -1.0 if line["LOG10P"] == "NA" else float(line["LOG10P"]))
    return {
        "id": line["ID"],
        "chromosome": line["CHROM"],
        "position": int(line["GENPOS"]),
        "effect_allele": line["ALLELE1"],
        "other_allele": line["ALLELE0"],
        "a1freq": _number(line["A1FREQ"]),
        "info": _number(line.get("INFO", "NA")),
        "samples": int(line["N"]),
        "test": line.get("TEST", "ADD"),
        "beta": _number(line["BETA"]),
        "se": _number(line["SE"]),
        "log10p": float(line["LOG10P"]),
        "significant": lead.log10p >= GENOME_WIDE,
    }


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)
