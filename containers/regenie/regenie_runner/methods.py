"""A paragraph about a launch for the methods section of a paper: what was run, by the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from regenie_runner.launch_facts import LaunchFacts
from regenie_runner.loci import SPACING_BP
from regenie_runner.significance import FAMILY_WIDE
from regenie_runner.top_loci import FoundBy

REFERENCE = "Mbatchou et al., Nature Genetics 53, 1097–1103 (2021), doi:10.1038/s41588-021-00870-7"
_DEFAULT_CORRECTED_BELOW = "0.05"
"""regenie's --pThresh."""
_DEFAULT_LEAST_COUNT = "5"
"""regenie's --minMAC."""


class Ran(NamedTuple):
    """What a paragraph tells of."""

    launch: LaunchFacts
    traits: Sequence[str]
    people: int | None
    """Analysed."""
    variants: int
    """Tested, or masks: the most of any trait."""
    significance: str
    """Where the line is, in words."""
    loci: Sequence[FoundBy]
    """How those of each trait were found that has significant ones."""
    quality: Mapping[str, Any] | None
    """Summary of the quality control of step 1's genotypes."""
    step1: Sequence[str]
    """A command of step 1; empty without it."""
    step2: Sequence[str]
    """A command of step 2."""
    regenie: str
    """Its version."""
    versions: Mapping[str, str]
    """Of what else was used."""


def paragraph(ran: Ran) -> str:
    """All of it, in whole sentences."""
    return " ".join([*_what(ran), *_step1(ran), *_step2(ran), *_results(ran)])


def _what(ran: Ran) -> Iterator[str]:
    launch = ran.launch
    kind = "binary" if launch.is_binary else "quantitative"
    tests = "Gene-based association tests" if _tests_genes(ran) else "Association tests"
    people = "" if ran.people is None else f" in {ran.people:,} people"
    sex = launch.parameters.get("sex")
    only = f", {sex}s only" if sex else ""
    yield (
        f"{tests} of {_counted(len(ran.traits), f'{kind} trait')} ({', '.join(ran.traits)}) were carried out{people}"
        f"{only} with {ran.regenie} ({REFERENCE})."
    )
    if "--apply-rint" in ran.step2:
        yield "Values of the traits were transformed by rank to a normal distribution."


def _step1(ran: Ran) -> Iterator[str]:
    if not ran.step1:
        step1 = ran.launch.parameters.get("step1", {})
        source = f"launch {step1['from_launch']}" if step1.get("from_launch") else "an earlier run"
        yield f"The whole-genome predictions of step 1 were those of {source}."
        return
    fitted = "In step 1, a whole-genome regression was fitted"
    if ran.quality:
        kept, bounds = ran.quality["variants"]["kept"], ran.quality["settings"]
        fitted += (
            f" to {kept:,} variants with a minor allele frequency of at least {bounds['maf']:g}, a minor allele count "
            f"of at least {bounds['mac']}, at most {bounds['geno']:.3g} of genotypes missing, and a p-value of "
            f"Hardy-Weinberg equilibrium of at least {bounds['hwe']:g} (samples with more than {bounds['mind']:.3g} of "
            "genotypes missing were left out)"
        )
    blocks = _option(ran.step1, "--bsize")
    in_blocks = f" in blocks of {int(blocks):,} variants" if blocks else ""
    checked = ", with leave-one-out cross-validation" if "--loocv" in ran.step1 else ""
    yield f"{fitted}{in_blocks}{checked}."


def _step2(ran: Ran) -> Iterator[str]:
    least = _option(ran.step2, "--minMAC") or _DEFAULT_LEAST_COUNT
    what = "mask" if _tests_genes(ran) else "variant"
    model = "logistic" if ran.launch.is_binary else "linear"
    yield (
        f"In step 2, {_counted(ran.variants, what)} with a minor allele count of at least {least} "
        f"{'was' if ran.variants == 1 else 'were'} tested by {model} "
        f"regression{_correction(ran)}, with the predictions of step 1 without the tested chromosome taken into "
        f"account{_adjusted(ran.launch)}."
    )
    parameters = ran.launch.parameters.get("step2", {})
    interaction, genes = parameters.get("interaction") or {}, parameters.get("gene_tests") or {}
    if interaction:
        yield f"Interaction with {interaction.get('covariate') or interaction.get('variant')} was tested."
    if parameters.get("condition"):
        variants = parameters["condition"]["variants"]
        yield f"The analysis was conditional on the variants of the list {variants}."
    if genes.get("vc_tests"):
        yield f"Further tests of each mask: {', '.join(genes['vc_tests'])}."
    if genes.get("joint"):
        yield f"Tests of all masks of a gene together: {', '.join(genes['joint'])}."


def _correction(ran: Ran) -> str:
    below = _option(ran.step2, "--pThresh") or _DEFAULT_CORRECTED_BELOW
    if "--firth" in ran.step2:
        kind = "approximate Firth correction" if "--approx" in ran.step2 else "Firth correction"
    elif "--spa" in ran.step2:
        kind = "saddlepoint approximation"
    else:
        return ""
    return f" (with {kind} where p was below {below})"


def _adjusted(launch: LaunchFacts) -> str:
    if not launch.covariates:
        return ""
    categories = set(launch.parameters.get("categorical_covariates") or ())
    named = [f"{name} (as categories)" if name in categories else name for name in launch.covariates]
    return f", adjusted for {', '.join(named)}"


def _results(ran: Ran) -> Iterator[str]:
    if _tests_genes(ran):
        yield f"A gene was significant if the smallest of its p-values reached {ran.significance}."
    else:
        yield f"Variants with p < {ran.significance} were significant; {'; '.join(loci_in_words(ran.loci))}."
    if build := ran.launch.genome_build:
        yield f"Positions are those of {build}."
    used = ", ".join(f"{name} {version}" for name, version in ran.versions.items())
    yield f"The analysis was divided into jobs, run and merged by Genolaunch ({used})."


def loci_in_words(found: Sequence[FoundBy]) -> Iterator[str]:
    """How significant variants were put together: traits may differ in that."""
    linked = next((each for each in found if each["linkage"]), None)
    if linked:
        yield (
            "independent signals were found by linkage disequilibrium among the people analysed, as by plink1.9 "
            f"--clump: variants with p < {linked['p2']:g} and r² > {linked['r2']:g} to the strongest one less than "
            f"{linked['window_kb']:g} kb away belong to its signal"
        )
    if not linked or not all(each["linkage"] for each in found):
        of_others = "of traits without such signals, " if linked else ""
        yield (f"{of_others}the strongest of those less than {SPACING_BP // 1000} kb apart stands for their locus")


def _tests_genes(ran: Ran) -> bool:
    return bool(ran.launch.parameters.get("step2", {}).get("gene_tests"))


def _option(command: Sequence[str], name: str) -> str | None:
    """Value of an option; None without it."""
    return command[command.index(name) + 1] if name in command[:-1] else None


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def line_in_words(genes: int | None) -> str:
    """Where significance begins; `genes`: how many were tested, None of variants."""
    if genes is None:
        return "5 × 10⁻⁸"
    return f"p = {FAMILY_WIDE:g} / {genes:,} genes tested" if genes else f"p = {FAMILY_WIDE:g} / genes tested"
