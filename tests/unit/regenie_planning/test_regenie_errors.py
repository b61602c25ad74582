"""regenie's own sentence is found wherever it stands in a log, and has a remedy where one is known.

The lines are those of regenie 4.1.2, seen in runs of it or composed as its sources compose them (`throw` after what
was printed of the same line).
"""

from pathlib import Path

import pytest

from lambdas.regenie.regenie_errors import regenie_error
from regenie_runner.checks import EMPTY_RESULTS, check_chunk, check_outputs
from regenie_runner.errors import RunnerError

RUNNERS_LAST_LINE = "\nregenie ended with exit code 1; its last lines in the log say why.\n"


@pytest.mark.parametrize(
    ("line", "said", "remedy"),
    [
        (
            "   -reading loco predictions for the chromosome...ERROR: individual has missing predictions "
            "(FID_IID=F0035_P00035;chr=3;phenotype=height).",
            "individual has missing predictions (FID_IID=F0035_P00035;chr=3;phenotype=height).",
            "has predictions of other chromosomes: run step 1 again",
        ),
        (
            "ERROR: Number of covariates is greater than sample size!",
            "Number of covariates is greater than sample size!",
            "variants of step2.condition, each of which is one",
        ),
        (
            " * bim                : [/fsx/data/cohort.bim] ERROR: chromosomes in bim file are not in ascending order.",
            "bim : [/fsx/data/cohort.bim] ERROR: chromosomes in bim file are not in ascending order.",
            "Sort the variants",
        ),
        (
            " * fam                : [/fsx/data/cohort.fam] ERROR: unrecognized sex code in file : '-9'",
            "fam : [/fsx/data/cohort.fam] ERROR: unrecognized sex code in file : '-9'",
            "0 (unknown), 1 (male) and 2 (female)",
        ),
        (
            " block [1] : 16 snps  (1ms) ERROR: !! Uh-oh, SNP 22:5 has low variance (=0.000000).",
            "block [1] : 16 snps (1ms) ERROR: !! Uh-oh, SNP 22:5 has low variance (=0.000000).",
            "step1.qc",
        ),
        (
            " * phenotypes         : [p.txt] n_pheno = 1 ERROR: phenotype 'y' has very few unique values (=2). If you "
            "really want to analyze it as a QT, use `--force-qt`.",
            "use `--force-qt`.",
            "--force-qt in step1.extra and step2.extra",
        ),
        (
            "   -step 1 predictions ...ERROR: all individuals have missing/invalid values for phenotype 'y'.",
            "step 1 predictions ...ERROR: all individuals have missing/invalid values for phenotype 'y'.",
            "compare the files' ids",
        ),
    ],
)
def test_an_error_behind_other_words_is_told_with_its_remedy(line: str, said: str, remedy: str):
    told = regenie_error(f"Start time: today\n{line}{RUNNERS_LAST_LINE}")

    assert told is not None
    assert said in told
    assert remedy in told


def test_an_error_without_a_known_remedy_is_told_as_it_is():
    assert regenie_error(f"ERROR: something new{RUNNERS_LAST_LINE}") == "ERROR: something new"


def test_a_log_without_an_error_tells_nothing():
    assert regenie_error("ERRORS were none\nwriting results\n") is None


def test_the_last_error_counts():
    assert regenie_error("ERROR: first\nERROR: second\n") == "ERROR: second"


def test_a_long_line_leaves_room_for_the_remedy():
    told = regenie_error("ERROR: unrecognized sex code in file : '" + "x" * 1000 + "'")

    assert told is not None
    assert told.endswith("2 (female).")


@pytest.mark.parametrize(
    ("lines", "said", "remedy"),
    [
        (
            "   -on phenotype 1 (t2d)...WARNING: Ridge logistic regression did not converge! (Increase --niter)\n"
            "phenotype 1 (t2d) : Level 1 model did not converge. LOCO predictions calculations are skipped.",
            "phenotype 1 (t2d) : Level 1 model did not converge.",
            "a larger --niter, in step1.extra",
        ),
        (
            "     WARNING: logistic regression did not converge for phenotype 't2d'.done (0ms) ",
            "did not converge for phenotype 't2d'.",
            "a larger --niter in step1.extra",
        ),
    ],
)
def test_a_model_that_did_not_converge_is_why_results_lack_without_an_error(lines: str, said: str, remedy: str):
    """The warnings are those of regenie 4.1.2 with --niter 2 and --niter 1; it ended with exit code 0."""
    with pytest.raises(RunnerError) as lack:
        check_outputs(["/nowhere/step1_1.loco"])

    told = regenie_error(f"{lines}\nList of blup files written to: [x]\n{lack.value}\n")

    assert told is not None
    assert said in told
    assert remedy in told


def test_a_warning_that_a_model_did_not_converge_is_no_error_of_a_job_that_died_of_something_else():
    log = "WARNING: Logistic regression with Firth correction did not converge (maximum step size=25).\nKilled\n"

    assert regenie_error(log) is None


def test_rows_that_lack_are_told_by_the_model_that_did_not_converge(tmp_path: Path):
    chunk = tmp_path / "chunk_t2d.regenie"
    chunk.write_text(EMPTY_RESULTS)
    with pytest.raises(RunnerError) as lack:
        check_chunk(tmp_path, [str(chunk)], 250)

    told = regenie_error(f"WARNING: logistic regression did not converge for phenotype 't2d'.\n{lack.value}\n")

    assert told is not None
    assert "--niter" in told


def test_interactions_model_of_rare_variants_has_its_remedy():
    """As HLM.cpp of 4.1.2 composes it; no data was found that provokes it."""
    told = regenie_error("ERROR: LBFGS could not fit HLM null model for trait ldl even with fallback methods")

    assert told is not None
    assert "even with fallback methods. Set apply_rint: true" in told
