"""Tests whether a variant's p-value of Hardy-Weinberg equilibrium is below a threshold.

The exact test is that of Wigginton, Cutler and Abecasis (Am J Hum Genet 76:887, 2005), which PLINK uses too: given the
allele counts, add up the probabilities of all numbers of heterozygotes that are no likelier than the observed one.
"""

from __future__ import annotations

from math import exp, lgamma, log

_LOG_2 = log(2)
_NO_LIKELIER = 1e-9
"""Relative tolerance of comparing probabilities that should be equal."""


def departs(two: int, one: int, none: int, threshold: float) -> bool:
    """Whether the p-value for these genotype counts is below `threshold`.

    The observed count's own probability p0 bounds the p-value: it is at least p0, and at most p0 times the possible
    counts. So nearly all variants are decided by one formula, and only the others are added up.
    """
    alleles = min(2 * two + one, 2 * none + one)
    if alleles == 0 or threshold <= 0:
        return False
    samples = two + one + none
    log_observed = _log_probability(samples, alleles, one)
    log_threshold = log(threshold)
    if log_observed >= log_threshold:
        return False
    if log_observed + log(alleles // 2 + 1) < log_threshold:
        return True
    return p_value(two, one, none) < threshold


def p_value(two: int, one: int, none: int) -> float:
    """The exact p-value of genotype counts."""
    alleles = min(2 * two + one, 2 * none + one)
    samples = two + one + none
    observed = _log_probability(samples, alleles, one)
    possible = (_log_probability(samples, alleles, count) for count in range(alleles % 2, alleles + 1, 2))
    return min(1.0, sum(exp(value) for value in possible if value <= observed + _NO_LIKELIER))


def _log_probability(samples: int, alleles: int, heterozygotes: int) -> float:
    """Of a number of heterozygotes, given the samples and the copies of the rarer allele."""
    rare = (alleles - heterozygotes) // 2
    common = samples - heterozygotes - rare
    return (
        heterozygotes * _LOG_2
        + _log_factorial(samples)
        - _log_factorial(rare)
        - _log_factorial(heterozygotes)
        - _log_factorial(common)
        + _log_factorial(alleles)
        + _log_factorial(2 * samples - alleles)
        - _log_factorial(2 * samples)
    )


def _log_factorial(number: int) -> float:
    return lgamma(number + 1)
