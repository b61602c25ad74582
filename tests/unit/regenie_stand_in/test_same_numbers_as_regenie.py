"""The stand-in against the results of the real regenie 4.1.2 on the same cohort."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

COHORT = Path(__file__).parents[3] / "examples" / "gwas" / "cohort"


def of_regenie(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


@pytest.mark.parametrize("index", [1, 2])
def test_step_1_prints_the_same_predictions(whole, expected, index):
    printed = (whole.step1.parent / f"step1_{index}.loco").read_text()

    assert printed == of_regenie(expected / f"qt_step1_{index}.loco.gz")


@pytest.mark.parametrize("trait", ["height", "ldl"])
def test_step_2_prints_the_same_statistics(whole, expected, trait):
    printed = (whole.step2.parent / f"step2_{trait}.regenie").read_text()

    assert printed == of_regenie(expected / f"qt_step2_{trait}.regenie.gz")


@pytest.mark.parametrize(
    ("trait", "hits"),
    [
        ("height", [("2:30467:A:G", "8.45389"), ("2:11574:A:G", "6.90254"), ("2:24056:A:G", "6.13068")]),
        ("ldl", [("2:24056:A:G", "7.83811"), ("2:11574:A:G", "6.53334"), ("2:30467:A:G", "6.28775")]),
    ],
)
def test_the_strongest_associations_are_the_simulated_ones(whole, trait, hits):
    rows = [line.split() for line in (whole.step2.parent / f"step2_{trait}.regenie").read_text().splitlines()[1:]]

    strongest = sorted(rows, key=lambda row: float(row[11]), reverse=True)[:3]

    assert [(row[2], row[11]) for row in strongest] == hits


@pytest.mark.parametrize("trait", ["height", "ldl"])
def test_ranks_and_categories_give_the_same_statistics(regenie, cohort, expected, tmp_path, trait):
    # Given: a centre of four names for each person, as regenie had it
    rows = [line.split() for line in (COHORT / "covariates.txt").read_text().splitlines()]
    centres = ["centre", *(f"c{(number + 2) % 5}" for number in range(len(rows) - 1))]
    covariates = tmp_path / "covariates.txt"
    covariates.write_text("".join(f"{' '.join((*row, centre))}\n" for row, centre in zip(rows, centres, strict=True)))
    files = ("--bed", COHORT / "cohort", "--phenoFile", COHORT / "phenotypes.txt", "--covarFile", covariates)
    given = (*files, "--catCovarList", "centre", "--apply-rint", "--qt", "--bsize", "100")

    assert regenie("--step", "1", *given, "--out", tmp_path / "one") == 0
    assert regenie("--step", "2", *given, "--pred", tmp_path / "one_pred.list", "--out", tmp_path / "two") == 0

    printed = (tmp_path / f"two_{trait}.regenie").read_text()
    assert printed == of_regenie(expected / f"qt_rint_categories_step2_{trait}.regenie.gz")


def test_the_split_plan_is_the_same(regenie, cohort, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert regenie("--step", "1", *cohort.arguments, "--split-l0", "par,3", "--out", "plan") == 0

    assert (tmp_path / "par.master").read_text() == (expected / "split_l0.master").read_text()


def test_it_runs_as_a_command(cohort, whole, tmp_path):
    command = [sys.executable, "-m", "regenie_stand_in", "--step", "2", *cohort.arguments]
    command += ["--range", "22:1-99999999", "--pred", str(whole.predictions), "--out", str(tmp_path / "chunk")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Number of ignored tests due to low MAC : 0" in done.stdout
    assert done.stdout == (tmp_path / "chunk.log").read_text()
    assert len((tmp_path / "chunk_ldl.regenie").read_text().splitlines()) == 101
