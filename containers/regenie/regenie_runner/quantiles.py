"""Points of a quantile-quantile plot of p-values, and the band in which they lie if nothing is associated."""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from statistics import NormalDist
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from regenie_runner.scan import FREQUENCY_BOUNDS
from regenie_runner.spool import Bins, Floats

Doubles = npt.NDArray[np.float64]

CHISQ_MEDIAN = 0.4549364
"""Median of the chi-square distribution with 1 degree of freedom."""
BAND = 0.95
_EXACT_RANKS = 50
_ALL_RANKS_TO = 500
_OF_A_CURVE = 100
"""Ranks of each kind for one curve of several in a plot."""


class QuantilePoints(TypedDict):
    """All lists have the same length and hold -log10 p, the strongest first."""

    expected: list[float]
    observed: list[float]
    low: list[float]
    high: list[float]


class Curve(TypedDict):
    """One of several curves of a plot: both lists are as long, and hold -log10 p, the strongest first."""

    expected: list[float]
    observed: list[float]


FrequencyQuantiles = TypedDict(
    "FrequencyQuantiles",
    {
        "from": float,  # minor allele frequency
        "to": float,
        "variants": int,
        "genomic_inflation": "float | None",
        "expected": list[float],  # -log10 p, the strongest first, as long as `observed`
        "observed": list[float],
    },
)
"""The quantile-quantile plot of variants of similar frequency. (`from` is no name that a class could have.)"""


def genomic_inflation(chisq: Floats) -> float | None:
    """Lambda: the median of the chi-squares over the median expected (Devlin and Roeder 1999); None without variants.

    NaN of `chisq` (which may get another order) is left out: regenie may give a p-value, and no chi-square.
    """
    missing = np.isnan(chisq)
    tested = chisq[~missing] if missing.any() else chisq
    return float(np.median(tested, overwrite_input=True)) / CHISQ_MEDIAN if tested.size else None


def inflation_by_p(log10p: Floats) -> float | None:
    """The same by p-values, of tests with any number of degrees of freedom: each as a chi-square with one.

    `log10p` has no NaN.
    """
    if not log10p.size:
        return None
    p_value = max(10.0 ** -float(np.median(log10p)), sys.float_info.min)
    return NormalDist().inv_cdf(p_value / 2) ** 2 / CHISQ_MEDIAN


def quantile_points(log10p: Floats) -> QuantilePoints:
    """The strongest 500 of n variants and about 500 more, evenly spaced on the plot; `log10p` (no NaN) gets sorted."""
    count = log10p.size
    if not count:
        return {"expected": [], "observed": [], "low": [], "high": []}
    log10p.sort()
    ranks = plotted_ranks(count)
    low, high = null_band(ranks, count)
    return {
        "expected": _rounded(-np.log10((ranks - 0.5) / count)),
        "observed": _rounded(log10p[count - ranks]),
        "low": _rounded(low),
        "high": _rounded(high),
    }


def curve_of(log10p: Floats) -> Curve:
    """The strongest 100 of n tests and about 100 more; `log10p` (no NaN) gets sorted."""
    log10p.sort()
    ranks = plotted_ranks(log10p.size, each=_OF_A_CURVE)
    return {
        "expected": _rounded(-np.log10((ranks - 0.5) / max(log10p.size, 1))),
        "observed": _rounded(log10p[log10p.size - ranks]),
    }


def frequency_quantiles(log10p: Floats, chisq: Floats, bins: Bins) -> list[FrequencyQuantiles]:
    """Quantiles of rare, low-frequency and common variants by themselves; arrays are as long, NaN only in `chisq`."""
    groups: list[FrequencyQuantiles] = []
    for number, (low, high) in enumerate(pairwise((0.0, *FREQUENCY_BOUNDS, 0.5))):
        chosen = bins == number
        inflation = genomic_inflation(chisq[chosen])  # first, so that only one copy is in memory
        values = log10p[chosen]
        values.sort()
        ranks = plotted_ranks(values.size)
        groups.append(
            {
                "from": low,
                "to": high,
                "variants": int(values.size),
                "genomic_inflation": inflation,
                "expected": _rounded(-np.log10((ranks - 0.5) / values.size)) if values.size else [],
                "observed": _rounded(values[values.size - ranks]),
            }
        )
    return groups


def plotted_ranks(count: int, each: int = _ALL_RANKS_TO) -> npt.NDArray[np.int64]:
    """Which of n sorted values a plot needs: the first `each`, and as many more, evenly spaced on the plot."""
    if not count:
        return np.empty(0, np.int64)
    dense = np.arange(1, min(count, each) + 1)
    sparse = np.geomspace(min(count, each), count, each).round().astype(np.int64)
    ranks: npt.NDArray[np.int64] = np.unique(np.concatenate([dense, sparse]))
    return ranks


def null_band(ranks: npt.NDArray[np.int64], count: int) -> tuple[Doubles, Doubles]:
    """The pointwise 95 % band of -log10 p for the r-th smallest of n independent uniform p-values, low and high.

    That p-value has a Beta(r, n - r + 1) distribution. It is inverted exactly for small ranks; further on its logit
    is so nearly normal that a Cornish-Fisher expansion errs by less than 0.01, in large studies by less than 0.001.
    """
    tail = (1 - BAND) / 2
    bounds = []
    for probability in (1 - tail, tail):  # a large p-value is a low point
        exact = [_order_statistic(int(rank), count, probability) for rank in ranks[ranks <= _EXACT_RANKS]]
        approximate = _order_statistic_logit(ranks[ranks > _EXACT_RANKS], count, probability)
        bounds.append(-np.log10(np.concatenate([np.array(exact, dtype=np.float64), approximate])))
    return bounds[0], bounds[1]


def _order_statistic(rank: int, count: int, probability: float) -> float:
    """Quantile of Beta(rank, count - rank + 1): at least `rank` of `count` uniform values are below it so often."""
    terms = np.arange(rank)
    log_binomial = np.array(
        [math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(rank)]
    )

    def reached(log_x: float) -> bool:
        below = log_binomial + terms * log_x + (count - terms) * math.log1p(-math.exp(log_x))
        return 1 - float(np.exp(below).sum()) >= probability

    low, high = -math.log(count) - 20.0, -1e-12
    for _ in range(60):  # halves an interval of less than 50 to far below a plot's resolution
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return math.exp(high)


def _order_statistic_logit(ranks: npt.NDArray[np.int64], count: int, probability: float) -> Doubles:
    above = count - ranks + 1.0
    centre = np.log(ranks / above)
    spread = np.sqrt(1 / ranks + 1 / above)
    z = NormalDist().inv_cdf(probability)
    # Mean and skewness of the logarithm of a gamma variable of shape k are log k - 1 / 2k and -1 / sqrt(k).
    skewed = centre + z * spread + (z * z + 2) / 6 * (1 / above - 1 / ranks)
    return np.asarray(1 / (1 + np.exp(-skewed)), dtype=np.float64)


def _rounded(values: npt.NDArray[np.floating]) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
