"""Clumps of variants around the strongest ones, by linkage disequilibrium: what plink1.9 --clump makes of them.

The strongest variant that no clump has leads the next one (its index variant); of the variants within a window those
belong to it that are in linkage disequilibrium with it and significant enough, if no stronger one has taken them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Thresholds(NamedTuple):
    """Of plink1.9's options --clump-p1, --clump-p2, --clump-r2 and --clump-kb."""

    lead_log10p: float  # an index variant has at least this -log10 p
    member_log10p: float  # members have more than this one
    r2: float  # members have more than this r² with their index variant
    window_bp: int  # members are nearer than this to it

    @classmethod
    def of(cls, p1: float, p2: float, r2: float, window_kb: float) -> Thresholds:
        """Of p-values, as people give them."""
        return cls(-math.log10(p1), -math.log10(p2), r2, round(window_kb * 1000))


class Clump(NamedTuple):
    """An index variant (the lead) and its members, as places among all variants."""

    lead: int
    members: Places  # ascending, without the lead
    r2: Floats  # of each member


def eligible(log10p: Floats, thresholds: Thresholds) -> npt.NDArray[np.bool_]:
    """Variants that may be in a clump, by their p-values; the others need no genotypes. NaN is none."""
    return (log10p >= thresholds.lead_log10p) | (log10p > thresholds.member_log10p)


def clump(
    positions: Positions, log10p: Floats, thresholds: Thresholds, r_squared: Callable[[int, Places], Floats]
) -> Iterator[Clump]:
    """The clumps of one chromosome, by the strength of their index variants; of equal ones the first in the file leads.

    Args:
        positions: base pairs, ascending.
        log10p: -log10 p of each; NaN where there is none.
        thresholds: what makes an index variant, and a member.
        r_squared: answers r² of a variant with others, given as places; NaN where it is not known.
    """
    may_be_in_one = eligible(log10p, thresholds)
    leads = np.flatnonzero(log10p >= thresholds.lead_log10p)
    is_taken = np.zeros(len(positions), np.bool_)
    for index in leads[np.argsort(-log10p[leads], kind="stable")].tolist():
        if is_taken[index]:
            continue
        is_taken[index] = True
        window = slice(
            int(np.searchsorted(positions, positions[index] - thresholds.window_bp, side="right")),
            int(np.searchsorted(positions, positions[index] + thresholds.window_bp, side="left")),
        )
        others = window.start + np.flatnonzero(may_be_in_one[window] & ~is_taken[window])
        r2 = r_squared(index, others)
        is_near = r2 > thresholds.r2
        # Also what is too weak to be a member is taken, if it could lead: both thresholds may be the same.
        is_taken[others[is_near]] = True
        is_member = is_near & (log10p[others] > thresholds.member_log10p)
        yield Clump(index, others[is_member], r2[is_member])
