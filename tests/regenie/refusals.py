"""What regenie 4.1.2 refuses, in the words that it prints, and where a launch config can say it.

One table for three readers: the real regenie (`make test-regenie`), its stand-in, and the launch config.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.regenie.cohort_formats import COHORT

_BINARY: Final = {"trait_type": "binary", "traits": ["t2d"], "phenotypes": "phenotypes_binary.txt"}
_SMOKING: Final = {"covariates": "covariates.txt", "categorical_covariates": ["sex"]}
_GENES: Final = {"annotations": "anno.txt", "sets": "sets.txt", "masks": "masks.txt"}
_WIDE_BINS: Final = [number / 20 for number in range(1, 13)]
_BINS: Final = [number / 100 for number in range(1, 14)]

_QUANTITATIVE_LINE: Final = "--bed cohort --phenoFile phenotypes.txt --covarFile covariates.txt --qt --out out"
_BINARY_LINE: Final = "--bed cohort --phenoFile phenotypes_binary.txt --covarFile covariates.txt --bt --out out"
STEP1: Final = f"--step 1 {_QUANTITATIVE_LINE} --bsize 100"
STEP2: Final = f"--step 2 {_QUANTITATIVE_LINE} --bsize 100 --pred pred.list"
_BINARY_STEP2: Final = f"--step 2 {_BINARY_LINE} --bsize 100 --pred pred.list"
_SETS: Final = f"{STEP2} --anno-file anno.txt --set-list sets.txt --mask-def masks.txt"


def _of_covariates(trait: str, value: Callable[[str, str], str]) -> str:
    """A phenotype file of a trait that is made of age and sex."""
    rows = [line.split() for line in (COHORT / "covariates.txt").read_text().splitlines()[1:]]
    return f"FID IID {trait}\n" + "".join(f"{row[0]} {row[1]} {value(row[2], row[3])}\n" for row in rows)


_MEN: Final = "".join(
    f"{line.split()[0]} {line.split()[1]}\n"
    for line in (COHORT / "covariates.txt").read_text().splitlines()
    if line.split()[3] == "1"
)


@dataclass(frozen=True)
class Refusal:
    """One thing that regenie ends with."""

    name: str
    command: str
    """Of regenie, in a folder with the demo cohort and the `files`."""
    sentence: str
    """What follows ERROR."""
    config: dict[str, Any] | None = None
    """The section `regenie` of a launch that asks for it; None for what no launch can say."""
    where: str = ""
    """Config key that is refused."""
    files: dict[str, str] = field(default_factory=dict)
    change: tuple[str, str, str] | None = None
    """A file of the folder, what is written there, and what instead."""
    remedy: str = ""
    """Words of the remedy that a failed job's sentence has."""


def _changed(name: str, file: str, old: str, new: str, sentence: str, remedy: str, command: str = STEP1) -> Refusal:
    return Refusal(name, command, sentence, change=(file, old, new), remedy=remedy)


OF_THE_CONFIG: Final = (
    Refusal(
        "keep and remove",
        f"{STEP1} --keep cohort.fam --remove cohort.fam",
        "cannot use both --keep and --remove.",
        {"keep": "k.txt", "remove": "r.txt"},
        "regenie.remove",
    ),
    Refusal(
        "a block of more variants than 32 bits count",
        f"{STEP1.removesuffix('100')}3000000000",
        "Argument ‘3000000000’ failed to parse",
        {"step1": {"block_size": 3_000_000_000}},
        "regenie.step1.block_size",
    ),
    Refusal(
        "a threshold of 1",
        f"{_BINARY_STEP2} --firth --approx --pThresh 1",
        "Fallback p-value threshold must be in (0,1).",
        {**_BINARY, "step2": {"p_threshold": 1}},
        "regenie.step2.p_threshold",
    ),
    Refusal(
        "a threshold of a millionth less than 1",
        f"{_BINARY_STEP2} --spa --pThresh 0.9999999",
        "Fallback p-value threshold must be in (0,1).",
        {**_BINARY, "step2": {"binary_test": "spa", "p_threshold": 0.9999999}},
        "regenie.step2.p_threshold",
    ),
    Refusal(
        "bounds of X reversed",
        f"{STEP2} --par-region 155701383,2781479",
        "invalid build code given (valid ones are 'b36|b37|b38|hg18|hg19|hg38' or [start,end] position of the non-par "
        "region)",
        {"par_region": "155701383,2781479"},
        "regenie.par_region",
    ),
    Refusal(
        "bounds of X from 0 on",
        f"{STEP2} --par-region 0,5",
        "invalid build code given (valid ones are 'b36|b37|b38|hg18|hg19|hg38' or [start,end] position of the non-par "
        "region)",
        {"par_region": "0,5"},
        "regenie.par_region",
    ),
    Refusal(
        "ranks of residuals in two ways",
        f"{STEP2} --apply-rerint --apply-rerint-cov",
        "must select one of the two options, --apply-rerint or --apply-rerint-cov",
        {"step2": {"extra": ["--apply-rerint", "--apply-rerint-cov"]}},
        "regenie.step2.extra",
    ),
    Refusal(
        "SPA with an interaction",
        f"{_BINARY_STEP2} --spa --interaction sex",
        "cannot use --interaction with SPA test.",
        {**_BINARY, **_SMOKING, "step2": {"binary_test": "spa", "interaction": {"covariate": "sex"}}},
        "regenie.step2.binary_test",
    ),
    Refusal(
        "SPA with an interacting variant",
        f"{_BINARY_STEP2} --spa --interaction-snp 1:1:A:G --interaction-file bed,cohort",
        "cannot use --interaction with SPA test.",
        {
            **_BINARY,
            "step2": {"binary_test": "spa", "interaction": {"variant": "1:1:A:G", "genotypes": "cohort.bed"}},
        },
        "regenie.step2.binary_test",
    ),
    Refusal(
        "a dominant test with SKAT",
        f"{_SETS} --test dominant --vc-tests skat",
        "cannot use --test with --vc-tests.",
        {"step2": {"extra": ["--test dominant"], "gene_tests": {**_GENES, "vc_tests": ["skat"]}}},
        "regenie.step2.extra",
    ),
    Refusal(
        "a recessive test with ACAT",
        f"{_SETS} --test recessive --vc-tests acato-full",
        "cannot use --test with --vc-tests.",
        {"step2": {"extra": ["--test recessive"], "gene_tests": {**_GENES, "vc_tests": ["acato-full"]}}},
        "regenie.step2.extra",
    ),
    Refusal(
        "a dominant test with a joint one",
        f"{_SETS} --test dominant --joint acat",
        "cannot use --test with --joint.",
        {"step2": {"extra": ["--test dominant"], "gene_tests": {**_GENES, "joint": ["acat"]}}},
        "regenie.step2.extra",
    ),
    Refusal(
        "a joint test that there is not",
        f"{_SETS} --joint skat",
        "unrecognized joint test (='skat').",
        {"step2": {"gene_tests": {**_GENES, "joint": ["skat"]}}},
        "regenie.step2.gene_tests.joint[0]",
    ),
    Refusal(
        "a recessive test of sums",
        f"{_SETS} --test recessive --build-mask sum",
        "only additive test allowed when using 'sum' in --build-mask.",
        {"step2": {"extra": ["--test recessive"], "gene_tests": {**_GENES, "build_mask": "sum"}}},
        "regenie.step2.extra",
    ),
    Refusal(
        "masks by a rule that there is not",
        f"{_SETS} --build-mask min",
        "unrecognized argument for option --build-mask (=min).",
        {"step2": {"gene_tests": {**_GENES, "build_mask": "min"}}},
        "regenie.step2.gene_tests.build_mask",
    ),
    Refusal(
        "12 bounds of frequencies and that of one p-value a gene",
        f"{_SETS} --aaf-bins {','.join(map(str, _WIDE_BINS))} --rgc-gene-p",
        "Number of AAF bins (=13) above maximum (=12)",
        {"step2": {"gene_tests": {**_GENES, "aaf_bins": _WIDE_BINS, "rgc_gene_p": True}}},
        "regenie.step2.gene_tests.aaf_bins",
    ),
    Refusal(
        "a dominant test without dosage compensation",
        f"{STEP2} --test dominant --skip-dosage-comp",
        "cannot use --skip-dosage-comp with --test.",
        {"step2": {"extra": ["--test dominant", "--skip-dosage-comp"]}},
        "regenie.step2.extra",
    ),
    Refusal(
        "more bounds of frequencies than 12",
        f"{_SETS} --aaf-bins {','.join(map(str, _BINS))}",
        "Number of AAF bins (=13) above maximum (=12)",
        {"step2": {"gene_tests": {**_GENES, "aaf_bins": _BINS}}},
        "regenie.step2.gene_tests.aaf_bins",
    ),
    Refusal(
        "12 bounds of frequencies and the one of SKAT",
        f"{_SETS} --aaf-bins {','.join(map(str, _BINS[:12]))} --vc-tests skat",
        "Number of AAF bins (=13) above maximum (=12)",
        {"step2": {"gene_tests": {**_GENES, "aaf_bins": _BINS[:12], "vc_tests": ["skat"]}}},
        "regenie.step2.gene_tests.aaf_bins",
    ),
    Refusal(
        "a bound of frequencies that nobody reaches",
        f"{_SETS} --aaf-bins 1e-9",
        "must specify values for --aaf-bins in [0.000000, 1]",
        {"step2": {"gene_tests": {**_GENES, "aaf_bins": [1e-9]}}},
        "regenie.step2.gene_tests.aaf_bins[0]",
    ),
    Refusal(
        "a limit of skewness without the test",
        f"{STEP2} --mcc-skew 2",
        "--mcc must be on when specifying absolute phenotypic skewness",
        {"step2": {"extra": ["--mcc-skew 2"]}},
        "regenie.step2.extra",
    ),
    Refusal(
        "one ridge parameter of a block",
        f"{STEP1} --l0 1",
        "number of ridge parameters must be at least 2 (=1)",
        {"step1": {"extra": ["--l0 1"]}},
        "regenie.step1.extra[0]",
    ),
    Refusal(
        "one ridge parameter of all blocks",
        f"{STEP1} --l1 1",
        "number of ridge parameters must be at least 2 (=1)",
        {"step1": {"extra": ["--l1 1"]}},
        "regenie.step1.extra[0]",
    ),
    Refusal(
        "a ridge parameter of 1",
        f"{STEP1} --setl0 0.1,1",
        "must specify values for --l0 in (0,1).",
        {"step1": {"extra": ["--setl0 0.1,1"]}},
        "regenie.step1.extra[0]",
    ),
    Refusal(
        "an info score of 2",
        f"{STEP2} --minINFO 2",
        "minimum info score must be in [0,1].",
        {"step2": {"extra": ["--minINFO 2"]}},
        "regenie.step2.extra[0]",
    ),
    Refusal(
        "no iterations",
        f"{_BINARY_STEP2} --niter 0",
        "invalid argument for --niter (must be positive integer).",
        {**_BINARY, "step2": {"extra": ["--niter 0"]}},
        "regenie.step2.extra[0]",
    ),
    Refusal(
        "no iterations of Firth's",
        f"{_BINARY_STEP2} --firth --approx --maxiter-null 0",
        "invalid argument for --maxiter-null (must be a positive integer).",
        {**_BINARY, "step2": {"extra": ["--maxiter-null 0"]}},
        "regenie.step2.extra[0]",
    ),
    Refusal(
        "no step of Firth's",
        f"{_BINARY_STEP2} --firth --approx --maxstep-null 0",
        "invalid argument for --maxstep-null (must be a positive integer).",
        {**_BINARY, "step2": {"extra": ["--maxstep-null 0"]}},
        "regenie.step2.extra[0]",
    ),
    Refusal(
        "one sex of .bgen without a sample file",
        "--step 1 --bgen cohort.bgen --phenoFile phenotypes.txt --qt --bsize 100 --out out --sex-specific female",
        "must specifying sample file using --sample for sex-specific analyses",
        {"genotypes": "cohort.bgen", "sex": "female"},
        "regenie.sample",
        {"cohort.bgen": ""},
    ),
    Refusal(
        "a covariate without a file",
        "--step 1 --bed cohort --phenoFile phenotypes.txt --qt --bsize 100 --out out --covarColList age",
        "you specified covariates without specifying a covariate file (using --covarFile).",
        {"covariates": None, "covariate_columns": ["age"]},
        "regenie.covariate_columns",
    ),
    Refusal(
        "an interaction without a covariate file",
        "--step 2 --bed cohort --phenoFile phenotypes.txt --qt --bsize 100 --out out --pred pred.list --interaction x",
        "must use --covarFile if using --interaction.",
        {"covariates": None, "step2": {"interaction": {"covariate": "x"}}},
        "regenie.step2.interaction",
    ),
)
"""What the config alone tells."""

OF_THE_DATA: Final = (
    Refusal(
        "more folds than people",
        f"{STEP1} --cv 900",
        "not enough samples are present for 900-fold CV.",
        {"step1": {"extra": ["--cv 900"], "block_size": 100}},
        "has --cv 900, and 800 people are analysed: regenie refuses more folds than people",
    ),
    Refusal(
        "a variant to condition on that is absent",
        f"{STEP2} --condition-list list.txt --condition-file bed,cohort",
        "1 of the variants could not be found in the genotype file",
        {"step2": {"condition": {"variants": "list.txt", "genotypes": "cohort.bed"}}},
        "has rs999 (1 of 2), not among the variants",
        {"list.txt": "1:186:A:G\nrs999\n"},
    ),
    Refusal(
        "more variants to condition on than are allowed",
        f"{STEP2} --condition-list list.txt --condition-file bed,cohort --max-condition-vars 1",
        "number of variants used for conditional analysis is greater than maximum of 1 (otherwise use "
        "--max-condition-vars)",
        {
            "step2": {
                "condition": {"variants": "list.txt", "genotypes": "cohort.bed"},
                "extra": ["--max-condition-vars 1"],
            }
        },
        "has 2 variants; regenie takes 1 at most",
        {"list.txt": "1:186:A:G\n1:187:A:G\n"},
    ),
    Refusal(
        "a quantity of two values",
        "--step 1 --bed cohort --phenoFile phenotypes_binary.txt --qt --bsize 100 --out out",
        "phenotype 't2d' has very few unique values (=2). If you really want to analyze it as a QT, use `--force-qt`.",
        {"phenotypes": "phenotypes_binary.txt", "traits": ["t2d"]},
        "with the values 0 and 1 only",
    ),
    Refusal(
        "a trait that is a sum of covariates",
        "--step 1 --bed cohort --phenoFile list.txt --covarFile covariates.txt --qt --bsize 100 --out out",
        "phenotype 'years' has sd=0.",
        {"phenotypes": "list.txt", "traits": ["years"]},
        "names years, which covariates explain wholly (age)",
        {"list.txt": _of_covariates("years", lambda age, _: f"{2 * float(age) + 1:.3f}")},
        remedy="covariates explain all of it",
    ),
    Refusal(
        "cases that a covariate tells",
        "--step 1 --bed cohort --phenoFile list.txt --covarFile covariates.txt --bt --bsize 100 --out out",
        "phenotype 'woman' has sd=0.",
        {"phenotypes": "list.txt", "traits": ["woman"], "trait_type": "binary"},
        "names woman, which covariates explain wholly (sex)",
        {"list.txt": _of_covariates("woman", lambda _, sex: str(1 - int(sex)))},
        remedy="covariates explain all of it",
    ),
    Refusal(
        "fewer cases than asked for",
        f"--step 1 {_BINARY_LINE} --bsize 100 --minCaseCount 900",
        "all phenotypes have less than 900 cases.",
        {
            **_BINARY,
            "step1": {"extra": ["--minCaseCount 900"]},
            "step2": {"extra": ["--minCaseCount 900"]},
        },
        "regenie leaves out traits with fewer than 900 cases",
    ),
    Refusal(
        "more levels than asked for",
        f"{STEP1} --catCovarList sex --maxCatLevels 1",
        "too many categories for covariate: sex (=2). Either use '--maxCatLevels' or combine categories.",
        {**_SMOKING, "step1": {"extra": ["--maxCatLevels 1"]}, "step2": {"extra": ["--maxCatLevels 1"]}},
        "names sex, which has 2 levels",
    ),
)
"""What only the data tells, which planning reads; `where` are words of the refusal."""

OF_A_RUN: Final = (
    Refusal(
        "Firth's regression that does not converge",
        f"{_BINARY_STEP2} --firth --approx --maxiter-null 1",
        "Firth penalized logistic regression failed to converge for all phenotypes. Try decreasing the maximum step "
        "size using `--maxstep-null` (currently=25) and increasing the maximum number of iterations using "
        "`--maxiter-null` (currently=1).",
        remedy="--maxstep-null below 5 and --maxiter-null above 5000 in step2.extra",
    ),
    Refusal(
        "five folds of four people",
        f"{STEP1} --keep list.txt",
        "not enough samples are present for 5-fold CV.",
        files={"list.txt": "S0000 S0000\nS0001 S0001\nS0002 S0002\nS0003 S0003\n"},
        remedy="fewer folds",
    ),
    _changed(
        "a .bim row that lacks a column",
        "cohort.bim",
        "1\t1:186:A:G\t0.0",
        "1\t1:186:A:G",
        "incorrectly formatted bim file at line 1",
        "correct that line",
    ),
    _changed(
        "a .fam row that lacks a column",
        "cohort.fam",
        "S0001 S0001 0 0",
        "S0001 S0001 0",
        "incorrectly formatted fam file at line 2",
        "correct that line",
    ),
    _changed(
        "a person twice in .fam",
        "cohort.fam",
        "S0001 S0001",
        "S0000 S0000",
        "duplicate individual in fam file : FID_IID=S0000_S0000",
        "one row for each person",
    ),
    _changed(
        "another header of phenotypes",
        "phenotypes.txt",
        "FID IID",
        "ID1 ID2",
        "header of phenotype file must start with: FID IID.",
        "Begin the header with FID and IID",
    ),
    _changed(
        "a short row of phenotypes",
        "phenotypes.txt",
        "S0001 S0001",
        "S0001",
        "incorrectly formatted phenotype file.",
        "correct that line",
    ),
    _changed(
        "a trait in words",
        "phenotypes.txt",
        "1.786724",
        "tall",
        "could not convert value to double: 'tall'",
        "Write numbers with a point",
    ),
    _changed(
        "a person twice in the phenotypes",
        "phenotypes.txt",
        "S0001 S0001",
        "S0000 S0000",
        "individual appears more than once in phenotype file: FID=S0000 IID=S0000",
        "one row for each person",
    ),
    _changed(
        "covariates of others",
        "covariates.txt",
        "S0",
        "T0",
        "none of the individuals have covariate data (check sample IDs across files)",
        "FID and IID the same",
    ),
    _changed(
        "cases coded as 2",
        "phenotypes_binary.txt",
        " 1\n",
        " 2\n",
        "a phenotype value is not 0/1/NA for individual: FID=S0004 IID=S0004 Y=2",
        "cases as 1",
        f"--step 1 {_BINARY_LINE} --bsize 100",
    ),
    _changed(
        "predictions of others",
        "height.loco",
        "S0",
        "T0",
        "Problematic phenotypes found (all individuals have missing step 1 predictions); names written to "
        "[out_pheno_all_miss.txt].",
        "of other people",
        STEP2,
    ),
    _changed(
        "damaged predictions",
        "height.loco",
        "22 0",
        "22",
        "blup file for phenotype 'height' has different number of entries on line 23 compared to the header "
        "(=800 vs 801).",
        "upload the .loco file again",
        STEP2,
    ),
    _changed(
        "something else for predictions",
        "height.loco",
        "FID_IID",
        "ID",
        "header of blup file must start with FID_IID (=ID)",
        ".loco files of regenie's step 1",
        STEP2,
    ),
    _changed(
        "predictions that are not there",
        "pred.list",
        "height.loco",
        "nowhere.loco",
        "cannot read file : nowhere.loco",
        "in the data",
        STEP2,
    ),
    _changed(
        "a list of predictions without files",
        "pred.list",
        " height.loco",
        "",
        "step 1 list file is not in the right format : pred.list",
        "TRAIT FILE",
        STEP2,
    ),
    _changed(
        "annotations of other variants",
        "anno.txt",
        "1:186:A:G",
        "rs1",
        "annotation information could not be read. Perhaps check variant IDs matches those in the genotype file?",
        "ids as the genotype files have them",
        _SETS,
    ),
    _changed(
        "a variant annotated twice",
        "anno.txt",
        "LoF\n",
        "LoF\n1:186:A:G G1 mis\n",
        "duplicate variant annotations at line 2.",
        "once for a set",
        _SETS,
    ),
    _changed(
        "masks of other annotations",
        "masks.txt",
        "LoF",
        "other",
        "no masks are left to be included in the analysis.",
        "Name annotations in the masks",
        _SETS,
    ),
    _changed(
        "sets of other genes",
        "sets.txt",
        "G1",
        "G2",
        "no sets are left to be analyzed.",
        "Compare the names of sets",
        _SETS,
    ),
    Refusal(
        "an interaction with what is the same in all",
        f"{STEP2} --interaction sex --remove men.txt",
        "rank of matrix is 0.",
        remedy="the same in everybody",
        files={"men.txt": _MEN},
    ),
    Refusal(
        "an interaction with one level",
        f"{STEP2} --catCovarList sex --interaction sex --remove men.txt",
        "interacting covariate 'sex' only has a single category.",
        remedy="differs between the people",
        files={"men.txt": _MEN},
    ),
    Refusal(
        "a baseline that is no level",
        f"{STEP2} --catCovarList sex --interaction sex[7]",
        "no individual has baseline level specified for the interacting covariate (=7)",
        remedy="as step2.interaction.baseline",
    ),
    Refusal(
        "an interaction that is no covariate",
        f"{STEP2} --interaction nothing",
        "cannot find the interaction covariate specified in the covariate file.",
        remedy="header has it",
    ),
    Refusal(
        "a variant to interact with that is absent",
        f"{STEP2} --interaction-snp rs9 --interaction-file bed,cohort",
        "none of the conditional variants were found in the genotype file",
        remedy="ids of step2.condition",
    ),
    Refusal(
        "an empty list to condition on",
        f"{STEP2} --condition-list list.txt --condition-file bed,cohort",
        "no variants for conditional analysis given in file list.txt",
        remedy="one a line",
        files={"list.txt": ""},
    ),
    Refusal(
        "a list of absent variants",
        f"{STEP2} --extract list.txt",
        "no variant left to include in analysis.",
        remedy="Compare the lists",
        files={"list.txt": "rs1\n"},
    ),
)
"""What ends a run, and has a remedy: a failed job's sentence is regenie's and the remedy.

Planning finds most of these first; the sentence is for what changed since, and for what it cannot see.
"""

OF_A_COMMAND: Final = (
    Refusal("no output", "--step 1 --bed cohort", "You must provide an output prefix using '--out'"),
    Refusal("no genotypes", "--step 1 --out out", "must use either --bed,--bgen or --pgen."),
    Refusal(
        "no step",
        f"{_QUANTITATIVE_LINE} --bsize 100",
        "specify which mode regenie should be running using option --step.",
    ),
    Refusal(
        "another step",
        f"--step 3 {_QUANTITATIVE_LINE} --bsize 100",
        "specify which mode regenie should be running using option --step.",
    ),
    Refusal("no block size", f"--step 1 {_QUANTITATIVE_LINE}", "must specify the block size using '--bsize'."),
    Refusal("empty blocks", f"--step 1 {_QUANTITATIVE_LINE} --bsize 0", "block size must be at least 1."),
    Refusal(
        "no predictions",
        f"--step 2 {_QUANTITATIVE_LINE} --bsize 100",
        "must specify --pred if using --step 2 (otherwise use --ignore-pred).",
    ),
    Refusal("a chromosome beyond X", f"{STEP2} --chr 25", "invalid chromosome specified by --chr/--chrList."),
    Refusal("a range of no form", f"{STEP2} --range 1", "wrong format for --range (must be CHR:MINPOS-MAXPOS)."),
    Refusal("a range beyond X", f"{STEP2} --range 25:1-2", "unrecognized chromosome in --range."),
    Refusal("an allele count below 0.5", f"{STEP2} --minMAC 0.1", "minimum MAC must be at least 0.5."),
    Refusal("a job of no number", f"{STEP1} --run-l0 m", "wrong format for --run-l0 (must be FILE,INT)."),
    Refusal("job 0", f"{STEP1} --run-l0 m,0", "invalid job number for --run-l0 (must be >=1)."),
    Refusal("a split into no number", f"{STEP1} --split-l0 m", "wrong format for --split-l0 (must be FILE,INT)."),
    Refusal("a split into one job", f"{STEP1} --split-l0 m,1", "number of jobs must be >1."),
    Refusal("a job of no plan", f"{STEP1} --run-l0 m,1", "m doesn't exist for option --run-l0/l1"),
    Refusal("level 1 of no plan", f"{STEP1} --run-l1 m", "m doesn't exist for option --run-l0/l1"),
    Refusal("no list", f"{STEP1} --keep absent.txt", "absent.txt doesn't exist for option --keep"),
    Refusal(
        "no such genotypes",
        "--step 1 --bed absent --phenoFile phenotypes.txt --qt --bsize 100 --out out",
        "absent.bed doesn't exist for option --bed",
    ),
    Refusal(
        "no phenotypes",
        "--step 1 --bed cohort --qt --bsize 100 --out out",
        "Invalid argument (=' ') specified for option --phenoFile",
    ),
    Refusal(
        "no such phenotypes",
        "--step 1 --bed cohort --phenoFile absent --qt --bsize 100 --out out",
        "absent doesn't exist for option --phenoFile",
    ),
    Refusal("an unknown trait alone", f"{STEP1} --phenoColList nobody", "need at least one phenotype."),
    Refusal(
        "an unknown covariate",
        f"{STEP1} --covarColList nobody",
        "not all covariates specified are found in the covariate file.",
    ),
)
"""What no launch asks for, since the platform writes the command: held against the stand-in only."""


def files_of(refusal: Refusal) -> dict[str, str]:
    """Name -> text of what lies beside the cohort."""
    tables = {
        "anno.txt": "1:186:A:G G1 LoF\n",
        "sets.txt": "G1 1 1 1:186:A:G\n",
        "masks.txt": "M1 LoF\n",
        "pred.list": "height height.loco\nldl ldl.loco\nt2d t2d.loco\n",
    }
    loco = {f"{trait}.loco": _NO_PREDICTION for trait in ("height", "ldl", "t2d")}
    return tables | loco | refusal.files


_PEOPLE: Final = [f"S{number:04}_S{number:04}" for number in range(800)]
_NO_PREDICTION: Final = "".join(
    f"{name} {' '.join(cells)}\n"
    for name, cells in [("FID_IID", _PEOPLE), *((str(number), ["0"] * len(_PEOPLE)) for number in range(1, 24))]
)
