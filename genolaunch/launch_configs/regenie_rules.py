"""Which settings of a launch regenie does not take together: what it would refuse in every job, or ignore in silence.

The rules are those of regenie 4.1.2's option parser (`read_params_and_check` in Regenie.cpp, read and run), and of what
its documentation says an option is for (https://rgcgithub.github.io/regenie/options/).
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

from genolaunch.launch_configs.regenie_options import Refusal, name_of

if TYPE_CHECKING:
    from genolaunch.launch_configs.regenie_config import GeneTests, RegenieParameters

Place = tuple[str, ...]
"""Keys from `regenie` down to what is at fault."""

_CORRECTED_BY_FIRTH: Final = ("firth", "firth-approx")
_IN_BOTH_STEPS: Final = ("--force-qt", "--maxCatLevels", "--minCaseCount")
"""Options that decide whether a trait or covariate is taken at all: each step ends, or leaves it out, on its own."""
BUILDS: Final = {
    **dict.fromkeys(("b36", "hg18"), "NCBI36"),
    **dict.fromkeys(("b37", "hg19"), "GRCh37"),
    **dict.fromkeys(("b38", "hg38"), "GRCh38"),
}
"""par_region -> the assembly of that name."""
_LEAVE_OUT: Final = "Leave it out."
_TRAITS_NAMED: Final = 10
_MOST_BINS: Final = 12
"""Of allele frequencies (Masks.hpp); SKAT and ACAT tests have one of their own, up to vc_max_aaf."""
_JOINT_OF_QUANTITIES: Final = ("sbat", "ftest")
"""Of binary traits regenie leaves them out with a warning (Joint_Tests.cpp)."""


class _Condition(NamedTuple):
    """What an option needs, and whether a launch has it."""

    words: str
    """What lacks, to read on from "does nothing"."""
    holds: Callable[["RegenieParameters", Sequence[str]], bool]
    """Of the launch and the names of the options beside it."""
    remedy: str = _LEAVE_OUT


def _beside(name: str) -> _Condition:
    return _Condition(f"without {name}", lambda _, given: name in given, f"Add {name}, or leave it out.")


_BINARY: Final = _Condition("for quantitative traits", lambda launch, _: launch.trait_type == "binary")
_QUANTITATIVE: Final = _Condition("for binary traits", lambda launch, _: launch.trait_type == "quantitative")
_INTERACTION: Final = _Condition("without step2.interaction", lambda launch, _: launch.step2.interaction is not None)
_CATEGORIES: Final = _Condition("without categorical_covariates", lambda launch, _: bool(launch.categorical_covariates))
_CONDITION: Final = _Condition("without step2.condition", lambda launch, _: launch.step2.condition is not None)
_FIRTH: Final = _Condition(
    "without Firth's correction (binary_test)",
    lambda launch, _: launch.trait_type == "binary" and _binary_test(launch) in _CORRECTED_BY_FIRTH,
)
_APPROXIMATE_FIRTH: Final = _Condition(
    "without approximate Firth (binary_test)",
    lambda launch, _: launch.trait_type == "binary" and _binary_test(launch) == "firth-approx",
)
_NOT_EXACT_FIRTH: Final = _Condition(
    "with exact Firth (binary_test)", lambda launch, _: launch.trait_type != "binary" or _binary_test(launch) != "firth"
)
_RECESSIVE: Final = _Condition(
    "without `--test recessive`",
    lambda launch, _: any(option.split() == ["--test", "recessive"] for option in launch.step2.extra),
)
_NOT_BY_VARIANT: Final = _Condition(
    "with step2.interaction.variant, whose chromosome is left out already",
    lambda launch, _: launch.step2.interaction is None or launch.step2.interaction.variant is None,
)

_ONLY_WITH: Final[dict[int, dict[str, tuple[_Condition, ...]]]] = {
    1: {
        "--force-qt": (_QUANTITATIVE,),
        "--minCaseCount": (_BINARY,),
        "--maxCatLevels": (_CATEGORIES,),
        "--niter": (_BINARY,),
        "--l1-full": (_BINARY, _beside("--loocv")),
    },
    2: {
        "--force-qt": (_QUANTITATIVE,),
        "--minCaseCount": (_BINARY,),
        "--maxCatLevels": (_CATEGORIES,),
        "--niter": (_BINARY,),
        "--af-cc": (_BINARY,),
        "--force-impute": (_QUANTITATIVE,),
        "--apply-rerint": (_QUANTITATIVE,),
        "--apply-rerint-cov": (_QUANTITATIVE,),
        "--firth-se": (_FIRTH,),
        "--skip-fast-firth": (_APPROXIMATE_FIRTH,),
        "--maxstep-null": (_FIRTH,),
        "--maxiter-null": (_FIRTH,),
        "--prs-cov": (_NOT_EXACT_FIRTH,),
        "--minHOMs": (_RECESSIVE,),
        "--max-condition-vars": (_CONDITION,),
        "--force-ltco": (_NOT_BY_VARIANT,),
        "--no-condtl": (_INTERACTION,),
        "--force-condtl": (_INTERACTION,),
        "--rare-mac": (_INTERACTION, _QUANTITATIVE),
        "--force-robust": (_INTERACTION, _QUANTITATIVE),
        "--force-hc4": (_INTERACTION, _QUANTITATIVE),
        "--hlm-novquad": (_INTERACTION, _QUANTITATIVE),
        "--no-robust": (_INTERACTION,),
        "--mcc": (_QUANTITATIVE,),
        "--mcc-skew": (_beside("--mcc"),),
        "--mcc-thr": (_beside("--mcc"),),
    },
}
"""Step -> option -> what it has no effect without; regenie itself ends for a few of them, and ignores the others."""

_NOT_TOGETHER: Final[dict[int, tuple[tuple[str, str], ...]]] = {
    1: (("--loocv", "--cv"), ("--setl0", "--l0"), ("--setl1", "--l1")),
    2: (
        ("--apply-rerint", "--apply-rerint-cov"),
        ("--test", "--skip-dosage-comp"),
        ("--no-condtl", "--force-condtl"),
        ("--no-robust", "--force-robust"),
        ("--no-robust", "--force-hc4"),
    ),
}
"""Step -> pairs of options of which regenie refuses or ignores one."""


def conflicts(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    """Every setting that regenie refuses or ignores beside the others; what a launch should have instead.

    Args:
        launch: a config of which each key alone is good.

    Yields:
        Where it is, and what is wrong with it.
    """
    yield from _of_people(launch)
    yield from _of_build(launch)
    yield from _of_data_sets(launch)
    for step, extra in ((1, launch.step1.extra), (2, launch.step2.extra)):
        yield from _of_options(launch, step, extra)
    if launch.step1.enabled:
        yield from _of_both_steps(launch)
    yield from _of_tests(launch)
    yield from _of_loci(launch)


def _of_people(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    if launch.keep and launch.remove:
        problem = "would be refused beside keep: regenie takes one of the two"
        yield ("remove",), Refusal(problem, "Take these people out of the keep list, and leave `remove` out.")
    for key in ("covariate_columns", "categorical_covariates"):
        both = [name for name in getattr(launch, key) or () if name in launch.traits]
        if both:
            problem = f"names {', '.join(both)}, which regenie does not adjust for, since it is among the traits"
            yield (key,), Refusal(problem, "Leave it out here, or there.")
    if launch.sex:
        for place, genotypes, sample in _genotypes(launch):
            if genotypes.endswith(".bgen") and sample is None:
                problem = f"is required for {genotypes} when `sex` is given, since a .bgen file has no sexes"
                yield place, Refusal(problem, "Give the sample file, with the sexes in its fourth column.")


def _of_loci(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    """A trait that is misspelt would be compared with all associations, without a word."""
    for name in launch.loci.known_as:
        if name not in launch.traits:
            alike = get_close_matches(name, launch.traits, n=1)
            more = ", …" if len(launch.traits) > _TRAITS_NAMED else ""
            known = f"Known here: {', '.join(launch.traits[:_TRAITS_NAMED])}{more}."
            remedy = f"Did you mean {alike[0]}?" if alike else known
            yield ("loci", "known_as", name), Refusal("is not among the traits", remedy)


def _of_build(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    """Bounds given as numbers may be any build's."""
    of_region = BUILDS.get(launch.par_region or "")
    if launch.genome_build and of_region and of_region != launch.genome_build:
        problem = f"is {launch.par_region}, which is {of_region}, and genome_build is {launch.genome_build}"
        yield ("par_region",), Refusal(problem, "Give the build of the genotypes' positions in both.")


def _of_data_sets(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    """A .bgen file is the same with another sample file, too."""
    named = [dataset.genotypes for dataset in launch.step2.datasets or ()]
    for name in sorted({name for name in named if named.count(name) > 1}):
        problem = f"names {name} more than once: each of its variants would be tested, and be in the results, as often"
        yield ("step2", "datasets"), Refusal(problem, "Name each genotype file once.")


def _genotypes(launch: "RegenieParameters") -> Iterator[tuple[Place, str, str | None]]:
    """What jobs test or fit, each file once, with the key of its sample file."""
    if launch.step1.enabled:
        yield ("sample",), launch.genotypes, launch.sample
    for dataset in launch.step2.datasets or ():
        if not launch.step1.enabled or (dataset.genotypes, dataset.sample) != (launch.genotypes, launch.sample):
            yield ("step2", "datasets"), dataset.genotypes, dataset.sample


def _of_options(launch: "RegenieParameters", step: int, extra: Sequence[str]) -> Iterator[tuple[Place, Refusal]]:
    place = (f"step{step}", "extra")
    names = [name_of(option) for option in extra]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield place, Refusal(f"has {name} more than once", "Write it once.")
    for name in dict.fromkeys(names):
        for condition in _ONLY_WITH[step].get(name, ()):
            if not condition.holds(launch, names):
                yield place, Refusal(f"has {name}, which does nothing {condition.words}", condition.remedy)
    for one, other in _NOT_TOGETHER[step]:
        if one in names and other in names:
            yield place, Refusal(f"has {one} and {other}, of which regenie takes one only", "Leave one of them out.")


def _of_both_steps(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    for name in _IN_BOTH_STEPS:
        first, second = (
            {option for option in extra if name_of(option) == name}
            for extra in (launch.step1.extra, launch.step2.extra)
        )
        if first != second:
            missing, given = (("step2", "step1.extra"), first) if not second else (("step1", "step2.extra"), second)
            step, other = missing
            problem = f"has not {' '.join(sorted(given))}, which {other} has: each step takes or refuses data by itself"
            yield (step, "extra"), Refusal(problem, "Give the same in both.")


def _of_tests(launch: "RegenieParameters") -> Iterator[tuple[Place, Refusal]]:
    tests, interaction, exact = launch.step2.gene_tests, launch.step2.interaction, _binary_test(launch) == "firth"
    vc_tests = tests.vc_tests if tests else None
    if tests:
        yield from _of_gene_tests(launch, tests)
    if interaction and interaction.baseline and interaction.covariate not in (launch.categorical_covariates or ()):
        problem = f"would be ignored, since {interaction.covariate} is not among categorical_covariates"
        yield ("step2", "interaction", "baseline"), Refusal(problem, "Name the covariate there too, or leave this out.")
    if interaction and interaction.covariate in launch.traits:
        problem = f"is {interaction.covariate}, which regenie does not adjust for, since it is among the traits"
        yield ("step2", "interaction", "covariate"), Refusal(problem, "Take another, or leave it out of `traits`.")
    if interaction and _binary_test(launch) == "spa":
        problem = "is spa, which regenie refuses beside step2.interaction"
        yield ("step2", "binary_test"), Refusal(problem, "Take firth-approx, or none.")
    if exact and (interaction or vc_tests or (tests and tests.rgc_gene_p)):
        what = "step2.interaction" if interaction else "vc_tests" if vc_tests else "rgc_gene_p"
        problem = f"is firth, of which regenie makes approximate Firth beside {what}"
        yield ("step2", "binary_test"), Refusal(problem, "Write firth-approx.")


def _of_gene_tests(launch: "RegenieParameters", tests: "GeneTests") -> Iterator[tuple[Place, Refusal]]:
    section: Place = ("step2", "gene_tests")
    variance = tests.variance_tests_by
    by_test = any(name_of(option) == "--test" and "additive" not in option for option in launch.step2.extra)
    refused = variance or ("joint" if tests.joint else "build_mask: sum" if tests.build_mask == "sum" else None)
    if by_test and refused:
        what = "with which regenie leaves out tests of" if refused == "rgc_gene_p" else "which regenie refuses beside"
        yield ("step2", "extra"), Refusal(f"has --test, {what} {refused}", "Leave one of them out.")
    if not variance:
        for key in ("vc_max_aaf", "skat_params"):
            if getattr(tests, key) is not None:
                problem = "does nothing without vc_tests or rgc_gene_p"
                yield (*section, key), Refusal(problem, "Add one of them, or leave it out.")
    if launch.trait_type == "binary" and (
        ignored := [name for name in tests.joint or () if name in _JOINT_OF_QUANTITIES]
    ):
        problem = f"has {' and '.join(ignored)}, which regenie ignores for binary traits"
        yield (*section, "joint"), Refusal(problem, _LEAVE_OUT)
    if launch.step2.interaction:
        for key in ("vc_tests", "rgc_gene_p"):
            if getattr(tests, key):
                problem = "would be ignored beside step2.interaction"
                yield (*section, key), Refusal(problem, "Leave it out, or test the interaction apart.")
    yield from _of_bins(tests)


def _of_bins(tests: "GeneTests") -> Iterator[tuple[Place, Refusal]]:
    own, variance = tests.variance_tests_up_to, tests.variance_tests_by
    bins = {f"{bound:g}" for bound in tests.aaf_bins or ()} | ({f"{own:g}"} if variance else set())
    if len(bins) > _MOST_BINS:
        counted = f"{len(bins)} bounds" + (f" with the {own:g} that {variance} adds" if variance else "")
        problem = f"has {counted}, of which regenie takes {_MOST_BINS} at most"
        yield ("step2", "gene_tests", "aaf_bins"), Refusal(problem, "Leave bounds out, or launch them apart.")


def _binary_test(launch: "RegenieParameters") -> str | None:
    if launch.trait_type != "binary":
        return None
    return str(launch.step2.binary_test or "firth-approx")
