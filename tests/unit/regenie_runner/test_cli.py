"""Which task a job does, and when it refuses to do any."""

import subprocess
import sys

import pytest

from regenie_runner.cli import main
from tests.unit.regenie_runner.conftest import RUNNER


@pytest.mark.parametrize("arguments", [[], ["level3"], ["step2", "extra"]])
def test_an_unknown_phase_is_a_usage_error(launch, arguments, capfd):
    assert main(arguments) == 2
    assert "split|level0|level1|step1|step2|merge|report" in capfd.readouterr().err


def test_missing_environment_variables_are_all_named(launch, monkeypatch, capfd):
    monkeypatch.delenv("WORKSPACE")
    monkeypatch.delenv("LAUNCH_ID")
    assert launch.run("step2") == 2
    assert capfd.readouterr().err == "The environment lacks WORKSPACE and LAUNCH_ID.\n"


def test_an_array_index_that_is_no_number_is_a_usage_error(launch, capfd):
    launch.environment(AWS_BATCH_JOB_ARRAY_INDEX="-1")
    assert launch.run("step2") == 2
    assert "'-1'" in capfd.readouterr().err


def test_without_the_mount_nothing_is_done(launch, capfd):
    launch.program("stat", "#!/bin/sh\necho overlayfs\n")
    assert launch.run("step2") == 3
    assert "is not a Lustre file system but overlayfs" in capfd.readouterr().err


def test_a_missing_workspace_is_a_missing_mount(launch, capfd):
    launch.program("stat", "#!/bin/sh\necho no such file >&2\nexit 1\n")
    assert launch.run("step2") == 3
    assert "no such file" in capfd.readouterr().err


@pytest.mark.parametrize("sentinel", [None, "", "[]", '{"attempt": 1}'])
def test_a_file_system_without_a_readable_sentinel_is_refused(launch, sentinel, capfd):
    (launch.work / "launch.json").unlink()
    if sentinel is not None:
        launch.write("launch.json", sentinel)
    assert launch.run("step2") == 3
    assert "launch.json cannot be read" in capfd.readouterr().err


def test_another_launchs_file_system_is_refused(launch, capfd):
    launch.environment(LAUNCH_ID="other")
    assert launch.run("step2") == 3
    assert "belongs to launch height-gwas-" in capfd.readouterr().err


def test_the_array_index_picks_the_line(launch):
    launch.plan(
        "step1",
        *({"label": name, "command": ["sh", "-c", f"echo {name} > $0", "{work}/x"], "expect": ["x"]} for name in "abc"),
    )
    assert launch.run("step1", index=2) == 0
    assert (launch.work / "x").read_text() == "c\n"


def test_without_an_array_the_first_line_is_done(launch, monkeypatch):
    monkeypatch.delenv("AWS_BATCH_JOB_ARRAY_INDEX", raising=False)
    write = {"command": ["sh", "-c", "echo done > $0", "{work}/x"], "expect": ["{work}/x"]}
    launch.plan("step1", {"label": "a", **write}, {"label": "b", "command": ["false"], "expect": ["y"]})
    assert launch.run("step1") == 0
    assert (launch.work / "x").read_text() == "done\n"


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (None, "does not exist"),
        ('{"label": "only"}\n', "has no line for array index 1"),
        ("\nno json\n", "Line 2 of the plan"),
        ("\n[1]\n", "is not a JSON object"),
        ('\n{"label": "x", "command": ["true"]}\n', "lacks expect"),
    ],
)
def test_a_plan_without_the_task_is_an_error_that_says_so(launch, plan, sentence, capfd):
    if plan is not None:
        launch.write("plan/step2.jsonl", plan)
    assert launch.run("step2", index=1) == 1
    assert sentence in capfd.readouterr().err


def test_an_array_job_starts_without_the_reports_libraries():
    probe = "import sys, regenie_runner.cli; print({'numpy', 'matplotlib', 'jinja2', 'pysam'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=RUNNER)
    assert answer.stdout == "set()\n"


@pytest.mark.parametrize(("array_index", "line"), [(0, "d"), (1, "a"), (2, "b"), (3, "c")])
def test_an_array_over_some_tasks_counts_through_them(launch, array_index, line):
    # Given a plan of four, and a job for the last and the first three of them
    launch.plan(
        "step1",
        *(
            {"label": name, "command": ["sh", "-c", f"echo {name} > $0", "{work}/x"], "expect": ["x"]}
            for name in "abcd"
        ),
    )
    launch.environment(TASK_INDICES="3,0-2")
    assert launch.run("step1", index=array_index) == 0
    assert (launch.work / "x").read_text() == f"{line}\n"


@pytest.mark.parametrize("indices", ["3,x", "1-", "-2", "0-2"])
def test_task_indices_that_give_no_task_are_a_usage_error(launch, indices, capfd):
    launch.environment(TASK_INDICES=indices)
    assert launch.run("step1", index=3) == 2
    assert "TASK_INDICES" in capfd.readouterr().err
