"""Linkage disequilibrium of variants: r² between the haplotypes that their genotypes make likeliest.

It is the r² by which plink1.9 --clump compares variants, measured against the program itself: the frequencies of two
variants' haplotypes are estimated by maximum likelihood, since of people who are heterozygous for both nobody knows
which alleles lie together. Stationary points of the likelihood are the roots of a cubic equation (Gaunt et al. 2007,
"Cubic exact solutions for the estimation of pairwise haplotype frequencies", BMC Bioinformatics 8:428).

Genotypes are packed: one bit a person for each number of copies, so that people are counted 64 at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.bed import Bools
from regenie_runner.genotypes import MISSING, Calls

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
_Haplotypes = tuple[Floats, Floats, Floats, Floats]
"""Of the alleles 11, 12, 21 and 22 of two variants."""

_COPIES = (2, 1, 0)
_WORD_BYTES = 8
_TOLERANCE = 2.0**-35
"""By which a root may lie outside of what is possible and still be one, as plink1.9 has it."""
_NOTHING = 2.0**-44
"""A smaller difference from independence is none."""
_PAIRS_AT_A_TIME = 1 << 22
"""Words of variants that are looked at together: some tens of MB with their copies."""


class Packed(NamedTuple):
    """Genotypes of some variants."""

    words: Words  # number of copies (2, 1, 0) x variants x words

    def __len__(self) -> int:
        """Variants."""
        return self.words.shape[1]

    def chosen(self, variants: npt.NDArray[np.intp]) -> Packed:
        """Some of them."""
        return Packed(self.words[:, variants])


def bytes_of(people: int) -> int:
    """What a variant takes when it is packed."""
    return len(_COPIES) * _WORD_BYTES * -(-people // (8 * _WORD_BYTES))


def pack(calls: Calls) -> Packed:
    """Pack the copies of an allele: variants x people. What is MISSING is in none of the three."""
    variants, people = calls.shape
    words = np.zeros((len(_COPIES), variants, -(-people // (8 * _WORD_BYTES)) * _WORD_BYTES), np.uint8)
    for plane, copies in zip(words, _COPIES, strict=True):
        plane[:, : -(-people // 8)] = np.packbits(calls == copies, axis=1)
    return Packed(words.view(np.uint64))


def pack_people(chosen: Bools) -> Words:
    """One bit for each, as `pack` has them."""
    words: Words = pack(np.where(chosen, np.int8(2), np.int8(MISSING))[None]).words[0, 0]
    return words


def r_squared(one: Packed, others: Packed, males: Words | None = None) -> Floats:
    """r² of one variant with each of the others; NaN where one of the two does not vary.

    Args:
        one: a single variant.
        others: any number of variants of the same people.
        males: who has one copy only (pack_people), of variants on X; they have no heterozygous genotypes.
    """
    rows = max(1, _PAIRS_AT_A_TIME // max(others.words.shape[2], 1))
    parts = [
        _r_squared(one.words[:, 0], others.words[:, first : first + rows], males)
        for first in range(0, len(others), rows)
    ]
    return np.concatenate([np.empty(0), *parts])


def _r_squared(one: Words, others: Words, males: Words | None) -> Floats:
    counts = _counted(one, others)
    known = (
        2 * counts[0][0] + counts[0][1] + counts[1][0],
        2 * counts[0][2] + counts[0][1] + counts[1][2],
        2 * counts[2][0] + counts[1][0] + counts[2][1],
        2 * counts[2][2] + counts[1][2] + counts[2][1],
    )
    if males is not None:  # who count once
        once = _counted(one & males, others)
        of_males = (once[0][0], once[0][2], once[2][0], once[2][2])
        known = (known[0] - of_males[0], known[1] - of_males[1], known[2] - of_males[2], known[3] - of_males[3])
    return _by_likeliest_haplotypes(known, counts[1][1])


def _counted(one: Words, others: Words) -> list[list[Floats]]:
    """People with each pair of genotypes: [of the one][of the others]."""
    return [
        [np.bitwise_count(mine & yours).sum(axis=1, dtype=np.int64).astype(np.float64) for yours in others]
        for mine in one
    ]


def _by_likeliest_haplotypes(known: _Haplotypes, double: Floats) -> Floats:
    """r², given the haplotypes that are certain, and the people who are heterozygous for both variants."""
    total = known[0] + known[1] + known[2] + known[3] + 2 * double
    with np.errstate(divide="ignore", invalid="ignore"):
        f11, f12, f21, f22 = (each / total for each in known)
        share = double / total  # of either phase, if all double heterozygotes had it
        p1, q1 = f11 + f12 + share, f11 + f21 + share
        varies = (total > 0) & (np.minimum(p1, 1 - p1) > 0) & (np.minimum(q1, 1 - q1) > 0)
        difference = f11 + _likeliest_part((f11, f12, f21, f22), share, double / total) - p1 * q1
        difference = np.where(np.abs(difference) < _NOTHING, 0.0, difference)
        r2 = difference**2 / (p1 * q1 * (1 - p1) * (1 - q1))
    return np.where(varies, r2, np.nan)


def _likeliest_part(known: _Haplotypes, share: Floats, weight: Floats) -> Floats:
    """How much of `share` lies in the phase 11/22: the root, or end of the range, of the greatest likelihood."""
    f11, f12, f21, f22 = known
    roots = _roots(
        0.5 * (f11 + f22 - f12 - f21 - 3 * share),
        0.5 * (f11 * f22 + f12 * f21 + share * (f12 + f21 - f11 - f22 + share)),
        -0.5 * share * f11 * f22,
    )
    is_possible = (roots >= -_TOLERANCE) & (roots <= share + _TOLERANCE)
    roots = np.clip(roots, 0, share)
    ends = np.stack([np.zeros_like(share), share])
    # Without certain haplotypes of one phase or the other the likelihood is greatest at an end; roots are lost there.
    at_ends = ((f11 * f22 == 0) & (f12 * f21 == 0)) | ~is_possible.any(axis=0)
    candidates = np.concatenate([roots, ends])
    allowed = np.concatenate([is_possible & ~at_ends, np.broadcast_to(at_ends, ends.shape)])
    likelihoods = np.where(allowed, _log_likelihood(known, share, weight, candidates), -np.inf)
    best = np.argmax(likelihoods, axis=0)
    return np.where(share > 0, np.take_along_axis(candidates, best[None], axis=0)[0], 0.0)


def _log_likelihood(known: _Haplotypes, share: Floats, weight: Floats, part: Floats) -> Floats:
    f11, f12, f21, f22 = known
    in11, in12, in21, in22 = f11 + part, f12 + share - part, f21 + share - part, f22 + part
    likelihood = weight * _log(in11 * in22 + in12 * in21)
    for certain, frequency in ((f11, in11), (f12, in12), (f21, in21), (f22, in22)):
        likelihood = likelihood + np.where(certain > 0, certain * _log(frequency), 0.0)
    return likelihood


def _log(values: Floats) -> Floats:
    logarithms: Floats = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    return logarithms


def _roots(a: Floats, b: Floats, c: Floats) -> Floats:
    """Real roots of x³ + ax² + bx + c, ascending: 3 x equations; a root that there is not is NaN."""
    q, r = (a**2 - 3 * b) / 9, (2 * a**3 - 9 * a * b + 27 * c) / 54
    third = a / 3
    has_three = r**2 < q**3
    size = np.sqrt(np.where(has_three, q, 1.0))
    angle = np.arccos(np.clip(r / np.where(has_three, q * size, 1.0), -1, 1)) / 3
    turns = np.array([0.0, 2 * np.pi / 3, -2 * np.pi / 3])[:, None]
    three = np.sort(-2 * size * np.cos(angle + turns) - third, axis=0)
    cube = -np.sign(np.where(r == 0, 1.0, r)) * np.cbrt(np.abs(r) + np.sqrt(np.maximum(r**2 - q**3, 0)))
    other = np.where(cube == 0, 0.0, q / np.where(cube == 0, 1.0, cube))
    is_double = np.abs(cube - other) < _TOLERANCE  # two of three roots are one
    single = np.stack([cube + other - third, np.where(is_double, -cube - third, np.nan), np.full_like(a, np.nan)])
    return np.where(has_three, three, np.sort(single, axis=0))
