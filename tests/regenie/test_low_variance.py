"""A variant that everybody who is analysed has alike: regenie ends at it, and a launch leaves it out of step 1."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.regenie.cohort_formats import FORMATS, counted, make_cohort, samples
from tests.regenie.planned_run import PlannedRun

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = [pytest.mark.regenie, pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie")]


def launch(run: PlannedRun, genotypes: str, **step1: Any) -> dict[str, int]:
    """Given: a launch of those people who have the first variant alike. Tasks by phase."""
    make_cohort(run.data, genotypes)
    _, copies = next(counted())
    keep = [name for name, count in zip(samples(), copies, strict=True) if count == np.bincount(copies).argmax()]
    (run.data / "keep.txt").write_text("".join(f"{name} {name}\n" for name in keep))
    return run.plan(
        {
            "genotypes": f"cohort.{genotypes}",
            "sample": "cohort.sample" if genotypes == "bgen" else None,
            "phenotypes": "phenotypes.txt",
            "covariates": "covariates.txt",
            "traits": ["height"],
            "trait_type": "quantitative",
            "keep": "keep.txt",
            "step1": {"block_size": 100, "jobs": 2, **step1},
        }
    )


def fit(run: PlannedRun, tasks: dict[str, int]) -> None:
    """When: step 1 has run."""
    for phase in ("split", "level0", "level1"):
        run.run(phase, tasks[phase])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedRun:
    """Given: a file system, and the real regenie."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return PlannedRun(tmp_path, [REAL])


@pytest.mark.parametrize("genotypes", FORMATS)
def test_it_is_left_out_unasked(run: PlannedRun, genotypes: str) -> None:
    fit(run, launch(run, genotypes))

    left = (run.work / "step1" / "qc" / "variants.txt").read_text().split()
    assert next(counted())[0].name not in left
    assert 0 < len(left) < 1000
    assert (run.work / "step1" / "predictions" / "height" / "step1_1.loco").stat().st_size > 1000


@pytest.mark.parametrize("genotypes", FORMATS)
def test_it_ends_step_1_where_nobody_looks(run: PlannedRun, genotypes: str) -> None:
    tasks = launch(run, genotypes, qc=False)

    with pytest.raises(AssertionError, match="has low variance"):
        fit(run, tasks)
