"""Compares genotyped people with those of the tables, and checks the tables' values."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

from genolaunch.contract.plan import Samples
from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.shared.counted import counted
from lambdas.regenie.preflight.chosen import ChosenPeople
from lambdas.regenie.preflight.column import MISSING, Column, have_values
from lambdas.regenie.preflight.explained import CovariateSample, Explained
from lambdas.regenie.preflight.findings import Examples, Findings
from lambdas.regenie.preflight.folds import check_folds
from lambdas.regenie.preflight.id_hints import likely_mend
from lambdas.regenie.preflight.interacting import Interacting
from lambdas.regenie.preflight.levels import Levels, check_levels
from lambdas.regenie.preflight.lists import ListMatch
from lambdas.regenie.preflight.quality import check_least_count, check_quality
from lambdas.regenie.preflight.scales import check_number, check_scales
from lambdas.regenie.preflight.table import ColumnBatch, People, Table, field_index, fields_at
from lambdas.regenie.preflight.traits import (
    CODES_REMEDY,
    STRICT,
    WRITE_NA,
    TraitCounts,
    check_traits,
    is_strict,
    told_of_missing_numbers,
    trait_counts,
)

PHENOTYPES: Final = "regenie.phenotypes"
COVARIATES: Final = "regenie.covariates"
_MOST: Final = 0.5
"""Share of a table's people, or of the genotyped ones if these are fewer: with fewer in both, ids are likely others."""
_FORMS: Final = "one file may have 0 or the IID for the FID, leading zeros, or other letters."
_ANALYSED: Final = ord("1")
_NO_VALUE: Final = frozenset({MISSING, b"nan", b"inf"})
"""What regenie takes for a missing covariate (Regenie.cpp, convertDouble and convertNumLevel)."""


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """What became of the genotyped people."""

    genotyped: int
    phenotyped: int
    """Genotyped people in the phenotype file."""
    with_covariates: int
    """Genotyped people with a value for every covariate; all of them without a covariate file."""
    chosen: int
    """Genotyped people whom the launch's lists and its choice of a sex leave in: of these the two above are."""
    traits: Mapping[str, TraitCounts]
    lists: Mapping[str, ListMatch] = field(default_factory=dict)
    """Config key of each list of people or variants -> how much of it the data has."""
    analysed: bytes = b""
    """1 or 0 for each genotyped person, in the order of step 1's genotypes (genolaunch.contract.plan.WORK_ANALYSED)."""
    genotyped_people: Collection[bytes] = field(default=(), repr=False)
    """`FID_IID` of each genotyped person, in the same order."""
    directions: int = 0
    """Columns that the covariates make: a category counts for each level but one."""

    @property
    def people(self) -> Set[bytes]:
        """`FID_IID` of those who are analysed, in the same order."""
        marks = zip(self.genotyped_people, self.analysed, strict=True)
        return dict.fromkeys(person for person, mark in marks if mark == _ANALYSED).keys()

    def as_dict(self) -> Samples:
        """As launch.json has it."""
        return {
            "genotyped": self.genotyped,
            "chosen": self.chosen,
            "phenotyped": self.phenotyped,
            "withCovariates": self.with_covariates,
            "analysed": self.analysed.count(b"1"),
            "traits": {trait: counts.as_dict() for trait, counts in self.traits.items()},
            "lists": {where: found.as_dict() for where, found in self.lists.items()},
        }


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
    people, traits, analysed = _read_traits(
        chosen, complete, phenotypes, known, covered, interacting, explained, parameters
    )
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


def _read_traits(
    chosen: ChosenPeople,
    complete: bytearray,
    table: Table,
    traits: Sequence[str],
    covered: Mapping[str, bytearray | None],
    interacting: Interacting | None,
    explained: Explained,
    parameters: RegenieParameters,
) -> tuple[People, Sequence[Column], bytearray]:
    """The traits' values of everyone who has all covariates, and 1 for who has one of any trait, by place.

    Who has no prediction has no value, and with --strict neither has who lacks another trait's: in either step, since
    step 2 needs predictions. regenie leaves out whoever has none at all (4.1.2's sources: Pheno.cpp, setMasks).
    """
    strict, step1_strict = is_strict(parameters), STRICT in parameters.step1.extra
    is_binary = parameters.trait_type == "binary"
    people = People(chosen.places, chosen.genotyped)
    analysed = bytearray(len(chosen.places))
    columns = [Column(trait) for trait in traits]
    indices = [field_index(table.columns, trait) for trait in traits]
    with_predictions = [
        (index, mark) for trait, index in zip(traits, indices, strict=True) if (mark := covered.get(trait)) is not None
    ]
    values_of = fields_at(indices)
    batch = ColumnBatch(columns, indices)
    # regenie parses the values of people whom it leaves out for a covariate, too, and ends at one that is no number.
    left_out = [Column(trait) for trait in traits]
    others = ColumnBatch(left_out, indices)
    for person, fields in table.rows():
        place = people.place(person, fields)
        if place is None and is_binary and person in chosen.genotyped and person not in chosen.places:
            for column, index in zip(columns, indices, strict=True):
                column.note_left_out(fields[index])
        elif place is not None and not complete[place]:
            others.add(person, fields)
        elif place is not None:
            has = have_values(values_of(fields))
            in_step1 = any(has) and not (step1_strict and not all(has))
            if strict and not all(has):
                others.add(person, fields)
                fields = [MISSING] * len(fields)
                has = [False] * len(indices)
            if with_predictions:
                _leave_out_unpredicted(fields, place, with_predictions)
                has = have_values(values_of(fields))
            analysed[place] = in_step1 if parameters.step1.enabled else any(has)
            if interacting and any(has):
                interacting.count(place, compress(traits, has))
            explained.add(place, fields, indices)
            batch.add(person, fields)
    batch.flush()
    others.flush()
    for column, other in zip(columns, left_out, strict=True):
        column.take_faults_of(other)
    return people, columns, analysed


def _leave_out_unpredicted(fields: list[bytes], place: int, covered: Iterable[tuple[int, bytearray]]) -> None:
    """Take the values of traits of which a person has no prediction; `covered`: their indices, and who has some."""
    for index, mark in covered:
        if not mark[place]:
            fields[index] = MISSING


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
    people = People(chosen.places, chosen.genotyped)
    complete = bytearray(len(chosen.places))
    used = covariates_in_use(table.columns, parameters)
    used_indices = [field_index(table.columns, name) for name in used]
    categories = parameters.categorical_covariates or ()
    columns = [Column(name) for name in used if name not in categories]
    levels = [Levels(name, field_index(table.columns, name)) for name in used if name in categories]
    batch = ColumnBatch(columns, [field_index(table.columns, column.name) for column in columns])
    own = field_index(table.columns, interacting.name) if interacting else 0
    category_indices = {level.index for level in levels}
    coded: Counter[str] = Counter()
    lacking: Counter[str] = Counter()
    places = dict(zip(used, used_indices, strict=True))
    sample = CovariateSample(
        {name: index for name, index in places.items() if name not in categories},
        {name: index for name, index in places.items() if name in categories},
    )
    for person, fields in table.rows():
        place = people.place(person, fields)
        if place is not None:
            lacks = _lacking(fields, places, category_indices)
            lacking.update(lacks)
            missing = places[lacks[0]] if lacks else len(fields)
            if lacks and fields[missing] not in _NO_VALUE:
                coded[lacks[0]] += 1
            complete[place] = missing == len(fields)
            if complete[place]:
                sample.add(place, fields)
            # regenie reads a row up to the first missing value: what stands behind it may be anything.
            batch.add(person, fields[:missing] + [MISSING] * (len(fields) - missing))
            for level in levels:
                if level.index < missing:
                    level.add(fields, is_analysed=bool(complete[place]))
            if interacting and own < missing:
                interacting.add(place, fields[own], is_analysed=bool(complete[place]))
    batch.flush()
    _check_listing(COVARIATES, table, people, findings)
    if people.in_both:
        _check_covariates(table, columns, people, complete, coded, lacking, findings)
        check_scales(COVARIATES, table.uri, columns, findings)
        check_levels(levels, table.uri, parameters, findings)
    # Where covariates are no use at all, which is a fault by now, traits are still worth a look.
    directions = len(columns) + sum(max(len(level.analysed) - 1, 0) for level in levels)
    if not any(complete):
        return bytearray(b"\1") * len(chosen.places), directions, sample
    return complete, directions, sample


def covariates_in_use(columns: Sequence[str], parameters: RegenieParameters) -> list[str]:
    """The columns of a covariate file that regenie adjusts for: those that are chosen, or all, without analysed traits.

    It passes over a column that is called like an analysed trait, as in one file for both (4.1.2's sources: Pheno.cpp,
    covariate_read).
    """
    chosen = parameters.covariate_columns or columns
    return [name for name in columns if name in chosen and name not in parameters.traits]


def _check_covariates(
    table: Table,
    columns: Sequence[Column],
    people: People,
    complete: bytearray,
    coded: Mapping[str, int],
    lacking: Mapping[str, int],
    findings: Findings,
) -> None:
    for name, count in coded.items():
        findings.warn(COVARIATES, f"names {table.uri}, where {name} {told_of_missing_numbers(count)}", WRITE_NA)
    for column in columns:
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


def _lacking(fields: Sequence[bytes], places: Mapping[str, int], categories: Set[int]) -> list[str]:
    """The covariates that a row has no value of, by their places; `categories` are the places of levels."""
    if _NO_VALUE.isdisjoint(fields) and all(have_values(fields)):  # as nearly all rows
        return []
    return [name for name, index in places.items() if _is_missing(fields[index], is_level=index in categories)]


def _most_lacking(lacking: Mapping[str, int], people: int) -> list[str]:
    """Columns that nobody of so many people has; or, if there is none, the one that most lack."""
    most = max(lacking.values(), default=0)
    return [name for name, count in lacking.items() if count == most][: None if most == people else 1]


def _is_missing(value: bytes, *, is_level: bool) -> bool:
    """As regenie reads a covariate: a category may be called -999."""
    return value in _NO_VALUE or not (is_level or Column.has(value))


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
