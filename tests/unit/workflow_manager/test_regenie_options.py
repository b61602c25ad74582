"""Which further options of regenie a launch may hand on."""

import pytest

from genolaunch.launch_configs.regenie_options import ALLOWED, refusal_of


@pytest.mark.parametrize(
    ("step", "option"),
    [(1, "--loocv"), (1, "--cv 10"), (1, "--setl0 0.1,0.5"), (2, "--minINFO 0.3"), (2, "--mcc-thr 1e-3")],
)
def test_options_that_change_the_method_only_pass(step: int, option: str):
    assert refusal_of(option, step) is None


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("--bsize 100", "The key step2.block_size says it."),
        ("--phenoCol ldl", "The key traits says it."),
        ("--gz", "Chunks are joined into one compressed file a trait; they live on the file system only."),
        ("--nb 3", "It switches the spreading of step 1 over jobs off."),
        ("--min-INFO 0.3", "Did you mean --minINFO?"),
        ("--firth_se", "Did you mean --firth-se?"),
        ("--loocv", "It belongs to step 1."),
        ("--vc-test skat", "Did you mean --vc-tests? The key step2.gene_tests.vc_tests says it."),
    ],
)
def test_a_refused_option_says_what_to_do(option: str, remedy: str):
    refusal = refusal_of(option, 2)

    assert refusal is not None
    assert refusal.remedy == remedy
    assert refusal.problem == f"does not hand on {option.split()[0]!r} to step 2"


@pytest.mark.parametrize(
    ("option", "step", "remedy"),
    [
        ("--test dominant", 1, "It belongs to step 2."),
        ("--bogus", 2, "Known here: "),
        ("--vc-test skat", 1, "Known here: "),
    ],
)
def test_only_what_is_close_and_of_the_same_step_is_suggested(option: str, step: int, remedy: str):
    refusal = refusal_of(option, step)

    assert refusal is not None
    assert refusal.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "option",
    ["--cv", "--cv ten", "--cv 1 --out x", "--loocv yes", "--setl0 0.1,", "--cv=10", "-o x", "", "--cv 1\n--out x"],
)
def test_values_are_checked(option: str):
    assert refusal_of(option, 1) is not None


@pytest.mark.parametrize(
    "option",
    [
        *("--step", "--out", "--pred", "--phenoFile", "--phenoColList", "--chr", "--chrList", "--range", "--nb"),
        *("--force-step1", "--split-l0", "--run-l0", "--run-l1", "--l1-phenoList", "--keep-l0", "--lowmem-prefix"),
        *("--ignore-pred", "--no-split", "--htp", "--use-null-firth", "--starting-block", "--bed", "--threads"),
    ],
)
def test_what_the_platform_says_itself_never_passes(option: str):
    for step in ALLOWED:
        assert refusal_of(option, step) is not None
        assert refusal_of(f"{option} 1", step) is not None
