"""Bounds of quality control: if fewer variants or samples are left, step 1 is refused, or a warning is written.

What step 1 fits is a whole-genome regression. regenie itself goes on with a single variant and with as many people as
folds, and ends well; its results are those of a plain regression then, and only the people who were left have any. Its
authors advise about 500,000 variants (its documentation, "How many variants to use in step 1?"); its smallest example
is made of 1,000 in blocks of 100, of each of which level 0 makes 5 predictors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from regenie_runner.errors import RunnerError

FEWEST_VARIANTS = 100
"""One block of regenie's smallest example: fewer, where many more were given, are no whole genome."""
SMALL_SHARE = 0.1
"""Of the variants that were given: whoever gives few of them on purpose keeps most of them."""
FEW_VARIANTS = 10_000
"""Below it, and with more than half of the given variants left out, a word is due: it is 2 % of what is advised."""
LEAST_PEOPLE = 0.5
"""Share of the analysed people: with fewer, the thresholds or the genotypes are at fault, and not the people."""
FEW_PEOPLE = 0.9
"""A word is due below it: arrays lose a percent of their people to missing genotypes, or a few."""
_OF_VARIANTS = {"geno": "larger", "mac": "smaller", "maf": "smaller", "hwe": "smaller"}
"""Threshold of variants -> how to give it so that more of them pass."""
_REMEDY = "See the counts in the log of this job, and give other thresholds in step1.qc"


def nothing_left(
    given: tuple[int, int],
    kept: tuple[int, int],
    reasons: Mapping[str, int],
    thresholds: Mapping[str, object],
    lists: Sequence[str],
) -> RunnerError:
    """The error of a quality control that leaves nobody, or no variant: it names what is at fault.

    Args:
        given: people who are analysed, and variants that the launch's lists choose.
        kept: of these, those that passed.
        reasons: threshold (or `list`, or `name`) -> how many variants it left out.
        thresholds: threshold -> its value.
        lists: keys of the launch's lists of variants, those of step1.
    """
    (people, variants), (people_kept, _) = given, kept
    if not people:
        return RunnerError(
            "Quality control found nobody who is analysed: compare the people of all files and lists, and retry."
        )
    if not variants and not lists:
        return RunnerError(
            "The genotype file of step 1 has no variant, before any quality control: give one that has some, and retry."
        )
    if not variants:
        keys = " and ".join(f"step1.{name}" for name in lists)
        return RunnerError(
            f"{keys} {'leave' if len(lists) > 1 else 'leaves'} no variant of {reasons.get('list', 0):,} for step 1, "
            "before any quality control: compare the lists' ids with those of the genotypes."
        )
    if not people_kept:
        return RunnerError(
            f"Quality control left none of {people:,} people: step1.qc.mind is {thresholds['mind']}, and everybody "
            f"lacks the genotypes of a greater share of the {variants:,} variants. Give a larger mind, or qc: "
            "false."
        )
    worst = max(_OF_VARIANTS, key=lambda name: reasons.get(name, 0))
    return RunnerError(
        f"Quality control left {people_kept:,} of {people:,} people, and no variant of {variants:,}: "
        f"{_left_out(reasons, thresholds)}. Give a {_OF_VARIANTS[worst]} {worst} in step1.qc, or qc: false."
    )


def _left_out(reasons: Mapping[str, int], thresholds: Mapping[str, object]) -> str:
    """How many variants each threshold left out, most first."""
    found = sorted(((reasons.get(name, 0), name) for name in _OF_VARIANTS), reverse=True)
    shown = [f"{name} {thresholds[name]} left out {count:,}" for count, name in found if count]
    return ", ".join(shown) or "variants of one name fail together"


def check_left(
    given: tuple[int, int], kept: tuple[int, int], reasons: Mapping[str, int], thresholds: Mapping[str, object]
) -> None:
    """Refuse what no meaningful fit can be made of.

    Args:
        given: people who are analysed, and variants that the launch's lists choose.
        kept: of these, those that passed.
        reasons: threshold -> how many variants it left out.
        thresholds: threshold -> its value.

    Raises:
        RunnerError: more than half of the people are left out, or nearly all variants.
    """
    (people, variants), (people_kept, variants_kept) = given, kept
    if people_kept < LEAST_PEOPLE * people:
        raise RunnerError(
            f"Quality control left {people_kept:,} of {people:,} people: the others lack the genotypes of too many "
            f"variants, and would be in no result. {_REMEDY} (mind), give genotypes of one array, or qc: false."
        )
    if variants_kept < FEWEST_VARIANTS and variants_kept < SMALL_SHARE * variants:
        raise RunnerError(
            f"Quality control left {variants_kept:,} of {variants:,} variants, too few for a regression on the whole "
            f"genome: {_left_out(reasons, thresholds)}. {_REMEDY} (maf, mac, geno, hwe), or qc: false."
        )


def warnings_of(given: tuple[int, int], kept: tuple[int, int]) -> Iterator[str]:
    """What a reader of the results has to know of it; the arguments are the first two of check_left."""
    (people, variants), (people_kept, variants_kept) = given, kept
    if people_kept < FEW_PEOPLE * people:
        yield (
            f"regenie.step1.qc: quality control left {people_kept:,} of {people:,} people; the others have no "
            "predictions, and are in no result (mind)."
        )
    if variants_kept < FEW_VARIANTS and 2 * variants_kept < variants:
        yield (
            f"regenie.step1.qc: quality control left {variants_kept:,} of {variants:,} variants for step 1; of so few "
            "the predictions explain little, and take up little of population structure and relatedness."
        )
