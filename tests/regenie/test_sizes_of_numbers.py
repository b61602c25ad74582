"""Covariates whose sizes differ: regenie 4.1.2 adjusts for what planning takes, and not for all that it refuses.

A covariate's unit is no matter to a regression: the rows must be those of the same covariate, standardised.
"""

import os
import random
import shutil
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.preflight.column import Column
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.scales import check_scales
from tests.regenie.cohort_formats import COHORT

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = [
    pytest.mark.regenie,
    pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie"),
]

TAKEN = {
    "a year of birth": lambda rng: 1950 + rng.gauss(0, 8),
    "an income": lambda rng: 40_000 + rng.gauss(0, 15_000),
    "six digits": lambda rng: 100_000 + rng.gauss(0, 20_000),
    "a share": lambda rng: rng.random() / 1000,
}
REFUSED = {
    "a date": lambda rng: 20_200_000 + rng.randrange(1, 13) * 100 + rng.randrange(1, 29),
    "seconds": lambda rng: 1_600_000_000 + rng.randrange(10**8),
    "seven digits": lambda rng: 3_000_000 + rng.gauss(0, 100_000),
    "eight digits around 0": lambda rng: rng.gauss(0, 1e7),
    "a trillionth": lambda rng: 1e-9 * rng.gauss(0, 1),
}


def columns(draw: Callable[[random.Random], float]) -> tuple[list[list[str]], list[float]]:
    """The cohort's rows of covariates, and a third one."""
    rng = random.Random(3)
    rows = [line.split() for line in (COHORT / "covariates.txt").read_text().splitlines()[1:]]
    return rows, [draw(rng) for _ in rows]


def effects(folder: Path, rows: Sequence[Sequence[str]], third: Sequence[float]) -> list[float]:
    """When: regenie has run. The effect of each variant."""
    folder.mkdir()
    for file in COHORT.iterdir():
        shutil.copy(file, folder)
    text = "".join(f"{' '.join(row)} {value!r}\n" for row, value in zip(rows, third, strict=True))
    (folder / "covariates.txt").write_text(f"FID IID age sex x\n{text}")
    command = "--step 2 --bed cohort --phenoFile phenotypes.txt --covarFile covariates.txt --qt --bsize 1000 --out out"
    subprocess.run(
        [REAL, *command.split(), "--ignore-pred", "--phenoCol", "height"], cwd=folder, capture_output=True, check=True
    )
    return [float(line.split()[8]) for line in (folder / "out_height.regenie").read_text().splitlines()[1:]]


def is_refused(findings: Findings) -> bool:
    """Whether there was a fault."""
    try:
        findings.raise_if_any()
    except LaunchInputError:
        return True
    return False


@pytest.mark.parametrize("name", [*TAKEN, *REFUSED])
def test_what_is_taken_is_adjusted_for_and_what_is_refused_is_not(name: str, tmp_path: Path) -> None:
    rows, third = columns({**TAKEN, **REFUSED}[name])
    mean, deviation = statistics.fmean(third), statistics.stdev(third)

    given = effects(tmp_path / "given", rows, third)
    right = effects(tmp_path / "right", rows, [(value - mean) / deviation for value in third])

    differs = max(abs(one - other) for one, other in zip(given, right, strict=True)) > 1e-4
    findings, people = Findings(), [row[0].encode() for row in rows]
    covariates = [Column(which) for which in ("age", "sex", "x")]
    cells = (
        [row[2].encode() for row in rows],
        [row[3].encode() for row in rows],
        [repr(value).encode() for value in third],
    )
    for column, values in zip(covariates, cells, strict=True):
        column.add(values, people)
    check_scales("regenie.covariates", "covariates.txt", covariates, findings)
    assert differs == is_refused(findings) == (name in REFUSED)
