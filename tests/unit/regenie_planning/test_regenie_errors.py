"""regenie's own sentence is found wherever it stands in a log, and has a remedy where one is known.

The lines are those of regenie 4.1.2, seen in runs of it or composed as its sources compose them (`throw` after what
was printed of the same line).
"""

import pytest

from lambdas.regenie.regenie_errors import regenie_error

RUNNERS_LAST_LINE = "\nregenie ended with exit code 1; its last lines in the log say why.\n"


@pytest.mark.parametrize(
    ("line", "said", "remedy"),
    [
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
