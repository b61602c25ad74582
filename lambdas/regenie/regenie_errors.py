"""Finds regenie's last error message in a log, and the remedy for usual ones."""

import re
from collections.abc import Sequence
from typing import Final

_ERROR: Final = re.compile(r"\bERROR\b")
"""regenie prints it after what it has just begun to say, often on the same line:
`   -number of phenotyped individuals ...ERROR: ...`, `* bim : [cohort.bim] ERROR: ...` (main() in Regenie.cpp)."""

_LONGEST_LINE: Final = 280
"""Characters of regenie's own line; the remedy comes after it."""

_NOT_CONVERGED: Final = re.compile(r"\bdid not converge\b")
"""regenie only warns, leaves the trait out, and ends with exit code 0."""
RESULTS_LACK: Final = ("The command ended without an error but", "The results have")
"""How the job's own sentence begins when it misses results all the same (regenie_runner/checks.py)."""

_FEW_CASES: Final = "Few cases, or covariates that tell cases from controls, are the usual cause: leave such out"

_OF_OTHER_PEOPLE: Final = "The predictions are of other people: give predictions of the same people, or run step 1."
_FEWER_COVARIATES: Final = (
    "Use fewer covariates and variants of step2.condition, each of which is one, or analyse more people."
)
_NOT_TOGETHER: Final = "The files do not belong together, or one was not uploaded completely."
_REMEDIES: Final[Sequence[tuple[str, str]]] = (
    (
        "failed to converge for all phenotypes",
        "Give --maxstep-null below 5 and --maxiter-null above 5000 in step2.extra, or take another binary_test. "
        f"{_FEW_CASES}.",
    ),
    (
        "could not fit HLM null model",
        "Set apply_rint: true, for which that model is meant, or give --force-robust in step2.extra (robust standard "
        "errors instead).",
    ),
    (
        "Ridge logistic regression did not converge",
        f"Give a larger --niter in step1.extra and step2.extra, or a larger maf in step1.qc. {_FEW_CASES}.",
    ),
    (
        "Penalized logistic regression did not converge",
        f"Give --loocv, or a larger --niter, in step1.extra, or a larger maf in step1.qc. {_FEW_CASES}.",
    ),
    (
        "Level 1 model did not converge",
        f"Give --loocv, or a larger --niter, in step1.extra, or a larger maf in step1.qc. {_FEW_CASES}.",
    ),
    ("logistic regression did not converge", f"Give a larger --niter in step1.extra and step2.extra. {_FEW_CASES}."),
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
    ("Var=0 for the interaction", "What the interaction is with is the same in everybody who is analysed."),
    ("only has a single category", "Interact with a covariate that differs between the people who are analysed."),
    ("no individual has baseline level", "Write one of the covariate's levels as step2.interaction.baseline."),
    (
        "cannot find the interaction covariate",
        "Write the covariate as the covariate file's header has it, and leave it out of `traits`.",
    ),
    ("SNP specified for GxG interaction test was not found", "Name the genotype file that has that variant."),
    ("rank of matrix is 0", "What the interaction is with is the same in everybody who is analysed."),
    ("duplicate variant annotations", "Annotate each variant once for a set."),
    ("inconsistent variant annotation", "Annotate each variant once for a set."),
    ("annotation information could not be read", "Write the annotations' ids as the genotype files have them."),
    ("unknown category at line", "Name annotations in the masks as the annotations have them."),
    ("definition files don't agree", "Use the same names of sets, variants and annotations in all three files."),
    ("all set list files have unknown masks", "Name annotations in the masks as the annotations have them."),
    ("no set left to include", "Compare the names of sets and variants in the annotations and in the sets."),
    ("above maximum (=12)", "Give fewer aaf_bins."),
    ("--aaf-bins", "Give aaf_bins from 1e-7 to 1."),
    ("none of the analyzed samples are present", "Both FID and IID must be the same in all genotype files."),
    ("no sets are left to be analyzed", "Compare the names of sets and variants in the annotations and in the sets."),
    ("no masks are left", "Name annotations in the masks that the tested variants have."),
    ("covariates is greater than sample size", _FEWER_COVARIATES),
    ("covariates is larger than sample size", _FEWER_COVARIATES),
    ("no variant left to include", "Compare the lists of variants with the ids of the genotypes."),
    ("no samples remaining", "Compare the ids in keep, remove, phenotypes and covariates with the sample file's."),
    ("sample size cannot be < 1", "Nobody has genotypes, covariates and a trait: compare the ids of the files."),
    ("all individuals have missing step 1 predictions", _OF_OTHER_PEOPLE),
    ("individuals have missing", "Nobody who is analysed has the trait: leave it out, or compare the files' ids."),
    ("appears more than once", "Keep one row for each person."),
    ("duplicate individual", "Keep one row for each person."),
    ("don't match with that in master file", "Retry with a change of step1.jobs, which plans level 0 anew."),
    ("could not convert value", "Write numbers with a point, and NA where there is none."),
    ("failed to decompress", "The genotype file is damaged: upload it again."),
    ("cannot read file", "Check that the file is in the data, and is whole."),
    ("could not be found in the genotype file", "List only variants that the genotype file has."),
    (
        "none of the conditional variants were found",
        "Write the ids of step2.condition or step2.interaction as the genotype file beside them has them.",
    ),
    ("no variants for conditional analysis given", "Write the variants' ids into the list, one a line."),
    ("used for conditional analysis is greater", "Shorten the list, or give --max-condition-vars in step2.extra."),
    ("more than 1000000 variants in step 1", "Let step1.qc or step1.extract choose about 500,000 variants."),
    ("have missing LOCO", _OF_OTHER_PEOPLE),
    (
        "individual has missing predictions",
        "The person has predictions of other chromosomes: run step 1 again, or upload its .loco file as it was made.",
    ),
    ("has different number of entries", "The predictions are damaged: upload the .loco file again, or run step 1."),
    ("blup file must start with", "step1.predictions must list .loco files of regenie's step 1."),
    ("step 1 list file", "Write one line `TRAIT FILE` for each trait into the list of predictions."),
    ("none of the individuals have covariate data", "Write FID and IID the same in all files, and all covariates."),
    ("not 0/1/NA", "Code controls as 0, cases as 1 and missing values as NA."),
    ("file must start with: FID IID", "Begin the header with FID and IID, in capitals."),
    ("header of phenotype file has too few columns", "Give the file a column for each trait, behind FID and IID."),
    ("incorrect magic number in bed file", "The .bed file is damaged, or not in variant-major order: make it again."),
    ("must start with: ID_1 ID_2", "Begin the .sample file with ID_1 ID_2 missing, and then 0 0 0."),
    ("must start with: 0 0", "Begin the .sample file with ID_1 ID_2 missing, and then 0 0 0."),
    ("must start with #FID", "Begin the .psam file with #FID, IID and SEX (plink2 --make-just-psam cols=fid,sex)."),
    ("header of pvar file", "Begin the .pvar file with #CHROM POS ID REF ALT (plink2 --make-just-pvar)."),
    ("header does not have the correct format", "Begin the .psam file with #FID IID, and make it again with plink2."),
    ("before the header line", "Remove blank lines from the file."),
    ("does not match that in the sample file", _NOT_TOGETHER),
    ("file don't match", _NOT_TOGETHER),
    ("no variants were found in the BGEN file", "Give the .bgen file that has these variants, with its own .bgi."),
    ("BGenError", "The .bgen file is damaged, or not BGEN 1.2: upload it again, or make it again with plink2."),
    ("not a database", "The .bgi index is damaged: make it again with bgenix -index -clobber."),
    ("bad_alloc", "Raise memory_gib of that phase under regenie.resources."),
    ("is not the right size", "Retry the launch, with a change of step1.jobs if it fails again."),
    ("doesn't exist for option", "Check that the file is in the data, under that name."),
    ("incorrectly formatted", "A line does not have the columns of this format: correct that line."),
    ("has too few entries", "A line does not have the columns of this format: correct that line."),
    ("has a value not in [0,2]", "The genotype file has values that are no dosages: make it again with plink2."),
)
"""Words of regenie 4.1.2's sentences (`throw` in its sources) -> what to do."""


def regenie_error(log: str) -> str | None:
    """The last line in which regenie names its error, with what to do about it where that is known; else None.

    The line keeps what it begins with (which file it is about), and its own words. Where it ended without one, but
    results lack, the last of its warnings that a model did not converge is the error.
    """
    found = [line for line in log.splitlines() if _ERROR.search(line)]
    if not found and any(words in log for words in RESULTS_LACK):
        found = [line for line in log.splitlines() if _NOT_CONVERGED.search(line)]
    if not found:
        return None
    line = " ".join(found[-1].lstrip("* -").split())[:_LONGEST_LINE]
    remedy = next((remedy for words, remedy in _REMEDIES if words in line), "")
    if not remedy:
        return line
    return f"{line if line.endswith(('.', '!', '?')) else f'{line}.'} {remedy}"
