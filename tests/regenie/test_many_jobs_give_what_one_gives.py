"""A run that is split into many jobs gives results identical, byte for byte, to one job over everything.

With a real regenie (`GENOLAUNCH_REGENIE=/path/to/regenie make test-regenie`) for every format and kind of trait; in the
normal suite with the numpy stand-in, which knows quantitative traits in .bed files.
"""

import gzip
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.regenie.cohort_formats import FORMATS, make_cohort
from tests.regenie.planned_run import PlannedRun

STAND_IN = [sys.executable, "-m", "regenie_stand_in"]
REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = pytest.mark.timeout(900)

NEEDS_REAL = (
    pytest.mark.regenie,
    pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie"),
)

CASES = [
    pytest.param(STAND_IN, "bed", "quantitative", id="stand-in-bed-quantitative"),
    *(
        pytest.param([REAL], genotypes, trait_type, marks=NEEDS_REAL, id=f"real-{genotypes}-{trait_type}")
        for genotypes in FORMATS
        for trait_type in ("quantitative", "binary")
    ),
]

BLOCK_SIZE = 100

# One job over everything: commands as a person would type them (regenie's documentation), not the planner's.
INPUT = {"bed": "--bed cohort", "pgen": "--pgen cohort", "bgen": "--bgen cohort.bgen --sample cohort.sample"}
TRAITS = {
    "quantitative": ("phenotypes.txt", ["height", "ldl"], "--qt", ""),
    "binary": ("phenotypes_binary.txt", ["t2d"], "--bt", "--firth --approx --pThresh 0.05"),
}


def parameters(genotypes: str, trait_type: str) -> dict[str, Any]:
    """The regenie section of a launch that is cut into several jobs wherever it can be."""
    phenotypes, traits, _, _ = TRAITS[trait_type]
    return {
        "genotypes": f"cohort.{genotypes}",
        "sample": "cohort.sample" if genotypes == "bgen" else None,
        "phenotypes": phenotypes,
        "covariates": "covariates.txt",
        "traits": traits,
        "trait_type": trait_type,
        "step1": {"block_size": BLOCK_SIZE, "jobs": 3, "qc": False},  # as the one run takes every variant
        "step2": {"variants_per_job": 150},
    }


def run_as_one(run: PlannedRun, genotypes: str, trait_type: str) -> dict[str, bytes]:
    """Trait -> the results of one step 1 and one step 2."""
    phenotypes, traits, kind, tests = TRAITS[trait_type]
    common = f"{INPUT[genotypes]} --phenoFile {phenotypes} --covarFile covariates.txt {kind} --bsize {BLOCK_SIZE}"
    run.regenie(f"--step 1 {common} --lowmem --out ../one1")
    run.regenie(f"--step 2 {common} {tests} --minMAC 5 --pred ../one1_pred.list --out ../one2")
    return {trait: (run.data.parent / f"one2_{trait}.regenie").read_bytes() for trait in traits}


@pytest.mark.regenie
@pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie")
def test_a_bgen_whose_index_has_another_order_of_chromosomes_is_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """bgenix orders by names, 1, 10, 2, and regenie cuts level 0 by numbers."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    run = PlannedRun(tmp_path, [REAL])
    make_cohort(run.data, "bgen", {22: 10})
    tasks = run.plan(parameters("bgen", "quantitative"))
    # When
    for phase in ("step1", "step2", "merge"):
        run.run(phase, tasks[phase])
    one = run_as_one(run, "bgen", "quantitative")
    # Then
    for trait, expected in one.items():
        merged = gzip.decompress((run.work / "gwas" / f"{trait}.regenie.gz").read_bytes())
        assert sorted(merged.splitlines()) == sorted(expected.replace(b" ", b"\t").splitlines()), trait
    # And that is why: regenie itself ends when it is told to cut
    common = f"{INPUT['bgen']} --phenoFile phenotypes.txt --covarFile covariates.txt --qt --bsize 80"
    run.regenie(f"--step 1 {common} --split-l0 ../cut,3 --out ../cut")
    with pytest.raises(AssertionError, match="don't match with that in master file"):
        run.regenie(f"--step 1 {common} --run-l0 ../cut.master,2 --out ../cut_2")


@pytest.mark.parametrize(("program", "genotypes", "trait_type"), CASES)
def test_the_merged_results_are_those_of_one_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: list[str], genotypes: str, trait_type: str
):
    # Given the cohort, and a plan with several jobs in each phase that can have them
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    run = PlannedRun(tmp_path, program)
    make_cohort(run.data, genotypes)
    tasks = run.plan(parameters(genotypes, trait_type))
    assert tasks["level0"] == 3
    assert tasks["step2"] > 4
    # When
    for phase in ("split", "level0", "level1", "step2", "merge"):
        run.run(phase, tasks[phase])
    one = run_as_one(run, genotypes, trait_type)
    # Then
    for trait, expected in one.items():
        merged = gzip.decompress((run.work / "gwas" / f"{trait}.regenie.gz").read_bytes())
        assert merged == expected.replace(b" ", b"\t"), trait  # tabix finds columns by tabs
