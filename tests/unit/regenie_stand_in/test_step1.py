"""Step 1: split and unsplit, what is left on disk, and regenie's traps around its files."""

import gzip
from pathlib import Path

import numpy as np
import pytest


def loco(prefix: Path, index: int) -> str:
    return prefix.with_name(f"{prefix.name}_{index}.loco").read_text()


@pytest.fixture
def plan(tmp_path):
    """Prefix of a plan's files."""
    return tmp_path / "split" / "par"


@pytest.fixture
def level0(regenie, cohort, plan, tmp_path):
    """Plan with a number of jobs and run all of level 0; what was run."""

    def run(jobs=3, step=("--step", "1", *cohort.arguments)):
        plan.parent.mkdir(exist_ok=True)
        assert regenie(*step, "--split-l0", f"{plan},{jobs}", "--out", tmp_path / "plan") == 0
        planned = len(plan.with_suffix(".master").read_text().splitlines()) - 1
        for job in range(1, planned + 1):
            assert regenie(*step, "--run-l0", f"{plan}.master,{job}", "--out", tmp_path / f"l0_{job}") == 0
        return planned

    return run


@pytest.fixture
def level1(regenie, cohort, plan):
    def run(out, *more, arguments=cohort.arguments):
        return regenie("--step", "1", *arguments, "--run-l1", f"{plan}.master", *more, "--out", out)

    return run


@pytest.mark.parametrize("jobs", [2, 3, 10])
def test_split_predictions_are_the_unsplit_ones(level0, level1, whole, tmp_path, jobs):
    assert level0(jobs) == jobs

    assert level1(tmp_path / "l1") == 0

    assert [loco(tmp_path / "l1", index) for index in (1, 2)] == [loco(whole.step1, index) for index in (1, 2)]


def test_level_1_in_one_job_per_trait(level0, level1, whole, tmp_path):
    level0()

    for trait in ("height", "ldl"):
        assert level1(tmp_path / trait, "--l1-phenoList", trait, "--keep-l0") == 0

    assert loco(tmp_path / "height", 1) == loco(whole.step1, 1)
    assert loco(tmp_path / "ldl", 2) == loco(whole.step1, 2), "numbered by place among the kept traits"
    assert not (tmp_path / "ldl_1.loco").exists()
    assert (tmp_path / "ldl_pred.list").read_text() == f"ldl {tmp_path}/ldl_2.loco\n"


def test_low_memory_changes_nothing_and_leaves_nothing(regenie, cohort, whole, tmp_path):
    lowmem = ("--lowmem", "--lowmem-prefix", tmp_path / "scratch")

    assert regenie("--step", "1", *cohort.arguments, *lowmem, "--out", tmp_path / "low") == 0

    assert loco(tmp_path / "low", 2) == loco(whole.step1, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"low.log", "low_1.loco", "low_2.loco", "low_pred.list"}


def test_paths_in_the_prediction_list(regenie, cohort, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one_chromosome = (*cohort.arguments, "--chr", "22")

    assert regenie("--step", "1", *one_chromosome, "--out", "absolute") == 0
    assert regenie("--step", "1", *one_chromosome, "--use-relative-path", "--gz", "--out", "relative") == 0

    first = (tmp_path / "absolute_pred.list").read_text().splitlines()[0]
    assert first == f"height {tmp_path}/absolute_1.loco"
    assert (tmp_path / "relative_pred.list").read_text() == "height relative_1.loco.gz\nldl relative_2.loco.gz\n"
    unpacked = gzip.decompress((tmp_path / "relative_1.loco.gz").read_bytes()).decode()
    assert unpacked == (tmp_path / "absolute_1.loco").read_text()


def test_predictions_have_a_row_for_every_chromosome(whole):
    header, *rows = (line.split() for line in loco(whole.step1, 1).splitlines())

    assert header[0] == "FID_IID"
    assert header[1:] == sorted(header[1:])
    assert [int(row[0]) for row in rows] == list(range(1, 24))
    without_variants = [row[1:] for row in rows if row[0] not in {"1", "2", "22"}]
    assert all(row == without_variants[0] for row in without_variants), "they hold the total"


# --- Traps ---------------------------------------------------------------------------------------------------------


def test_more_jobs_than_blocks_are_lowered_with_a_warning(level0, plan, capsys):
    planned = level0(jobs=500)

    assert planned == 10
    assert "WARNING: Number of jobs cannot be greater than number of blocks" in capsys.readouterr().out


def test_one_job_is_an_error(regenie, cohort, plan, tmp_path, capsys):
    assert regenie("--step", "1", *cohort.arguments, "--split-l0", f"{plan},1", "--out", tmp_path / "p") == 1

    assert "number of jobs must be >1" in capsys.readouterr().err


def test_a_shortened_trait_list_at_level_1_reads_the_wrong_file(level0, level1, cohort, plan, tmp_path):
    level0()
    for of_ldl in plan.parent.glob("*_l0_Y2"):
        of_ldl.unlink()

    status = level1(tmp_path / "l1", "--keep-l0", arguments=[*cohort.arguments, "--phenoColList", "ldl"])

    assert status == 0, "height's level 0 predictors are taken for ldl's"
    assert (tmp_path / "l1_pred.list").read_text() == f"ldl {tmp_path}/l1_1.loco\n"


def test_level_1_deletes_level_0_unless_told_not_to(level0, level1, plan, tmp_path):
    level0()

    assert level1(tmp_path / "kept", "--keep-l0") == 0
    assert len(list(plan.parent.glob("*_l0_Y*"))) == 6

    assert level1(tmp_path / "deleted") == 0
    assert [path.name for path in plan.parent.iterdir()] == ["par.master"]


def test_another_block_size_is_refused(level0, level1, cohort, tmp_path, capsys):
    level0()

    assert level1(tmp_path / "l1", arguments=[*cohort.arguments, "--bsize", "50"]) == 1

    assert "master file" in capsys.readouterr().err


def test_a_filter_that_the_plan_did_not_have_is_refused(level0, level1, cohort, tmp_path, capsys):
    level0()

    assert level1(tmp_path / "l1", arguments=[*cohort.arguments, "--chr", "1"]) == 1

    assert "doesn't match that in the analysis" in capsys.readouterr().err


def test_a_job_that_the_plan_does_not_have(level0, regenie, cohort, plan, tmp_path, capsys):
    level0()

    assert regenie("--step", "1", *cohort.arguments, "--run-l0", f"{plan}.master,4", "--out", tmp_path / "x") == 1

    assert "could not read line 5" in capsys.readouterr().err


def test_a_truncated_level_0_file_is_noticed(level0, level1, plan, tmp_path, capsys):
    level0()
    damaged = plan.with_name("par_job2_l0_Y1")
    damaged.write_bytes(damaged.read_bytes()[:-8])

    assert level1(tmp_path / "l1") == 1

    assert f"{damaged} is not the right size" in capsys.readouterr().err


def test_level_0_files_hold_standardised_doubles_column_by_column(level0, plan):
    level0()

    columns = np.fromfile(plan.with_name("par_job1_l0_Y1")).reshape(4 * 5, 800)

    assert np.allclose(columns.mean(axis=1), 0)
    assert np.allclose(columns.std(axis=1, ddof=1), 1)


def test_a_variant_without_variance_stops_step_1(regenie, own_cohort, tmp_path, capsys):
    bed = own_cohort.folder / "cohort.bed"
    content = bytearray(bed.read_bytes())
    content[3 + 7 * 200 : 3 + 8 * 200] = b"\xff" * 200
    bed.write_bytes(content)

    assert regenie("--step", "1", *own_cohort.arguments, "--out", tmp_path / "x") == 1

    name = (own_cohort.folder / "cohort.bim").read_text().splitlines()[7].split()[1]
    assert f"SNP {name} has low variance" in capsys.readouterr().err
    assert "low variance" in (tmp_path / "x.log").read_text()
