"""Finds top loci by distance: the strongest variant leads a locus, which contains all variants around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from regenie_runner.significance import GENOME_WIDE
from regenie_runner.spool import Chromosome

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


def find_loci(chromosomes: Iterable[Chromosome]) -> Loci:
    """Take the strongest variant, drop all within SPACING_BP of it, and so on past SHOWN loci and the line.

    A locus lies on one chromosome, so each is searched by itself.
    """
    leads = sorted((lead for each in chromosomes for lead in _leads(each)), key=lambda lead: -lead.log10p)
    return Loci(leads[:SHOWN], sum(lead.log10p >= GENOME_WIDE for lead in leads))


def _leads(chromosome: Chromosome) -> Iterator[Lead]:
    """The strongest first: SHOWN, or more if these reach the line."""
    remaining = np.where(np.isnan(chromosome.log10p), -np.inf, chromosome.log10p)
    for count in itertools.count():
        index = int(np.argmax(remaining))
        log10p = float(remaining[index])
        if log10p == -np.inf or (count >= SHOWN and log10p < GENOME_WIDE):
            return
        yield Lead(chromosome.name, int(chromosome.positions[index]), log10p)
        remaining[_neighbourhood(chromosome, index)] = -np.inf


def _neighbourhood(chromosome: Chromosome, index: int) -> slice:
    position = int(chromosome.positions[index])
    start = np.searchsorted(chromosome.positions, position - SPACING_BP, side="right")
    end = np.searchsorted(chromosome.positions, position + SPACING_BP, side="left")
    return slice(int(start), int(end))
