"""Quality control of step 1: whether it can leave a variant at all, by the number of people."""

from typing import Final

from lambdas.regenie.preflight.findings import Findings
from lambdas.shared.config_model import RegenieParameters

_WHERE: Final = "regenie.step1.qc"
_COMMON: Final = 0.1
"""Least minor allele frequency from which on it is worth a word that rarer variants are left out."""


def told_of_quality(parameters: RegenieParameters) -> list[str]:
    """What step 1 asks of genotypes, for the launch's status: one sentence, or none if it takes all."""
    quality = parameters.step1.quality_control
    if quality is None:
        return []
    thresholds = ", ".join(f"{name} {value:g}" for name, value in quality.model_dump().items())
    return [f"step1.qc: step 1 takes what passes {thresholds} (qc: false takes all); the report counts the others"]


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
