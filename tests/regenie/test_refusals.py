"""What regenie refuses: its stand-in refuses it too, and the launch config has refused it before any job.

A test with the real regenie holds the sentences true (`make test-regenie`).
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.failed_jobs import telling_line
from tests.regenie.cohort_formats import BINARY_PHENOTYPES, COHORT, ROOT
from tests.regenie.planned_run import PlannedRun, said
from tests.regenie.refusals import OF_A_COMMAND, OF_A_RUN, OF_THE_CONFIG, OF_THE_DATA, Refusal, files_of
from tests.unit.workflow_manager.test_config_reader import config, faults

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""
ALL = (*OF_THE_CONFIG, *OF_THE_DATA, *OF_A_COMMAND)
DEFAULTS = {
    "genotypes": "cohort.bed",
    "phenotypes": "phenotypes.txt",
    "covariates": "covariates.txt",
    "traits": ["height", "ldl"],
    "trait_type": "quantitative",
}


def fill(folder: Path, refusal: Refusal) -> None:
    """Given: the demo cohort, and what the refusal is about."""
    for path in (*COHORT.iterdir(), BINARY_PHENOTYPES):
        shutil.copy(path, folder)
    for name, text in files_of(refusal).items():
        (folder / name).write_text(text)
    if refusal.change:
        name, old, new = refusal.change
        before = (folder / name).read_text()
        after = before.replace(old, new)
        assert after != before
        (folder / name).write_text(after)


def run(program: list[str], folder: Path, refusal: Refusal) -> tuple[int, str]:
    """When: a program is given the command. Its exit code, and all that it prints."""
    done = subprocess.run(
        [*program, *shlex.split(refusal.command)], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.regenie
@pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie")
@pytest.mark.parametrize("refusal", [*ALL, *OF_A_RUN], ids=lambda refusal: refusal.name)
def test_regenie_refuses_it_in_these_words(refusal: Refusal, tmp_path: Path) -> None:
    fill(tmp_path, refusal)

    code, said = run([REAL], tmp_path, refusal)

    assert code == 1
    assert f"ERROR: {refusal.sentence}\n" in said


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.name)
def test_the_stand_in_refuses_it_too(refusal: Refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, refusal)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    code, said = run([sys.executable, "-m", "regenie_stand_in"], tmp_path, refusal)

    # Then: in the same words, or because it cannot do that at all
    assert code == 1
    assert f"ERROR: {refusal.sentence}\n" in said or "The numpy stand-in for regenie cannot do" in said


@pytest.mark.parametrize("refusal", OF_A_RUN, ids=lambda refusal: refusal.name)
def test_a_failed_job_says_it_with_a_remedy(refusal: Refusal) -> None:
    told = telling_line(f" * something : ERROR: {refusal.sentence}\n\nregenie ended with exit code 1.\n")

    assert refusal.sentence[:200] in told
    assert refusal.remedy in told
    assert told.endswith(".")


@pytest.mark.parametrize("refusal", [*OF_THE_DATA], ids=lambda refusal: refusal.name)
def test_what_planning_finds_has_a_remedy_too(refusal: Refusal) -> None:
    assert telling_line(f"ERROR: {refusal.sentence}") not in (f"ERROR: {refusal.sentence}", "")


@pytest.mark.parametrize("refusal", OF_THE_CONFIG, ids=lambda refusal: refusal.name)
def test_the_launch_config_refuses_it(refusal: Refusal) -> None:
    assert refusal.config is not None

    (fault,) = faults(config(refusal.config))

    assert fault.startswith(f"{refusal.where}: ")


@pytest.mark.parametrize("refusal", OF_THE_DATA, ids=lambda refusal: refusal.name)
def test_planning_refuses_it(refusal: Refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    planned = PlannedRun(tmp_path, ["false"])
    fill(planned.data, refusal)

    with pytest.raises(LaunchInputError) as found:
        planned.plan({**DEFAULTS, **(refusal.config or {})})

    assert refusal.where in said(found.value)
