"""One task: its command, its output folder, and the checks that regenie's exit code does not do."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.unit.regenie_runner.conftest import HEADER, RUNNER, chunk_task, result_row

GOOD_CHUNK = f"""
printf '{HEADER.strip()}\\n{result_row("1", 5).strip()}\\n' | tee "$OUT"_height.regenie > "$OUT"_ldl.regenie
echo "Number of ignored tests due to low MAC : 0" > "$OUT".log
echo ran >> "$WORKSPACE"/runs
"""
BOTH = ["height", "ldl"]


def runs(launch) -> int:
    path = launch.root / "runs"
    return path.read_text().count("ran") if path.exists() else 0


# --- Outputs ----------------------------------------------------------------------------------------------------------
def test_a_complete_output_appears_under_its_name(launch):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(GOOD_CHUNK)
    assert launch.run("step2") == 0
    assert sorted(p.name for p in (launch.work / "step2" / "000000").iterdir()) == [
        "chunk.log",
        "chunk_height.regenie",
        "chunk_ldl.regenie",
        "task.json",
    ]
    assert launch.leftovers() == []


def test_the_command_writes_beside_its_target_in_a_folder_of_the_attempt(launch, capfd):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does('echo "writes to $OUT"')
    launch.run("step2")
    place = launch.work / "step2" / ".000000.attempts" / "5f1c7d0e-3-1" / "new" / "chunk"
    assert f"writes to {place}\n" in capfd.readouterr().out


def test_missing_and_empty_outputs_are_named(launch, capfd):
    launch.plan("step2", chunk_task(0, ["height", "ldl", "bmi"], 1))
    launch.regenie_does('echo x > "$OUT"_height.regenie; : > "$OUT"_bmi.regenie')
    assert launch.run("step2") == 1
    assert capfd.readouterr().err == (
        "The command ended without an error but did not write chunk_ldl.regenie and left empty chunk_bmi.regenie.\n"
    )
    assert not (launch.work / "step2" / "000000").exists()
    assert launch.leftovers() == []


def test_many_missing_outputs_are_counted(launch, capfd):
    launch.plan("step2", chunk_task(0, [f"t{i}" for i in range(9)], 1))
    launch.regenie_does("true")
    launch.run("step2")
    assert "chunk_t4.regenie and 4 more" in capfd.readouterr().err


def test_a_failing_command_is_told_with_its_exit_code(launch, capfd):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does("echo ERROR: no such file >&2; exit 7")
    assert launch.run("step2") == 1
    assert capfd.readouterr().err.splitlines() == [
        "ERROR: no such file",
        "regenie ended with exit code 7; its last lines in the log say why.",
    ]


def test_a_killed_command_gives_the_shells_exit_code_and_a_hint(launch, capfd):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does("kill -KILL $$")
    assert launch.run("step2") == 137
    assert "out of memory" in capfd.readouterr().err


def test_a_command_that_is_not_installed_is_named(launch, capfd):
    launch.plan("step1", {"label": "x", "command": ["regenie-5"], "output": "step1", "expect": ["x"]})
    assert launch.run("step1") == 1
    assert "regenie-5 cannot be started: No such file" in capfd.readouterr().err


def test_a_placeholder_without_a_place_is_an_error(launch, capfd):
    launch.plan("split", {"label": "plan", "command": ["regenie", "{output}"], "expect": ["x"]})
    assert launch.run("split") == 1
    assert "uses {output} but has no output folder" in capfd.readouterr().err


# --- Retries ----------------------------------------------------------------------------------------------------------
def test_output_is_kept_also_when_a_retry_has_other_resources(launch):
    launch.regenie_does(GOOD_CHUNK)
    for threads in ("2", "8"):
        command = ["regenie", "--step", "2", "--threads", threads, "--out", "{output}/chunk"]
        launch.plan("step2", chunk_task(0, BOTH, 1, command=command))
        assert launch.run("step2") == 0
    assert runs(launch) == 1


@pytest.mark.parametrize("phase", ["split", "level0"])
def test_the_split_is_not_made_again_for_a_complete_level_1(launch, phase, capfd):
    # Given predictions of an earlier attempt, and none of the split's own files, which are void on a new file system
    level1 = {"label": "level 1", "command": ["sh", "-c", "echo 1 > $0", "{output}/x.loco"], "expect": ["x.loco"]}
    launch.plan("level1", {**level1, "output": "step1/predictions/height"})
    assert launch.run("level1") == 0
    launch.plan(phase, {"label": phase, "command": ["false"], "expect": ["{work}/step1/split/l0.master"]})

    assert launch.run(phase) == 0
    assert "All predictions are complete" in capfd.readouterr().out


def level0_of_two(launch):
    """Given: level 0 in two jobs that have finished, and a level 1 that would succeed on anything."""
    files = {job: f"{{work}}/step1/split/l0_job{job}_l0_Y1" for job in (1, 2)}
    tasks = [
        {
            "label": f"level 0 job {job} of 2",
            "command": ["sh", "-c", f"echo {job} > {file}"],
            "expect": [file],
            "job": job,
        }
        for job, file in files.items()
    ]
    launch.plan("level0", *tasks)
    command = ["sh", "-c", "echo 1 > $0", "{output}/x.loco"]
    launch.plan("level1", {"label": "1", "command": command, "output": "step1/predictions/ldl", "expect": ["x.loco"]})
    for index in ("0", "1"):
        launch.environment(AWS_BATCH_JOB_ARRAY_INDEX=index)
        assert launch.run("level0") == 0
    launch.environment(AWS_BATCH_JOB_ARRAY_INDEX="0")


def test_level_1_runs_on_what_level_0_left(launch):
    level0_of_two(launch)
    assert launch.run("level1") == 0


@pytest.mark.parametrize("spoil", ["cut", "lost", "unfinished"])
def test_level_1_does_not_run_on_level_0_files_that_are_not_what_their_job_left(launch, spoil, capfd):
    level0_of_two(launch)
    file = launch.work / "step1/split/l0_job2_l0_Y1"
    if spoil == "cut":
        file.write_text("")
    else:
        (file if spoil == "lost" else file.with_name(f"{file.name}.finished")).unlink()

    assert launch.run("level1") == 1
    assert "The files of level 0 job 2 of 2 are missing or not as that job left them" in capfd.readouterr().err
    assert not (launch.work / "step1/predictions/ldl").exists()


def test_the_split_is_made_again_for_an_incomplete_level_1(launch):
    launch.plan("level1", {"label": "1", "command": ["true"], "output": "step1/predictions/ldl", "expect": ["x.loco"]})
    launch.plan("split", {"label": "split", "command": ["false"], "expect": ["{work}/step1/split/l0.master"]})

    assert launch.run("split") == 1


def test_a_complete_output_of_an_earlier_attempt_is_kept(launch, capfd):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(GOOD_CHUNK)
    launch.run("step2")
    launch.environment(AWS_BATCH_JOB_ATTEMPT="2")
    assert launch.run("step2") == 0
    assert runs(launch) == 1
    assert "complete from an earlier attempt" in capfd.readouterr().out


def test_the_output_of_another_task_is_made_again(launch, capfd):
    # As when a launch is planned anew on other data, and chunk 0 has as many variants as it had, but others.
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(GOOD_CHUNK)
    launch.run("step2")
    launch.plan("step2", chunk_task(0, BOTH, 1, label="another chunk"))
    assert launch.run("step2") == 0
    assert runs(launch) == 2
    assert "of another task" in capfd.readouterr().out


def test_the_output_of_other_inputs_is_made_again(launch):
    launch.regenie_does(GOOD_CHUNK)
    for fingerprint in ("a", "b", "b"):
        launch.plan("step2", chunk_task(0, BOTH, 1, inputs=fingerprint))
        assert launch.run("step2") == 0
    assert runs(launch) == 2


def test_an_incomplete_output_is_replaced_as_a_whole(launch):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(GOOD_CHUNK)
    launch.run("step2")
    launch.write("step2/000000/chunk_height.regenie", "half a")
    launch.write("step2/000000/stray", "x")
    assert launch.run("step2") == 0
    assert (launch.work / "step2/000000/chunk_height.regenie").read_text() == HEADER + result_row("1", 5)
    assert not (launch.work / "step2/000000/stray").exists()
    assert launch.leftovers() == []


def test_what_a_killed_attempt_left_is_removed_by_the_next(launch):
    launch.write("step2/.000000.attempts/other-job-1/new/chunk_height.regenie", "half a")
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(GOOD_CHUNK)
    assert launch.run("step2") == 0
    assert launch.leftovers() == []


def test_sigterm_reaches_the_command_and_nothing_is_left(launch):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does(
        "trap 'echo stopped > \"$WORKSPACE\"/signal; exit 1' TERM; echo up; while :; do sleep 0.02; done"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "regenie_runner", "step2"],
        env={**os.environ, **RUNNER},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout is not None
        assert "up\n" in iter(job.stdout.readline, "")
        job.send_signal(signal.SIGTERM)
        _, complaint = job.communicate(timeout=10)
    assert job.returncode == 143
    assert complaint == "Stopped by SIGTERM.\n"
    assert (launch.root / "signal").read_text() == "stopped\n"
    assert launch.leftovers() == []
    assert not (launch.work / "step2" / "000000").exists()


def test_sigterm_while_the_command_is_being_started_reaches_it_too(launch, monkeypatch):
    started = []

    def start(command):
        process = subprocess.Popen(command)
        signal.raise_signal(signal.SIGTERM)  # before the runner knows the process
        started.append(process)
        return process

    launch.plan("step1", {"label": "x", "command": ["sleep", "60"], "output": "step1", "expect": ["x"]})
    monkeypatch.setattr("regenie_runner.command.start_process", start)
    assert launch.run("step1") == 143
    assert started[0].returncode == -signal.SIGTERM


# --- Predictions ------------------------------------------------------------------------------------------------------
def predictions(**more: str) -> dict[str, str]:
    return {"height": "{work}/step1/predictions/height/step1_1.loco", **more}


def test_predictions_are_listed_for_the_command(launch):
    loco = launch.write("step1/predictions/height/step1_1.loco", "FID_IID a_a\n")
    launch.plan("step2", chunk_task(0, ["height"], 1, predictions=predictions()))
    launch.regenie_does('cp "${OUT%chunk}pred.list" "$WORKSPACE"/seen;' + GOOD_CHUNK)
    assert launch.run("step2") == 0
    assert (launch.root / "seen").read_text() == f"height {loco}\n"


def test_a_trait_without_predictions_is_named_before_the_command_runs(launch, capfd):
    launch.write("step1/predictions/height/step1_1.loco", "FID_IID a_a\n")
    launch.plan("step2", chunk_task(0, BOTH, 1, predictions=predictions()))
    launch.regenie_does(GOOD_CHUNK)
    assert launch.run("step2") == 1
    assert capfd.readouterr().err == "Step 1 gave no predictions for ldl.\n"
    assert runs(launch) == 0


def test_missing_prediction_files_are_named_with_their_trait(launch, capfd):
    launch.write("step1/predictions/height/step1_1.loco", "")
    launch.plan("step2", chunk_task(0, ["height"], 1, predictions=predictions()))
    assert launch.run("step2") == 1
    assert "missing or empty for height (/" in capfd.readouterr().err


# --- Rows of a chunk --------------------------------------------------------------------------------------------------
def chunk_of(rows: int, log: str) -> str:
    return f"""
    {{ echo '{HEADER.strip()}'; yes '{result_row("1", 5).strip()}' | head -n {rows}; }} > "$OUT"_height.regenie
    cp "$OUT"_height.regenie "$OUT"_ldl.regenie
    echo '{log}' > "$OUT".log
    """


@pytest.mark.parametrize(
    ("variants", "rows", "log"),
    [
        (3, 3, "Number of ignored tests due to low MAC : 0"),
        (3, 1, "Number of ignored tests due to low MAC : 4"),
        (3, 1, "Number of ignored tests due to low MAC or info score : 4"),
        (3, 0, "Number of ignored tests due to low MAC : 6"),
        (3, 3, "a log without the line"),
    ],
)
def test_rows_and_ignored_tests_account_for_every_variant_and_trait(launch, variants, rows, log):
    launch.plan("step2", chunk_task(0, BOTH, variants))
    launch.regenie_does(chunk_of(rows, log))
    assert launch.run("step2") == 0


def interacting(option: str, value: str) -> dict[str, object]:
    command = ["regenie", "--step", "2", option, value, "--out", "{output}/chunk"]
    return chunk_task(0, BOTH, 3, command=command)


def chunk_of_tests(own: int, interaction: int, ignored: int) -> str:
    """A chunk with these rows of each trait."""
    row = result_row("1", 5).strip()
    other = row.replace(" ADD ", " ADD-INT_SNPxsex ")
    rows = f"yes '{row}' | head -n {own}; yes '{other}' | head -n {interaction}"
    return f"""
    {{ echo '{HEADER.strip()}'; {rows}; }} > "$OUT"_height.regenie
    cp "$OUT"_height.regenie "$OUT"_ldl.regenie
    echo 'Number of ignored tests due to low MAC : {ignored}' > "$OUT".log
    """


@pytest.mark.parametrize(
    ("option", "own", "interaction", "ignored", "code"),
    [
        ("--interaction", 3, 9, 0, 0),
        ("--interaction", 3, 0, 0, 0),  # its own check is the merge's
        ("--interaction", 2, 6, 8, 0),  # regenie counts four tests of a variant and trait
        ("--interaction", 2, 9, 0, 1),
        ("--interaction", 2, 9, 2, 1),
        ("--interaction-snp", 3, 9, 0, 0),
        ("--interaction-snp", 2, 9, 0, 0),  # the variant itself is not tested
        ("--interaction-snp", 1, 9, 0, 1),
    ],
)
def test_the_variants_own_rows_of_an_interaction_are_counted(launch, option, own, interaction, ignored, code):
    launch.plan("step2", interacting(option, "sex"))
    launch.regenie_does(chunk_of_tests(own, interaction, ignored))

    assert launch.run("step2") == code


def test_lost_rows_fail_with_the_numbers(launch, capfd):
    launch.plan("step2", chunk_task(0, BOTH, 3))
    launch.regenie_does(chunk_of(2, "Number of ignored tests due to low MAC : 1"))
    assert launch.run("step2") == 1
    assert capfd.readouterr().err == (
        "The results have 4 rows and the log counts 1 ignored, but 3 variants × 2 traits are 6 tests.\n"
    )


@pytest.mark.parametrize(("rows", "code"), [(2, 0), (1, 1), (3, 1)])
def test_variants_that_the_plan_estimated_are_counted_in_the_list(launch, rows, code):
    # Given a chunk whose slice of the list has two variants, and a third one behind it
    (launch.data / "cohort.bim").write_text("1 a 0 10 A G\n1 b 0 20 A G\n1 c 0 30 A G\n")
    place = {"path": "{data}/cohort.bim", "start": 0, "end": 26, "position_column": 3}
    task = chunk_task(0, BOTH, 0, slice={**place, "chromosome": 1, "first": 10, "last": 20})
    launch.plan("step2", {key: value for key, value in task.items() if key != "variants"})
    launch.regenie_does(chunk_of(rows, "Number of ignored tests due to low MAC : 0"))

    assert launch.run("step2") == code


def test_a_job_of_gene_based_tests_gets_its_list_of_sets_and_leaves_results_like_any_other(launch):
    task = chunk_task(0, ["height"], 0, files={"sets.txt": "PCSK9\nAPOB\n"})
    del task["variants"]
    launch.plan("step2", task)
    launch.regenie_does(
        f"""grep -q PCSK9 "$(dirname "$OUT")/sets.txt" || exit 1
        printf '##MASKS=<M1="LoF">\\n{HEADER.strip()}\\n{result_row("1", 5).strip()}\\n' > "$OUT"_height.regenie"""
    )

    assert launch.run("step2") == 0

    folder = launch.work / "step2/000000"
    assert (folder / "chunk_height.regenie").read_text() == HEADER + result_row("1", 5)
    assert (folder / "chunk_height.regenie.masks").read_text() == '##MASKS=<M1="LoF">\n'
    assert sorted(path.name for path in folder.iterdir()) == [
        "chunk_height.regenie", "chunk_height.regenie.masks", "sets.txt", "task.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("garbage\\n", "does not begin with regenie's header"),
        (HEADER.strip() + "\\n1 5", "ends in the middle of a line"),
    ],
)
def test_a_damaged_result_file_fails(launch, content, sentence, capfd):
    launch.plan("step2", chunk_task(0, ["height"], 1))
    launch.regenie_does(f"printf '{content}' > \"$OUT\"_height.regenie")
    assert launch.run("step2") == 1
    assert sentence in capfd.readouterr().err


# --- Split step 1, in place -------------------------------------------------------------------------------------------
MASTER = "1000 100\npar_job1 4 400\npar_job2 3 300\n"


def level0_task(job: int) -> dict[str, object]:
    return {
        "label": f"level 0 job {job}",
        "command": ["regenie", "--run-l0", f"{{work}}/step1/split/par.master,{job}", "--out", "{work}/step1/l0/log"],
        "expect": [f"{{work}}/step1/split/par_job{job}_l0_Y1"],
        "job": job,
    }


def level0_writes(launch, job: int) -> None:
    launch.regenie_does(
        f'echo ran >> "$WORKSPACE"/runs; echo predictors > "{launch.work}/step1/split/par_job{job}_l0_Y1"'
    )


def test_a_level_0_job_beyond_the_master_has_nothing_to_do(launch, capfd):
    launch.write("step1/split/par.master", MASTER)
    launch.plan("level0", level0_task(1), level0_task(2), level0_task(3))
    level0_writes(launch, 3)
    assert launch.run("level0", index=2) == 0
    assert "split into 2 jobs" in capfd.readouterr().out
    assert runs(launch) == 0


def test_a_level_0_job_without_a_master_fails(launch, capfd):
    launch.plan("level0", level0_task(1))
    assert launch.run("level0") == 1
    assert "par.master of the split step 1 is missing or empty" in capfd.readouterr().err


def test_a_level_0_job_makes_the_folder_of_its_log_and_is_done_once(launch):
    launch.write("step1/split/par.master", MASTER)
    launch.plan("level0", level0_task(1), level0_task(2))
    level0_writes(launch, 2)
    assert launch.run("level0", index=1) == 0
    assert (launch.work / "step1" / "l0").is_dir()
    assert launch.run("level0", index=1) == 0
    assert runs(launch) == 1


def test_a_level_0_job_of_other_inputs_is_done_again(launch):
    launch.write("step1/split/par.master", MASTER)
    level0_writes(launch, 1)
    for fingerprint in ("a", "b"):
        launch.plan("level0", {**level0_task(1), "inputs": fingerprint})
        assert launch.run("level0") == 0
    assert runs(launch) == 2


def test_a_level_0_file_that_a_killed_attempt_left_is_made_again(launch):
    launch.write("step1/split/par.master", MASTER)
    left = launch.write("step1/split/par_job2_l0_Y1", "half a")
    launch.plan("level0", level0_task(1), level0_task(2))
    level0_writes(launch, 2)
    assert launch.run("level0", index=1) == 0
    assert left.read_text() == "predictors\n"


def test_a_level_0_file_that_changed_its_size_is_made_again(launch):
    launch.write("step1/split/par.master", MASTER)
    launch.plan("level0", level0_task(1), level0_task(2))
    level0_writes(launch, 2)
    launch.run("level0", index=1)
    launch.write("step1/split/par_job2_l0_Y1", "cut")
    assert launch.run("level0", index=1) == 0
    assert (launch.work / "step1/split/par_job2_l0_Y1").read_text() == "predictors\n"


def test_a_receipt_is_void_on_another_file_system(launch):
    """The master of a split holds absolute paths, so level 0 of one file system is no use on another."""
    launch.write("step1/split/par.master", MASTER)
    launch.plan("level0", level0_task(1))
    level0_writes(launch, 1)
    launch.run("level0")
    receipt = launch.work / "step1/split/par_job1_l0_Y1.finished"
    receipt.write_text(receipt.read_text().replace(str(launch.root), "/elsewhere"))
    assert launch.run("level0") == 0
    assert runs(launch) == 2
    assert json.loads(receipt.read_text())["task"]["command"][2].startswith(str(launch.root))


def test_a_level_0_job_that_wrote_nothing_fails_though_an_old_file_was_there(launch, capfd):
    launch.write("step1/split/par.master", MASTER)
    launch.write("step1/split/par_job1_l0_Y1", "of an earlier attempt")
    launch.plan("level0", level0_task(1))
    launch.regenie_does("true")
    assert launch.run("level0") == 1
    assert "did not write par_job1_l0_Y1" in capfd.readouterr().err


# --- Lists of variants ------------------------------------------------------------------------------------------------
def filtered_chunk(**given):
    """A chunk among whose variants lists choose: how many are left is in regenie's log."""
    return chunk_task(0, BOTH, 3, filtered=True, **given)


def test_a_chunk_with_lists_is_checked_by_what_its_log_says_is_left(launch, capfd):
    launch.plan("step2", filtered_chunk())
    remaining = 'echo "   -number of variants remaining in the analysis = {}" >> "$OUT".log'

    launch.regenie_does(GOOD_CHUNK + remaining.format(2))
    assert launch.run("step2") == 1
    assert "2 variants × 2 traits are 4 tests" in capfd.readouterr().err

    launch.regenie_does(GOOD_CHUNK + remaining.format(1))
    assert launch.run("step2") == 0


def test_a_log_that_does_not_say_what_lists_left_means_all(launch, capfd):
    launch.plan("step2", filtered_chunk())
    launch.regenie_does(GOOD_CHUNK)

    assert launch.run("step2") == 1
    assert "3 variants × 2 traits are 6 tests" in capfd.readouterr().err


def test_a_chunk_of_which_lists_leave_nothing_has_results_without_rows(launch):
    launch.plan("step2", filtered_chunk())
    launch.regenie_does('echo "ERROR: no variant left to include in analysis." > "$OUT".log; exit 1')

    assert launch.run("step2") == 0
    assert (launch.work / "step2" / "000000" / "chunk_ldl.regenie").read_text() == HEADER
    assert launch.run("step2") == 0  # also when it is seen again


SET_CHUNK = {
    **chunk_task(0, BOTH, 3, counted=False),
    "command": ["regenie", "--step", "2", "--set-list", "{data}/sets.txt", "--out", "{output}/chunk"],
}


@pytest.mark.parametrize(
    "sentence",
    [
        "no sets are left to be analyzed.",
        "no set left to include in analysis.",
        "annotation information could not be read. Perhaps check variant IDs matches those in the genotype file?",
        "no masks are left to be included in the analysis.",
    ],
)
def test_a_chunk_of_which_no_set_can_be_tested_has_results_without_rows(launch, sentence, capfd):
    """As in one run over all chromosomes, which passes over such sets (regenie 4.1.2, Geno.cpp)."""
    launch.plan("step2", SET_CHUNK)
    launch.regenie_does(f'echo "   +n_variants = 9 ERROR: {sentence}" > "$OUT".log; exit 1')

    assert launch.run("step2") == 0
    assert (launch.work / "step2" / "000000" / "chunk_ldl.regenie").read_text() == HEADER
    assert sentence in capfd.readouterr().out
    assert launch.run("step2") == 0  # also when it is seen again


@pytest.mark.parametrize(
    "log",
    [
        "ERROR: cannot open file : sets.txt",
        "ERROR: no phenotype, since no sets are left to be analyzed.",
        "no sets are left to be analyzed.",
        "ERROR: no variant left to include in analysis.",
    ],
)
def test_a_chunk_of_sets_may_fail_of_other_causes(launch, log):
    launch.plan("step2", SET_CHUNK)
    launch.regenie_does(f'echo "{log}" > "$OUT".log; exit 1')

    assert launch.run("step2") == 1


def test_a_chunk_without_sets_does_not_pass_over_them(launch):
    launch.plan("step2", filtered_chunk())
    launch.regenie_does('echo "ERROR: no sets are left to be analyzed." > "$OUT".log; exit 1')

    assert launch.run("step2") == 1


def test_a_chunk_without_lists_must_have_variants(launch):
    launch.plan("step2", chunk_task(0, BOTH, 1))
    launch.regenie_does('echo "ERROR: no variant left to include in analysis." > "$OUT".log; exit 1')

    assert launch.run("step2") == 1


def test_a_chunk_with_lists_may_fail_of_other_causes(launch, capfd):
    launch.plan("step2", filtered_chunk())
    launch.regenie_does('echo "ERROR: phenotype has sd=0." > "$OUT".log; exit 1')

    assert launch.run("step2") == 1


def test_tests_with_several_rows_a_variant_are_not_counted(launch):
    launch.plan("step2", filtered_chunk(counted=False))
    launch.regenie_does(GOOD_CHUNK)

    assert launch.run("step2") == 0


# --- Quality control --------------------------------------------------------------------------------------------------
def test_the_first_job_of_step_1_controls_quality_before_its_command(launch):
    # Given a variant that all have, and one that half of them have
    (launch.data / "cohort.bed").write_bytes(b"\x6c\x1b\x01" + bytes([0b11111111, 0b10111011]))
    (launch.data / "cohort.bim").write_text("1\trs1\t0\t1\tA\tG\n1\trs2\t0\t2\tA\tG\n")
    (launch.data / "cohort.fam").write_text("".join(f"f i{n} 0 0 1 0\n" for n in range(4)))
    launch.write("plan/analysed.txt", "1111")
    thresholds = {"maf": 0.1, "mac": 1, "geno": 0.1, "hwe": 1e-15, "mind": 0.1}
    launch.plan(
        "split",
        {
            "label": "split",
            "command": ["regenie", "--out", "{work}/step1/split/l0"],
            "expect": ["step1/split/l0.master"],
            "qc": {"genotypes": "cohort.bed", "analysed": "plan/analysed.txt", **thresholds, "output": "step1/qc"},
        },
    )
    launch.regenie_does('cp "$WORKSPACE"/work/step1/qc/variants.txt "$OUT".master')

    assert launch.run("split") == 0
    assert (launch.work / "step1/split/l0.master").read_text() == "rs2\n"
