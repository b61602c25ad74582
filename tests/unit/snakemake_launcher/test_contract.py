"""The launcher's image has no `genolaunch.contract`: the names that both use are held equal here."""

import json
import re
from pathlib import Path

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launcher import (
    LAUNCHER_COMMAND,
    LAUNCHER_HOME,
    LAUNCHER_USER,
    LauncherEnvironment,
    LauncherRecord,
    LauncherSheet,
)
from genolaunch.contract.project import run_name
from genolaunch.contract.tasks import TASK_FAILED, TASK_RESUBMITTED, TaskField
from genolaunch.contract.tibanna import TIBANNA_RUN_NAME
from snakemake_launcher import run_sheet, settings
from snakemake_launcher.engines.tibanna import RUN_NAME_KEY
from snakemake_launcher.jobs import Job, JobStatus
from snakemake_launcher.records import job_name

PACKAGE = Path(settings.__file__).parent

OTHERS_WORDS = {"CalledProcessError", "DockerTimeoutError", "ResourceInitializationError"}
"""Errors of Python, ECS and Docker that the launcher looks for, and never says."""


def test_error_types_are_the_contracts():
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    said = set(re.findall(r'"([A-Z]\w+Error)"', source))

    assert said
    assert said - OTHERS_WORDS <= set(ErrorType)


def test_statuses_of_failed_jobs_are_the_contracts():
    assert JobStatus.FAILED == TASK_FAILED
    assert JobStatus.RESUBMITTED == TASK_RESUBMITTED


def test_attributes_are_the_contracts():
    source = (PACKAGE / "records.py").read_text()
    known = {value for name, value in vars(TaskField).items() if name.isupper()}
    known |= {value for name, value in vars(LauncherRecord).items() if name.isupper()}

    said = set(re.findall(r'^            "(\w+)":', source, re.MULTILINE))

    assert said
    assert said <= known


def test_the_environment_is_the_contracts():
    assert set(settings.NAMES) == set(LauncherEnvironment)


def test_the_launcher_reads_the_run_sheet_that_is_written():
    assert set(run_sheet._REQUIRED) == LauncherSheet.__required_keys__
    assert set(run_sheet._OPTIONAL) == LauncherSheet.__optional_keys__


def test_what_a_job_at_tibanna_says_of_its_run_is_the_contracts():
    assert RUN_NAME_KEY == TIBANNA_RUN_NAME


def test_the_image_is_what_the_task_definition_takes_it_for():
    lines = (PACKAGE.parent / "Dockerfile").read_text().splitlines()
    user, group = LAUNCHER_USER.split(":")

    # The volume's owner is that of the folder in the image, if the image declares it by the same path.
    folder = lines.index(f"RUN install --directory --owner {user} --group {group} {LAUNCHER_HOME}")
    assert lines.index(f"VOLUME {LAUNCHER_HOME}") > folder
    # Snakemake 9 asks for its user's name, and fails if it has none.
    assert any(line.startswith(f"RUN useradd --uid {user} ") for line in lines)
    assert lines[-1] == f"CMD {json.dumps(LAUNCHER_COMMAND)}"


def test_job_names_begin_with_the_runs_name():
    job = Job("3", "trim", {}, id="abc", name="snakemake-job-abc-rule-trim", submission=1, submitted_at=1.0)

    assert job_name(run_name("calls", 2), job) == "calls-2-trim-abc"
