"""Checks that enough people are analysed for the minor allele counts that a launch requires."""

from collections.abc import Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from lambdas.regenie.preflight.findings import Findings

_WHERE: Final = "regenie.step1.qc"
_MOST_NAMED: Final = 20
"""Covariates in one sentence."""
_COMMON: Final = 0.1
"""Least minor allele frequency from which on it is worth a word that rarer variants are left out."""


def told_of_quality(parameters: RegenieParameters) -> list[str]:
    """What step 1 asks of genotypes, for the launch's status: one sentence, or none if it takes all."""
    quality = parameters.step1.quality_control
    if quality is None:
        return []
    thresholds = ", ".join(f"{name} {value:g}" for name, value in quality.model_dump().items())
    return [f"step1.qc: step 1 takes what passes {thresholds} (qc: false takes all); the report counts the others"]


def told_of_covariates(columns: Sequence[str]) -> list[str]:
    """What the analysis adjusts for, for the launch's status: columns are taken by default, and traits left out."""
    if not columns:
        return []
    more = f" and {len(columns) - _MOST_NAMED:,} more" if len(columns) > _MOST_NAMED else ""
    return [f"covariates: the analysis adjusts for {', '.join(columns[:_MOST_NAMED])}{more}"]


def check_least_count(people: int, parameters: RegenieParameters, findings: Findings) -> None:
    """Refuse a least count of step 2 that no variant can have: regenie would write no row, and say nothing.

    Args and units as in check_quality.
    """
    least = parameters.step2.min_mac
    if 0 < people < least:
        findings.add(
            "regenie.step2.min_mac",
            f"asks step 2's variants for a minor allele count of {least:,}, and {people:,} people are analysed, who "
            f"can have {people:,} at most",
            "Give a smaller min_mac; regenie's own is 5.",
        )


def check_quality(people: int, parameters: RegenieParameters, findings: Findings) -> None:
    """Find a minor allele count that few people, or none, can have: half of their alleles are the most.

    Args:
        people: who are analysed; none is a fault of its own.
        parameters: the launch's config.
        findings: get the fault or warning.
    """
    quality = parameters.step1.quality_control
    if quality is None or not people:
        return
    asked = f"asks step 1's variants for a minor allele count of {quality.mac:,}"
    remedy = "Give a smaller mac in step1.qc, or qc: false, which takes all variants (regenie refuses invariant ones)."
    least_frequency = quality.mac / (2 * people)
    if quality.mac > people:
        findings.add(_WHERE, f"{asked}, and {people:,} people are analysed, who can have {people:,} at most", remedy)
    elif least_frequency > max(_COMMON, quality.maf):
        findings.warn(
            _WHERE,
            f"{asked}: of the {people:,} people who are analysed, these are the variants with a frequency of "
            f"{least_frequency:.2g} or more",
            remedy,
        )
