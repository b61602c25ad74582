"""Checks traits: finds what regenie would refuse, leave out silently, or compute in an unexpected way."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.shared.counted import counted
from lambdas.regenie.preflight.column import Column
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.scales import LEAST_DEVIATION, MOST_DEVIATION

_WHERE: Final = "regenie.traits"

WARN_MISSING_FROM: Final = 0.15
"""Share of people without a value; missing values are imputed by the mean in step 1."""
_FEWEST_VALUES: Final = 3
"""regenie ends with a quantitative trait of fewer values (4.1.2's sources: Pheno.cpp, check_nvals)."""
_FAR: Final = 15
"""Standard deviations from the mean that are warned of: skewed measurements stay below it, typing errors do not. Of
fewer than 227 people none can be so far ((n - 1) / sqrt(n))."""
_FEW_VALUES_OPTION: Final = "--force-qt"
_FEWEST_CASES: Final = 10
"""regenie leaves out binary traits with fewer, unless told otherwise (release notes of regenie 2.2)."""
_FEWEST_CASES_OPTION: Final = "--minCaseCount"

WRITE_NA: Final = "Write NA if it means missing; if it is a measurement, give it in another unit."
CODES_REMEDY: Final = (
    "Write NA if it means missing: regenie takes it for a number, which may make or hide associations."
)

STRICT: Final = "--strict"
"""In either step: whoever lacks a value of one trait is left out of all."""


def is_strict(parameters: RegenieParameters) -> bool:
    """Whether a step has it: whom step 1 leaves out has no predictions for step 2."""
    return STRICT in parameters.step2.extra or (parameters.step1.enabled and STRICT in parameters.step1.extra)


@dataclass(frozen=True, slots=True)
class TraitCounts:
    """Who takes part in a trait's analysis, of all who are genotyped."""

    analysed: int
    missing: int
    """In the phenotype file with complete covariates, but without a value."""
    cases: int | None
    """None for quantitative traits."""
    controls: int | None
    mean: float | None = None
    """None for binary traits, and without a value."""
    deviation: float | None = None
    """Standard deviation (n - 1); None for binary traits, and with fewer than two values."""

    def as_dict(self) -> dict[str, int | float]:
        """As launch.json has them."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def trait_counts(traits: Iterable[Column], *, is_binary: bool) -> Mapping[str, TraitCounts]:
    """By trait."""
    return {trait.name: _binary(trait) if is_binary else _quantitative(trait) for trait in traits}


def _binary(trait: Column) -> TraitCounts:
    return TraitCounts(trait.observed, trait.missing, trait.cases, trait.controls)


def _quantitative(trait: Column) -> TraitCounts:
    mean, deviation = (None if math.isnan(value) else value for value in (trait.mean, trait.deviation))
    return TraitCounts(trait.observed, trait.missing, None, None, mean, deviation)


def told_of_missing_numbers(people: int) -> str:
    """What is said of a column with regenie's own number for a missing value."""
    return f"has the value -999 for {people:,} people, which regenie reads as a missing value"


def check_traits(traits: Iterable[Column], parameters: RegenieParameters, findings: Findings) -> Collection[str]:
    """Find what is wrong with each trait; `traits` hold the values of the people who are analysed.

    Returns:
        The names of those that regenie can analyse.
    """
    good = []
    for trait in traits:
        before = findings.count
        _check_trait(trait, parameters, findings)
        if findings.count == before:
            good.append(trait.name)
        if trait.taken_for_missing:
            findings.warn(
                _WHERE, f"names {trait.name}, which {told_of_missing_numbers(trait.taken_for_missing)}", WRITE_NA
            )
        if not is_strict(parameters):
            _warn_of_missing(trait, findings)
    if is_strict(parameters):
        _warn_of_left_out(traits, findings)
    elif parameters.trait_type == "quantitative" and not parameters.apply_rint and len(parameters.traits) > 1:
        for trait in _uncentred_with_missing(traits):
            findings.warn(
                _WHERE,
                f"names {trait.name}, which is not centred (mean {trait.mean:.4g}, SD {trait.deviation:.4g}) and lacks "
                f"{counted(trait.missing, 'value')}; analysed together with other traits it makes p-values "
                "differ from those of centred traits, and may hide true loci",
                "Subtract its mean, set apply_rint: true, or launch it alone.",
            )
    return good


def _check_trait(trait: Column, parameters: RegenieParameters, findings: Findings) -> None:
    if trait.not_numbers.total:
        findings.add(
            _WHERE,
            f"names {trait.name}, which has "
            f"{counted(trait.not_numbers.total, 'value that is no number', 'values that are no numbers')}: "
            f"{trait.not_numbers} (with FID_IID)",
            "Write numbers, and NA for missing values.",
        )
    elif not trait.observed:
        findings.add(
            _WHERE,
            f"names {trait.name}, which has no value for anyone who is genotyped and has all covariates",
            "Check the sample ids, or leave it out of `traits`.",
        )
    elif parameters.trait_type == "binary":
        _check_binary(trait, _fewest_cases(parameters), parameters, findings)
    else:
        _check_quantitative(trait, parameters, findings)


def _fewest_cases(parameters: RegenieParameters) -> int:
    """Of either step: what one leaves out is missing in the other."""
    given = [
        int(option.removeprefix(_FEWEST_CASES_OPTION))
        for step in (parameters.step1, parameters.step2)
        for option in step.extra
        if option.startswith(_FEWEST_CASES_OPTION)
    ]
    return max(given + [_FEWEST_CASES] * (2 - len(given)))


def _check_binary(trait: Column, fewest_cases: int, parameters: RegenieParameters, findings: Findings) -> None:
    others = trait.observed - trait.cases - trait.controls + trait.uncoded_elsewhere
    if others and trait.twos == others and not trait.controls:
        findings.add(
            _WHERE,
            f"names {trait.name}, which is coded 1 and 2 ({trait.cases:,} and {trait.twos:,} people)",
            "Code controls as 0 and cases as 1: subtract 1 from every value.",
        )
    elif others:
        findings.add(
            _WHERE,
            f"names {trait.name}, a binary trait with {counted(others, 'value')} other than 0 and 1"
            + (
                f", of which {counted(trait.usual_codes, 'is', 'are')} -9, 9, 99 or the like"
                if trait.usual_codes
                else ""
            ),
            "Code controls as 0, cases as 1 and missing values as NA, or set trait_type: quantitative.",
        )
    elif trait.cases < fewest_cases or not trait.controls:
        findings.add(
            _WHERE,
            f"names {trait.name}, which has {counted(trait.cases, 'case')} and {counted(trait.controls, 'control')}; "
            f"regenie leaves out traits with fewer than {fewest_cases} cases{_left_out(trait, parameters)}",
            "Check the coding (1 for cases, 0 for controls), or leave it out of `traits`.",
        )


def _left_out(trait: Column, parameters: RegenieParameters) -> str:
    """Cases and controls whom the launch's own choice leaves out, to go on with; empty if there are none."""
    choices = [key for key in ("keep", "remove", "sex") if getattr(parameters, key)]
    if not (choices and (trait.cases_left_out or trait.controls_left_out)):
        return ""
    left_out = f"{counted(trait.cases_left_out, 'case')} and {counted(trait.controls_left_out, 'control')}"
    return f"; {' and '.join(choices)} left out {left_out}"


def _check_quantitative(trait: Column, parameters: RegenieParameters, findings: Findings) -> None:
    if trait.is_constant:
        findings.add(
            _WHERE,
            f"names {trait.name}, which has the value {next(iter(trait.distinct)):g} for all "
            f"{trait.observed:,} people who are analysed",
            "A constant has no associations: leave it out of `traits`.",
        )
    elif len(trait.distinct) < _FEWEST_VALUES and not _takes_few_values(parameters):
        low, high = sorted(trait.distinct)
        findings.add(
            _WHERE,
            f"names {trait.name}, a quantitative trait with the values {low:g} and {high:g} only: regenie refuses it",
            "If it is a yes-or-no, code it 0 and 1 and launch it with trait_type: binary; if it is a quantity, give "
            f"{_FEW_VALUES_OPTION} in step1.extra and step2.extra.",
        )
    elif not parameters.apply_rint and trait.deviation < LEAST_DEVIATION:
        findings.add(
            _WHERE,
            f"names {trait.name}, whose values differ by {trait.deviation:.1e} (standard deviation) only: regenie "
            f"takes less than {LEAST_DEVIATION:g} for none",
            "Give it in a smaller unit, or set apply_rint: true.",
        )
    elif not parameters.apply_rint and not trait.deviation <= MOST_DEVIATION:
        values = counted(trait.too_large.total, "value")
        findings.add(
            _WHERE,
            f"names {trait.name}, which has {values} so large that regenie ends, or every p-value would be NA: "
            f"{trait.too_large} (with FID_IID)",
            "Correct them, or write NA; if they are right, give the trait in a larger unit, or set apply_rint: true.",
        )
    elif suspects := trait.codes.suspects():
        findings.warn(
            _WHERE,
            f"names {trait.name}, with what looks like a code for missing values: {', '.join(map(str, suspects))}",
            CODES_REMEDY,
        )
    elif trait.coded_answers and trait.coded_answers == trait.negative:
        findings.warn(
            _WHERE,
            f"names {trait.name}, where {trait.coded_answers:,} people have -1, -3 or -10 and nobody has another "
            "negative value",
            "Among UK Biobank's counts these are answers (do not know, prefer not to answer, less than one): write NA "
            "for the first two, and 0 or 0.5 for the last.",
        )
    elif not parameters.apply_rint and trait.distance > _FAR:
        findings.warn(
            _WHERE,
            f"names {trait.name}, where {trait.farthest:.6g} is {trait.distance:.0f} standard deviations away from the "
            f"mean ({trait.mean:.4g}): one such value may make or hide an association",
            "Correct it, or write NA; if it is right, set apply_rint: true, by which no value weighs that much.",
        )


def _takes_few_values(parameters: RegenieParameters) -> bool:
    extras = [parameters.step1.extra, parameters.step2.extra] if parameters.step1.enabled else [parameters.step2.extra]
    return all(_FEW_VALUES_OPTION in extra for extra in extras)


def _warn_of_missing(trait: Column, findings: Findings) -> None:
    if trait.observed and trait.missing >= WARN_MISSING_FROM * trait.people:
        findings.warn(
            _WHERE,
            f"names {trait.name}, without a value for {trait.missing:,} of {trait.people:,} people "
            f"({trait.missing / trait.people:.0%})",
            "Analyse traits with many missing values alone: step 1 puts the mean in their place.",
        )


def _warn_of_left_out(traits: Iterable[Column], findings: Findings) -> None:
    """Of all traits as many are missing, but for what is missing of a file of predictions."""
    trait = max(traits, key=lambda trait: trait.missing / max(trait.people, 1), default=None)
    if trait and trait.observed and trait.missing >= WARN_MISSING_FROM * trait.people:
        findings.warn(
            _WHERE,
            f"names traits of which {trait.missing:,} of {trait.people:,} people lack one: with {STRICT} they are left "
            "out of all",
            f"Leave {STRICT} out, or launch traits with many missing values alone.",
        )


def _uncentred_with_missing(traits: Iterable[Column]) -> Iterator[Column]:
    """The mean is further from zero than the values are spread."""
    return (trait for trait in traits if trait.missing and abs(trait.mean) > trait.deviation)
