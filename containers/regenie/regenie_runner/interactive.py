"""Points and script of the report's interactive plots, which are inside the page like everything else of it.

The points are those of the pictures, thinned further where many traits share a page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from regenie_runner.chromosomes import chromosome_label
from regenie_runner.plots import frequency_name
from regenie_runner.significance import GENOME_WIDE
from regenie_runner.summary import ManhattanChromosome, Summary

MOST_POINTS = 240_000
"""Of all Manhattan plots of a page: a point takes 11 bytes, which is 2.6 MB together."""
_DIGITS = 4
"""Decimals of a quantile."""


class PackedChromosome(TypedDict):
    """Numbers are little-endian, as base64."""

    name: str
    label: str
    start: int  # base pairs
    end: int
    points: int
    positions: str  # 32-bit whole numbers
    log10p: str  # 32-bit floats


class GenomePoints(TypedDict):
    """Of an interactive Manhattan plot."""

    what: str  # a point is: Variant or Gene
    line: float  # of significance
    names: Mapping[str, str]  # chromosome:position -> name of what leads there
    chromosomes: list[PackedChromosome]


class QuantileGroup(TypedDict):
    """A curve of an interactive QQ plot; -log10 p."""

    name: str
    expected: list[float]
    observed: list[float]


class QuantileBand(TypedDict):
    """95 % of null results."""

    expected: list[float]
    low: list[float]
    high: list[float]


class QuantilesShown(TypedDict):
    """Of an interactive QQ plot."""

    groups: list[QuantileGroup]
    band: QuantileBand


class Script(NamedTuple):
    """What the page runs, and by which hash its Content-Security-Policy knows it."""

    text: str
    source: str


@cache
def script() -> Script:
    """The page's only script; its policy runs no other."""
    text = (Path(__file__).parent / "templates" / "plots.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(text, f"sha256-{digest}")


def genome_points(summary: Summary, traits: int) -> GenomePoints:
    """The points of a trait's Manhattan plot.

    Args:
        summary: of the trait.
        traits: with how many others it shares the page, itself included.
    """
    genes = summary["genes"]
    if genes:
        names = {f"{gene['chromosome']}:{gene['position']}": gene["name"] for gene in reversed(genes["top"])}
    else:
        names = {f"{locus['chromosome']}:{locus['position']}": locus["id"] for locus in reversed(summary["loci"])}
    chromosomes = thinned(summary["manhattan"], MOST_POINTS // max(traits, 1))
    return {
        "what": "Gene" if genes else "Variant",
        "line": genes["line"] if genes else GENOME_WIDE,
        "names": names,
        "chromosomes": [_packed(chromosome) for chromosome in chromosomes],
    }


def thinned(chromosomes: Sequence[ManhattanChromosome], most: int) -> list[ManhattanChromosome]:
    """At most so many points (and a few): the strongest for half of these, and of the others every so manyth."""
    values = np.concatenate([np.empty(0), *(np.array(each["log10p"], float) for each in chromosomes)])
    if len(values) <= most:
        return list(chromosomes)
    half = max(most // 2, 1)
    kept_from = np.partition(values, -half)[-half]
    every = -(-(len(values) - half) // half)
    return [_some(chromosome, float(kept_from), every) for chromosome in chromosomes]


def _some(chromosome: ManhattanChromosome, kept_from: float, every: int) -> ManhattanChromosome:
    log10p = np.array(chromosome["log10p"], float)
    weak = np.flatnonzero(log10p < kept_from)
    kept = np.sort(np.concatenate([weak[::every], np.flatnonzero(log10p >= kept_from)]))
    positions = np.array(chromosome["positions"], np.int64)
    return {**chromosome, "positions": positions[kept].tolist(), "log10p": log10p[kept].tolist()}


def _packed(chromosome: ManhattanChromosome) -> PackedChromosome:
    return {
        "name": chromosome["name"],
        "label": chromosome_label(chromosome["name"]),
        "start": chromosome["start"],
        "end": chromosome["end"],
        "points": len(chromosome["positions"]),
        "positions": _base64(np.array(chromosome["positions"], "<i4")),
        "log10p": _base64(np.array(chromosome["log10p"], "<f4")),
    }


def _base64(numbers: npt.NDArray[np.generic]) -> str:
    return base64.b64encode(numbers.tobytes()).decode()


def quantiles_shown(summary: Summary) -> QuantilesShown:
    """The curves of a trait's QQ plot: of all, and by frequency."""
    points = summary["quantiles"]
    groups: list[QuantileGroup] = [
        {"name": "all", "expected": _rounded(points["expected"]), "observed": _rounded(points["observed"])}
    ]
    for group in summary["frequency_quantiles"]:
        name = f"frequency {frequency_name(group['from'], group['to'])}"
        groups.append({"name": name, "expected": _rounded(group["expected"]), "observed": _rounded(group["observed"])})
    return {
        "groups": groups,
        "band": {
            "expected": _rounded(points["expected"]),
            "low": _rounded(points["low"]),
            "high": _rounded(points["high"]),
        },
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, _DIGITS) for value in values]
