"""Finds top loci by distance: the strongest variant leads a locus, which contains all variants around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from regenie_runner.scan import Chromosome, Floats
from regenie_runner.significance import GENOME_WIDE

SPACING_BP = 500_000
"""Variants nearer than this to a lead belong to its locus."""
SHOWN = 20


class Lead(NamedTuple):
    """The strongest variant of a locus."""

    chromosome: str
    position: int
    log10p: float


class Loci(NamedTuple):
    """The strongest loci first."""

    leads: list[Lead]  # at most SHOWN, also some below the line
    significant: int  # how many loci reach GENOME_WIDE, shown or not


def find_loci(chromosomes: list[Chromosome]) -> Loci:
    """Take the strongest variant, drop all within SPACING_BP of it, and so on past SHOWN loci and the line."""
    remaining = [np.where(np.isnan(chromosome.log10p), -np.inf, chromosome.log10p) for chromosome in chromosomes]
    best = [_strongest(values) for values in remaining]
    leads: list[Lead] = []
    significant = 0
    while best:
        place = max(range(len(best)), key=lambda number: best[number][1])
        index, log10p = best[place]
        is_significant = log10p >= GENOME_WIDE
        if log10p == -np.inf or (len(leads) >= SHOWN and not is_significant):
            break
        significant += is_significant
        if len(leads) < SHOWN:
            chromosome = chromosomes[place]
            leads.append(Lead(chromosome.name, int(chromosome.positions[index]), log10p))
        remaining[place][_neighbourhood(chromosomes[place], index)] = -np.inf
        best[place] = _strongest(remaining[place])
    return Loci(leads, significant)


def _strongest(values: Floats) -> tuple[int, float]:
    index = int(np.argmax(values))
    return index, float(values[index])


def _neighbourhood(chromosome: Chromosome, index: int) -> slice:
    position = int(chromosome.positions[index])
    start = np.searchsorted(chromosome.positions, position - SPACING_BP, side="right")
    end = np.searchsorted(chromosome.positions, position + SPACING_BP, side="left")
    return slice(int(start), int(end))
