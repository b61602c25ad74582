"""The sentence with which regenie ends, wherever it stands in a log, and what to do about the usual ones."""

import re
from collections.abc import Sequence
from typing import Final

_ERROR: Final = re.compile(r"\bERROR\b")
"""regenie prints it after what it has just begun to say, often on the same line:
`   -number of phenotyped individuals ...ERROR: ...`, `* bim : [cohort.bim] ERROR: ...` (main() in Regenie.cpp)."""

_LONGEST_LINE: Final = 280
"""Characters of regenie's own line; the remedy comes after it."""

_REMEDIES: Final[Sequence[tuple[str, str]]] = (
    (
        "has low variance",
        "Leave such variants out of step 1: a larger mac or maf in step1.qc, or the variant in a step1.exclude list.",
    ),
    (
        "very few unique values",
        "Give the trait as binary, or give --force-qt in step1.extra and step2.extra if it is a quantity.",
    ),
    ("too many categories", "Give --maxCatLevels in step1.extra and step2.extra, or combine levels."),
    ("not in ascending order", "Sort the variants: plink2 --sort-vars --make-pgen, then --make-bed."),
    ("unrecognized sex code", "Write sexes as 0 (unknown), 1 (male) and 2 (female)."),
    ("unknown chromosome code", "Name chromosomes 1 to 22 and X, and leave others out."),
    ("only unphased bgen are supported", "Write the .bgen without phase: qctool, or plink2 --export bgen-1.2."),
    ("only bi-allelic variants are accepted", "Keep variants of two alleles: plink2 --max-alleles 2 --make-pgen."),
    ("one of the folds has only cases/controls", "Give --loocv in step1.extra, or fewer folds with --cv."),
    ("not enough samples are present", "Give --loocv or fewer folds (--cv) in step1.extra, or analyse more people."),
    ("all phenotypes have less than", "Analyse traits with more cases, or lower --minCaseCount in both steps."),
    ("SD=0 found for covariate", "Leave that covariate out of covariate_columns."),
    ("one of the columns has sd=0", "What the interaction is with is the same in everybody who is analysed."),
    (
        "has sd=0",
        "The trait is the same in everybody who is analysed, or covariates explain all of it: leave it, or them, out.",
    ),
    ("rank of matrix is 0", "The interaction's variant is the same in everybody who is analysed: choose another one."),
    ("duplicate variant annotations", "Annotate each variant once for a set."),
    ("none of the analyzed samples are present", "Both FID and IID must be the same in all genotype files."),
    ("no sets are left to be analyzed", "Compare the names of sets and variants in the annotations and in the sets."),
    ("no masks are left", "Name annotations in the masks that the tested variants have."),
    ("covariates is greater than sample size", "Use fewer covariates, or analyse more people."),
    ("covariates is larger than sample size", "Use fewer covariates, or analyse more people."),
    ("no variant left to include", "Compare the lists of variants with the ids of the genotypes."),
    ("no samples remaining", "Compare the ids in keep, remove, phenotypes and covariates with the sample file's."),
    ("sample size cannot be < 1", "Nobody has genotypes, covariates and a trait: compare the ids of the files."),
    ("individuals have missing", "Nobody who is analysed has the trait: leave it out, or compare the files' ids."),
    ("appears more than once", "Keep one row for each person."),
    ("duplicate individual", "Keep one row for each person."),
    ("don't match with that in master file", "Retry with a change of step1.jobs, which plans level 0 anew."),
    ("could not convert value", "Write numbers with a point, and NA where there is none."),
    ("failed to decompress", "The genotype file is damaged: upload it again."),
    ("cannot read file", "Check that the file is in the data, and is whole."),
    ("could not be found in the genotype file", "Take variants into the list that the genotype file has."),
    ("has a value not in [0,2]", "The genotype file has values that are no dosages: make it anew with plink2."),
)
"""Words of regenie 4.1.2's sentences (`throw` in its sources) -> what to do."""


def regenie_error(log: str) -> str | None:
    """The last line in which regenie names its error, with what to do about it where that is known; else None.

    The line keeps what it begins with (which file it is about), and its own words.
    """
    found = [line for line in log.splitlines() if _ERROR.search(line)]
    if not found:
        return None
    line = " ".join(found[-1].lstrip("* -").split())[:_LONGEST_LINE]
    remedy = next((remedy for words, remedy in _REMEDIES if words in line), "")
    if not remedy:
        return line
    return f"{line if line.endswith(('.', '!', '?')) else f'{line}.'} {remedy}"
