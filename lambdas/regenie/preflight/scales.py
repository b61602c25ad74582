"""Checks sizes of numbers: covariates that regenie drops silently, and traits that it treats as constant.

regenie makes a basis of intercept and covariates, and keeps of its directions those above 1e-15 of the largest
(4.1.2's sources: Pheno.cpp, getBasis, of columns as they are). A date (20210131) beside a yes-or-no, or beside the
intercept, is that much larger: the smaller ones are not adjusted for, the log counts them all the same, and the results
differ (run on 4.1.2: tests/regenie/test_sizes_of_numbers.py).
"""

import math
from collections.abc import Sequence
from typing import Final

from lambdas.regenie.preflight.column import LARGEST_NUMBER, Column
from lambdas.regenie.preflight.findings import Findings

_LOST_BELOW: Final = 5e-15
"""Share of the largest direction: regenie's 1e-15, and room for the rounding of its eigenvalues."""
_NEARLY_CONSTANT: Final = 0.01
"""Share of a column's mean square that is its variance."""
LEAST_DEVIATION: Final = 1e-6
"""Of a trait, without its covariates: regenie ends with a smaller one (Regenie.hpp, numtol; Pheno.cpp)."""
MOST_DEVIATION: Final = LARGEST_NUMBER
"""Of a trait."""
FEWEST_PER_COVARIATE: Final = 2
"""People for each covariate and the intercept, below which there is hardly anything left to test with."""


def check_scales(where: str, uri: str, columns: Sequence[Column], findings: Findings) -> None:
    """Find covariates that are not adjusted for because another one is so much larger.

    Args:
        where: the config key of the covariate file.
        uri: of it.
        columns: the covariates that are numbers.
        findings: get the fault.
    """
    varying = [column for column in columns if column.observed > 1 and column.deviation > 0]
    if not varying:
        return
    largest = max(varying, key=_mean_square)
    size = _mean_square(largest)
    # A large one that hardly varies stands for the intercept: the others have their spread beside it.
    stands_in = _is_like_intercept(largest)
    lost = [
        column.name
        for column in varying
        if (column.deviation**2 if stands_in and column is not largest else _beside_intercept(column))
        < _LOST_BELOW * size
    ]
    if not lost:
        return
    others = [name for name in lost if name != largest.name]
    findings.add(
        where,
        f"names {uri}, where {largest.name} has values of about {math.sqrt(size):.1e}, so large beside "
        f"{', '.join(others) if others else 'its own spread'} that regenie does not adjust for {', '.join(lost)}, and "
        "says nothing",
        f"Subtract the mean from {largest.name} and divide it by its standard deviation, or give it in a larger unit "
        "(years instead of dates or seconds); multiply what is tiny.",
    )


def check_number(where: str, people: int, covariates: int, findings: Findings) -> None:
    """Find more covariates than people can tell apart; regenie ends with as many as people, the intercept included.

    Args:
        where: the config key of the covariate file.
        people: who are analysed; none is a fault of its own.
        covariates: columns, a category counting for each of its levels but one.
        findings: get the fault or warning.
    """
    if not people or not covariates:
        return
    told = (
        f"has {covariates:,} covariates (a category counts for each level but one), and {people:,} people are analysed"
    )
    if people <= covariates + 1:
        findings.add(
            where, f"{told}: regenie takes fewer covariates than people only", "Name fewer in covariate_columns."
        )
    elif people < FEWEST_PER_COVARIATE * (covariates + 1):
        findings.warn(
            where, f"{told}, so that little is left to test with", "Name fewer covariates in covariate_columns."
        )


def _mean_square(column: Column) -> float:
    return column.mean**2 + column.deviation**2


def _beside_intercept(column: Column) -> float:
    """What a covariate has for itself beside the intercept: its spread, or less where its mean is far from zero."""
    variance = column.deviation**2
    return min(variance, variance / _mean_square(column))


def _is_like_intercept(column: Column) -> bool:
    return column.deviation**2 < _NEARLY_CONSTANT * _mean_square(column)
