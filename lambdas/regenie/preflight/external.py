"""Genotype files beside the tested ones: those that hold the variants to condition on, or to interact with.

regenie takes less care of them than of others (4.1.2, run on each of these): for people that a condition's file lacks
it puts the mean of the others in, those that an interaction's file lacks it leaves out of every trait, of variants with
one id it takes one, and from a .bed file that ends too early it reads on, all of that without a word.
"""

from collections import Counter
from collections.abc import Set
from functools import partial
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_options import name_of
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat, check_listed, read_counts
from genolaunch.regenie.input_files import all_genotypes
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.encodings import check_encoding
from lambdas.regenie.preflight.findings import Examples, Findings, text
from lambdas.regenie.preflight.interacting_variant import check_variant
from lambdas.regenie.preflight.lists import WARN_BELOW, ListMatch, match, read_variants
from lambdas.regenie.preflight.sample_counts import SampleCounts
from lambdas.regenie.preflight.samples import GIVE_ONCE, id_file, sample_ids
from lambdas.regenie.preflight.scales import FEWEST_PER_COVARIATE
from lambdas.regenie.variants import variant_names

_CONDITION: Final = "regenie.step2.condition"
_INTERACTION: Final = "regenie.step2.interaction"
_MOST_CONDITION_VARIANTS: Final = 10_000
"""regenie ends with more, unless told otherwise."""
_MOST_OPTION: Final = "--max-condition-vars"
_WITHOUT_GENOTYPES: Final = {
    _CONDITION: "regenie takes the mean of the others for them",
    _INTERACTION: "regenie leaves them out of every trait",
}


def check_external(
    data: DataSet, parameters: RegenieParameters, samples: SampleCounts | None, findings: Findings
) -> dict[str, ListMatch]:
    """Look at the files that a condition and an interaction name, and for their variants in them.

    Args:
        data: the launch's data.
        parameters: its config.
        samples: who is analysed; None where that is not known.
        findings: get what is found.

    Returns:
        Config key of a list of variants -> what was counted.
    """
    step2 = parameters.step2
    if step2.condition is None and (step2.interaction is None or step2.interaction.genotypes is None):
        return {}
    lists: dict[str, ListMatch] = {}
    people = samples.people if samples else frozenset()
    if step2.condition:
        files = GenotypeFiles(step2.condition.genotypes, step2.condition.sample)
        path, where = step2.condition.variants, f"{_CONDITION}.variants"
        names = findings.attempt(where, partial(read_variants, data, path), None)
        known = _check_file(data, files, _CONDITION, names or set(), parameters, people, findings)
        if names is not None:
            _check_number(names, where, data.uri(path), parameters, findings)
            if samples:
                _check_people_enough(len(names), samples, data.uri(path), findings)
        if names is not None and known is not None:
            lists[where] = match(names, known.keys())
            _check_all_there(data, files, known, lists[where], where, f"names {data.uri(path)}, which has", findings)
    interaction = step2.interaction
    if interaction and interaction.variant and interaction.genotypes:
        files = GenotypeFiles(interaction.genotypes, interaction.sample)
        names, where = {interaction.variant.encode()}, f"{_INTERACTION}.variant"
        known = _check_file(data, files, _INTERACTION, names, parameters, people, findings)
        if known is not None:
            _check_all_there(data, files, known, match(names, known.keys()), where, "is", findings)
        if known and known.total() == 1 and people and files.format is GenotypeFormat.BED:
            place = next(number for number, (_, name) in enumerate(variant_names(data, files)) if name in names)
            findings.attempt(where, partial(check_variant, data, files, place, people, parameters, findings), None)
    return lists


def _check_file(
    data: DataSet,
    files: GenotypeFiles,
    section: str,
    names: Set[bytes],
    parameters: RegenieParameters,
    people: Set[bytes],
    findings: Findings,
) -> Counter[bytes] | None:
    """How often the file has each of the names; None where it cannot be read."""
    where = f"{section}.genotypes"
    variants = findings.attempt(where, partial(_look_for, data, files, names), None)
    if variants is None:
        return None
    if files not in all_genotypes(parameters):  # of which the same is asked elsewhere
        findings.attempt(where, lambda: check_listed(data, files, read_counts(data, files), variants.listed), None)
        findings.attempt(where, partial(check_encoding, data, files, where, findings), None)
    if people:
        findings.attempt(where, partial(_check_people, data, files, section, people, findings), None)
    return variants.found


class _Variants:
    """What a list of variants has of some names."""

    def __init__(self) -> None:
        self.listed = 0
        self.found: Counter[bytes] = Counter()


def _look_for(data: DataSet, files: GenotypeFiles, names: Set[bytes]) -> _Variants:
    variants = _Variants()
    for _, name in variant_names(data, files):
        variants.listed += 1
        if name in names:
            variants.found[name] += 1
    return variants


def _check_people(data: DataSet, files: GenotypeFiles, section: str, people: Set[bytes], findings: Findings) -> None:
    where, uri = f"{section}.genotypes", data.uri(id_file(files))
    seen: set[bytes] = set()
    repeated, first = Examples(), b""
    for person in sample_ids(data, files):
        first = first or person
        if person in seen:
            repeated.add(person)
        elif person in people:
            seen.add(person)
    if repeated.total:
        findings.add(where, f"has samples more than once in {uri}: {repeated} (as FID_IID)", GIVE_ONCE)
    absent = Examples()
    absent.update(person for person in people if person not in seen)
    if not seen:
        raise UnusableInputError(
            f"has none of the {len(people):,} people who are analysed: {uri} has {text(first) or 'nobody'}, they are "
            f"like {absent} (as FID_IID)",
            "Both FID and IID must be the same in all files.",
        )
    if absent.total:
        share = "less than half" if len(seen) < WARN_BELOW * len(people) else "not all"
        findings.warn(
            where,
            f"has {len(seen):,} of the {len(people):,} people who are analysed ({share}; {uri}), and not {absent}: "
            f"{_WITHOUT_GENOTYPES[section]}",
            "Give a file with the genotypes of all of them, if this is not intended.",
        )


def _check_number(names: Set[bytes], where: str, uri: str, parameters: RegenieParameters, findings: Findings) -> None:
    options = (option.split() for option in parameters.step2.extra if name_of(option) == _MOST_OPTION)
    most = next((int(words[1]) for words in options), _MOST_CONDITION_VARIANTS)
    if len(names) > most:
        findings.add(
            where,
            f"has {len(names):,} variants; regenie takes {most:,} at most",
            f"Give fewer, or {_MOST_OPTION} {len(names)} in step2.extra.",
        )
    elif not names:
        findings.add(
            where, f"names {uri}, which is empty", "Give the variants to condition on, or leave `condition` out."
        )


def _check_people_enough(variants: int, samples: SampleCounts, uri: str, findings: Findings) -> None:
    """Find more variants to condition on than people can tell apart; each becomes a covariate.

    regenie 4.1.2 ends in each job if covariates, these variants and the intercept are as many as the genotyped people
    (Pheno.cpp), and at the first block, with a riddle, if they are more than those who are analysed (run on it).
    """
    people = samples.analysed.count(b"1")
    columns = variants + samples.directions + 1
    if not people or not variants or people <= samples.directions + 1:
        return  # faults of others
    told = (
        f"names {uri} with {counted(variants, 'variant')}, each of which becomes a covariate; with the others and the "
        f"intercept these are {columns:,}, and {people:,} people are analysed"
    )
    if people <= columns:
        findings.add(
            _CONDITION,
            f"{told}: regenie takes fewer covariates than people only",
            f"List fewer than {people - samples.directions - 1:,} variants, best the few lead variants of known loci.",
        )
    elif people < FEWEST_PER_COVARIATE * columns:
        findings.warn(
            _CONDITION, f"{told}, so that little is left to test with", "List the few lead variants of known loci only."
        )


def _check_all_there(
    data: DataSet,
    files: GenotypeFiles,
    known: Counter[bytes],
    found: ListMatch,
    where: str,
    begin: str,
    findings: Findings,
) -> None:
    """regenie ends if a variant is missing (Geno.cpp, extract_from_genofile), in every job of step 2."""
    if found.unmatched:
        count = f" ({found.listed - found.matched:,} of {found.listed:,})" if found.listed > 1 else ""
        _, example = next(variant_names(data, files), (0, b"none"))
        findings.add(
            where,
            f"{begin} {found.unmatched}{count}, not among the variants of {data.uri(files.path)}, whose ids are like "
            f"{text(example)}",
            "Write the ids as that file has them, or name the file that has these variants.",
        )
    repeated = Examples()
    repeated.update(name for name, times in known.items() if times > 1)
    if repeated.total:
        findings.add(
            where,
            f"{begin} {repeated}, which several variants of {data.uri(files.path)} are called; regenie takes one",
            "Give each variant an id of its own (plink2 --set-all-var-ids '@:#:$r:$a').",
        )
