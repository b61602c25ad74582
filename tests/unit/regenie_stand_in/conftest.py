"""The reference cohort, a way to run the stand-in in this process, and a whole run that several tests compare with."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from regenie_stand_in.__main__ import main

REPOSITORY = Path(__file__).parents[3]
COHORT = REPOSITORY / "examples/gwas/cohort"
EXPECTED = REPOSITORY / "tests/data/gwas/expected"


@dataclass(frozen=True)
class Cohort:
    """A folder with cohort.bed/bim/fam, phenotypes.txt and covariates.txt."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        return [
            *("--bed", f"{self.folder}/cohort"),
            *("--phenoFile", f"{self.folder}/phenotypes.txt"),
            *("--covarFile", f"{self.folder}/covariates.txt"),
            *("--qt", "--bsize", "100", "--threads", "1"),
        ]

    def rewrite(self, name: str, edit: Callable[[list[list[str]]], list[list[str]]]) -> None:
        """Replace a text file by what `edit` makes of its rows of fields."""
        path = self.folder / name
        rows = edit([line.split() for line in path.read_text().splitlines()])
        path.write_text("".join("\t".join(row) + "\n" for row in rows))


@dataclass(frozen=True)
class WholeRun:
    step1: Path  # prefix of step 1's output
    step2: Path

    @property
    def predictions(self) -> Path:
        return Path(f"{self.step1}_pred.list")


def run_regenie(*arguments: str | Path) -> int:
    # main() sets the number of BLAS threads for the process it believes to be its own.
    with mock.patch.dict(os.environ):
        return main([str(argument) for argument in arguments])


@pytest.fixture
def regenie():
    """Run the stand-in with a command line; the exit code."""
    return run_regenie


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return Cohort(COHORT)


@pytest.fixture
def own_cohort(tmp_path) -> Cohort:
    """A copy of the cohort that a test may change."""
    folder = tmp_path / "data"
    shutil.copytree(COHORT, folder)
    return Cohort(folder)


@pytest.fixture(scope="session")
def expected() -> Path:
    """Folder with the results of the real regenie 4.1.2."""
    return EXPECTED


@pytest.fixture(scope="session")
def whole(cohort, tmp_path_factory) -> WholeRun:
    """Both steps on the reference cohort, unsplit."""
    folder = tmp_path_factory.mktemp("whole")
    run = WholeRun(folder / "step1", folder / "step2")
    assert run_regenie("--step", "1", *cohort.arguments, "--out", run.step1) == 0
    assert run_regenie("--step", "2", *cohort.arguments, "--pred", run.predictions, "--out", run.step2) == 0
    return run
