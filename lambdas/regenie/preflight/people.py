"""Compares genotyped people with those of the tables, and checks the tables' values."""

from collections.abc import Mapping, Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.shared.counted import counted
from lambdas.regenie.preflight.adjusting import covariates_in_use
from lambdas.regenie.preflight.chosen import ChosenPeople
from lambdas.regenie.preflight.covariate_values import CovariateValues
from lambdas.regenie.preflight.explained import CovariateSample, Explained
from lambdas.regenie.preflight.findings import Examples, Findings
from lambdas.regenie.preflight.folds import check_folds
from lambdas.regenie.preflight.id_hints import likely_mend
from lambdas.regenie.preflight.interacting import Interacting
from lambdas.regenie.preflight.levels import check_levels
from lambdas.regenie.preflight.quality import check_least_count, check_quality
from lambdas.regenie.preflight.sample_counts import SampleCounts
from lambdas.regenie.preflight.scales import check_number, check_scales
from lambdas.regenie.preflight.table import People, Table
from lambdas.regenie.preflight.trait_values import TraitValues
from lambdas.regenie.preflight.traits import (
    CODES_REMEDY,
    WRITE_NA,
    check_traits,
    told_of_missing_numbers,
    trait_counts,
)

PHENOTYPES: Final = "regenie.phenotypes"
COVARIATES: Final = "regenie.covariates"
_MOST: Final = 0.5
"""Share of a table's people, or of the genotyped ones if these are fewer: with fewer in both, ids are likely others."""
_FORMS: Final = "one file may have 0 or the IID for the FID, leading zeros, or other letters."


def check_people(
    chosen: ChosenPeople,
    phenotypes: Table,
    covariates: Table | None,
    covered: Mapping[str, bytearray | None],
    parameters: RegenieParameters,
    findings: Findings,
) -> SampleCounts:
    """Read both tables once.

    Args:
        chosen: the people whom the launch's lists leave in.
        phenotypes: with a good header.
        covariates: likewise, if there are any.
        covered: trait -> 1 for each person with a given prediction (loco.covered_people); not for other traits.
        parameters: the launch's config.
        findings: get the faults and warnings.

    Raises:
        UnusableInputError: the phenotype file has a row that regenie would refuse or misread.
    """
    complete, directions, sample = bytearray(b"\1") * len(chosen.places), 0, CovariateSample({}, {})
    known = [trait for trait in parameters.traits if trait in phenotypes.columns]
    interacting = _interacting(len(chosen.places), covariates, known, parameters)
    if covariates:
        complete, directions, sample = findings.attempt(
            COVARIATES,
            lambda: _read_covariates(chosen, covariates, interacting, parameters, findings),
            otherwise=(complete, directions, sample),
        )
    explained = Explained(sample)
    values = TraitValues(chosen, complete, phenotypes, known, covered, interacting, explained, parameters)
    values.read()
    people, traits, analysed = values.people, values.columns, values.analysed
    _check_listing(PHENOTYPES, phenotypes, people, findings)
    if people.in_both:
        good = check_traits(traits, parameters, findings)
        if covariates:
            explained.check(traits, good, chosen.places, (phenotypes, covariates), parameters, findings)
        if interacting and covariates:
            interacting.check(covariates.uri, findings)
        check_number(COVARIATES, analysed.count(1), directions, findings)
        check_folds(analysed.count(1), parameters, findings)
        check_quality(analysed.count(1), parameters, findings)
        check_least_count(analysed.count(1), parameters, findings)
    counts = trait_counts(traits, is_binary=parameters.trait_type == "binary")
    return SampleCounts(
        len(chosen.genotyped),
        people.in_both,
        complete.count(1),
        len(chosen.places),
        counts,
        analysed=chosen.marked(analysed),
        genotyped_people=chosen.genotyped,
        directions=directions,
    )


def _interacting(
    people: int, covariates: Table | None, traits: Sequence[str], parameters: RegenieParameters
) -> Interacting | None:
    """The covariate of an interaction, if it is one that is used."""
    interaction = parameters.step2.interaction
    if covariates is None or interaction is None or interaction.covariate is None:
        return None
    if interaction.covariate not in covariates_in_use(covariates.columns, parameters):
        return None  # a fault already
    is_categorical = interaction.covariate in (parameters.categorical_covariates or ())
    return Interacting(interaction, people, traits, is_categorical=is_categorical)


def _read_covariates(
    chosen: ChosenPeople,
    table: Table,
    interacting: Interacting | None,
    parameters: RegenieParameters,
    findings: Findings,
) -> tuple[bytearray, int, CovariateSample]:
    """1 for each genotyped person with a value for every covariate in use, by place; how many columns they make; the
    values of some of these people."""
    values = CovariateValues(chosen, table, interacting, parameters)
    values.read()
    _check_listing(COVARIATES, table, values.people, findings)
    if values.people.in_both:
        _check_covariates(table, values, findings)
        check_scales(COVARIATES, table.uri, values.columns, findings)
        check_levels(values.levels, table.uri, parameters, findings)
    # Where covariates are no use at all, which is a fault by now, traits are still worth a look.
    complete = values.complete if any(values.complete) else bytearray(b"\1") * len(chosen.places)
    return complete, values.directions, values.sample


def _check_covariates(table: Table, values: CovariateValues, findings: Findings) -> None:
    people, complete, lacking = values.people, values.complete, values.lacking
    for name, count in values.coded.items():
        findings.warn(COVARIATES, f"names {table.uri}, where {name} {told_of_missing_numbers(count)}", WRITE_NA)
    for column in values.columns:
        if column.not_numbers.total:
            findings.add(
                COVARIATES,
                f"names {table.uri}, where {column.name} has "
                f"{counted(column.not_numbers.total, 'value that is no number', 'values that are no numbers')}: "
                f"{column.not_numbers} (with FID_IID)",
                "Write numbers, and NA for missing values, or name it in categorical_covariates.",
            )
        elif column.is_constant:
            findings.warn(
                COVARIATES,
                f"names {table.uri}, where {column.name} is the same for everyone",
                "A constant covariate explains nothing: leave it out.",
            )
        elif suspects := column.codes.suspects():
            findings.warn(
                COVARIATES,
                f"names {table.uri}, where {column.name} has what looks like a code for missing values: "
                f"{', '.join(map(str, suspects))}",
                CODES_REMEDY,
            )
    incomplete = people.in_both - complete.count(1)
    if incomplete == people.in_both:
        often = Examples()
        often.update(name.encode() for name in _most_lacking(lacking, people.in_both))
        findings.add(
            COVARIATES,
            f"names {table.uri}, where every genotyped person lacks a covariate"
            + (
                f": nobody has {often}"
                if max(lacking.values(), default=0) == people.in_both
                else f", most of all {often}"
            ),
            "Leave columns without values out of covariate_columns, or fill them in: regenie leaves out whoever lacks "
            "one.",
        )
    elif incomplete:
        findings.warn(
            COVARIATES,
            f"names {table.uri}, where {incomplete:,} of {people.in_both:,} genotyped people lack a covariate "
            "and are left out of every trait",
            "Fill the values in, or remove columns with many missing ones.",
        )


def _most_lacking(lacking: Mapping[str, int], people: int) -> list[str]:
    """Columns that nobody of so many people has; or, if there is none, the one that most lack."""
    most = max(lacking.values(), default=0)
    return [name for name, count in lacking.items() if count == most][: None if most == people else 1]


def _check_listing(where: str, table: Table, people: People, findings: Findings) -> None:
    """Compare the table's people with the genotyped ones."""
    if people.repeated.total:
        findings.add(
            where,
            f"names {table.uri}, which has people more than once: {people.repeated} (as FID_IID)",
            "Give each person one row.",
        )
    absent = people.not_listed()
    listed = people.in_both + people.not_genotyped.total
    hint = likely_mend(people.unknown, people.genotyped)
    if not listed:
        findings.add(
            where,
            f"names {table.uri}, which lists only genotyped people whom the launch leaves out (keep, remove, sex)",
            "Leave fewer people out, or give the table of those who are left.",
        )
    elif not people.in_both:
        findings.add(
            where,
            f"names {table.uri}, which lists nobody who is genotyped: it has {_or_none(people.not_genotyped)}, "
            f"the genotypes have {absent} (as FID_IID)",
            f"Both FID and IID must be the same in all files: {hint or _FORMS}",
        )
    elif people.not_genotyped.total or absent.total:
        told = (
            f"names {table.uri}, which lists {people.in_both:,} of {people.in_both + absent.total:,} genotyped people; "
            f"not in it: {_counted(absent)}; in it but not genotyped: {_counted(people.not_genotyped)}"
        )
        if people.in_both < _MOST * min(listed, people.in_both + absent.total):
            # regenie would go on with those few, and say how many they are.
            remedy = f"Check FID and IID: {hint or _FORMS}"
            if hint:
                findings.add(where, told, remedy)
            else:
                findings.suspect(where, told, remedy)
        else:
            findings.warn(
                where,
                told,
                f"Only people in all files are analysed: check FID and IID if this is not intended. {hint}".strip(),
            )


def _counted(examples: Examples) -> str:
    return f"{examples.total:,} ({examples})" if examples.total else "0"


def _or_none(examples: Examples) -> str:
    return str(examples) if examples.total else "nobody"
