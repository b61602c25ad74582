"""Why jobs and runs fail, in words for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.failed_jobs import (
    AUTHORS_WORDS,
    FailedJob,
    JobGroup,
    blamed,
    classify,
    in_order_of_blame,
    sentence,
)
from lambdas.regenie.workflow_error import WorkflowError

CANCELED = "Canceled by JobStateTimeLimit action due to reason: "
"""How Batch begins the statusReason of a job that was stuck (AWS Batch user guide, "Jobs stuck in RUNNABLE")."""


def failed_job(phase: str = "step2", size: int = 12, index: int = 0, **given: Any) -> FailedJob:
    values: dict[str, Any] = {
        "job_id": f"id:{index}",
        "group": JobGroup(f"launch-1-1-{phase}", size),
        "index": index,
        "error_type": ErrorType.APPLICATION_ERROR,
        "reason": "Essential container in task exited",
        "exit_code": 1,
        "attempts": 1,
        "log_stream": "stream",
        "log_tail": "$ regenie --step 2\nregenie ended with exit code 1.\n\n",
    }
    return FailedJob(**{**values, **given})


@pytest.mark.parametrize(
    ("reasons", "exit_code", "was_stopped", "expected"),
    [
        (["Essential container in task exited"], 1, False, ErrorType.APPLICATION_ERROR),
        (["OutOfMemoryError: Container killed due to memory usage"], 137, False, ErrorType.OUT_OF_MEMORY),
        (["Essential container in task exited"], 137, False, ErrorType.OUT_OF_MEMORY),
        (["Host EC2 (instance i-0123) terminated."], 137, False, ErrorType.SPOT_RECLAIMED),
        (["Job attempt duration exceeded timeout"], 137, True, ErrorType.TIMED_OUT),
        (["The launch is over"], 137, True, ErrorType.STOPPED),
        (["Essential container in task exited"], 3, False, ErrorType.FILE_SYSTEM),
        (["Essential container in task exited"], 4, False, ErrorType.INPUTS_CHANGED),
        (["CannotPullContainerError: not found"], None, False, ErrorType.IMAGE_PULL),
        (["CannotPullECRContainerError: timeout"], None, False, ErrorType.IMAGE_PULL),
        (["DockerTimeoutError: Could not transition to created; timed out"], None, False, ErrorType.CONTAINER_START),
        (["CannotCreateContainerError: API error (500)"], 128, False, ErrorType.CONTAINER_START),
        (["CannotStartContainerError: cannot mount"], 128, False, ErrorType.CONTAINER_START),
        (["CannotInspectContainerError: Could not inspect"], None, False, ErrorType.CONTAINER_START),
        (["Task failed to start"], None, False, ErrorType.CONTAINER_START),
        ([f"{CANCELED}CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"], None, True, ErrorType.NEVER_STARTED),
    ],
)
def test_a_jobs_end_tells_its_type(reasons: list[str], exit_code: int | None, was_stopped: bool, expected: ErrorType):
    assert classify(reasons, exit_code, was_stopped=was_stopped) is expected


def test_a_failed_array_is_told_by_its_first_failed_job():
    jobs = [failed_job(index=7), failed_job(index=3, exit_code=2)]

    said = sentence(in_order_of_blame(jobs), "launch-1-1")

    assert said == (
        "2 of 12 jobs of step 2 failed; first: array index 3 (exit code 2): regenie ended with exit code 1."
    )


def test_a_plain_job_is_told_without_numbers():
    said = sentence([failed_job("report", 1)], "launch-1-1")

    assert said == "The job of the report failed (exit code 1): regenie ended with exit code 1."


def test_the_reason_is_regenies_own_error_and_not_the_jobs_last_line():
    log = (
        "$ regenie --step 1\nERROR: Uh-oh, SNP rs1 has low variance (=0.000000).\n"
        "For more information, use option '--help'.\n"
        "regenie ended with exit code 1; its last lines in the log say why.\n"
    )

    said = sentence([failed_job("level0", 1, log_tail=log)], "launch-1-1")

    assert said.startswith(
        "The job of level 0 failed (exit code 1): ERROR: Uh-oh, SNP rs1 has low variance (=0.000000). Leave such "
    )


def test_jobs_that_were_only_stopped_are_not_the_ones_to_blame():
    jobs = [failed_job(index=0, error_type=ErrorType.STOPPED), failed_job(index=5)]

    assert [job.index for job in in_order_of_blame(jobs)] == [5, 0]


@pytest.mark.parametrize(
    ("phase", "error_type", "words"),
    [
        ("level0", ErrorType.OUT_OF_MEMORY, "raise regenie.resources.level0.memory_gib"),
        ("split", ErrorType.OUT_OF_MEMORY, "raise regenie.resources.small.memory_gib"),
        ("step2-more-memory", ErrorType.OUT_OF_MEMORY, "also with twice the memory; raise regenie.resources.step2."),
        ("step2-on-demand", ErrorType.SPOT_RECLAIMED, "lost in each of 3 attempts, the last on On-Demand"),
        ("step2", ErrorType.TIMED_OUT, "make jobs smaller"),
    ],
)
def test_the_sentence_says_what_to_do_about_it(phase: str, error_type: ErrorType, words: str):
    job = failed_job(phase, 1, error_type=error_type, attempts=3)

    assert words in sentence([job], "launch-1-1")


def test_an_error_that_only_the_log_names_gives_the_type():
    job = failed_job("step2", error_type=ErrorType.APPLICATION_ERROR)
    full = job.told_by("writing\ncp: error writing 'x': No space left on device")

    assert full.error_type is ErrorType.NO_SPACE_LEFT
    assert "it ran out of disk space (cp: error writing 'x': No space left on device)" in sentence([full], "launch-1-1")
    killed = failed_job("step2", error_type=ErrorType.SPOT_RECLAIMED)
    assert killed.told_by("No space left on device").error_type is ErrorType.SPOT_RECLAIMED


TRACEBACK = "Traceback (most recent call last):\nKeyError: 'columns'\n"
NOTHING_TESTED = "Nothing was tested: regenie said of every part 'No variant left to include in analysis'.\n"


@pytest.mark.parametrize(
    ("phase", "error_type", "log", "expected"),
    [
        ("merge", ErrorType.APPLICATION_ERROR, TRACEBACK, ErrorType.PLATFORM),
        ("report", ErrorType.APPLICATION_ERROR, TRACEBACK, ErrorType.PLATFORM),
        ("preload", ErrorType.APPLICATION_ERROR, "", ErrorType.PLATFORM),
        ("fetch", ErrorType.APPLICATION_ERROR, "fatal error: 500\n", ErrorType.PLATFORM),
        ("store", ErrorType.APPLICATION_ERROR, "", ErrorType.PLATFORM),
        ("merge-again", ErrorType.APPLICATION_ERROR, TRACEBACK, ErrorType.PLATFORM),
        ("merge", ErrorType.APPLICATION_ERROR, "ERROR: no variant left\n", ErrorType.APPLICATION_ERROR),
        ("merge", ErrorType.APPLICATION_ERROR, NOTHING_TESTED, ErrorType.APPLICATION_ERROR),
        ("merge", ErrorType.OUT_OF_MEMORY, TRACEBACK, ErrorType.OUT_OF_MEMORY),
        ("report", ErrorType.STOPPED, "", ErrorType.STOPPED),
        ("split", ErrorType.APPLICATION_ERROR, TRACEBACK, ErrorType.APPLICATION_ERROR),  # quality control of the data
        ("step2", ErrorType.APPLICATION_ERROR, TRACEBACK, ErrorType.APPLICATION_ERROR),
    ],
)
def test_what_breaks_in_the_platforms_own_code_is_its_fault(phase, error_type, log, expected):
    (job,) = blamed([failed_job(phase, error_type=error_type, log_tail=log)], "launch-1-1")

    assert job.error_type is expected


def test_the_words_of_jobs_that_blame_the_data_are_theirs():
    runner = Path(__file__).parents[3] / "containers" / "regenie" / "regenie_runner"
    sources = "".join(file.read_text(encoding="utf-8") for file in runner.glob("*.py"))

    assert [words for words in AUTHORS_WORDS if words not in sources] == []


def test_a_job_that_wrote_no_log_is_told_by_batchs_reason():
    job = failed_job(
        size=1, error_type=ErrorType.PLATFORM, log_tail="", exit_code=None, reason="CannotPullContainerError"
    )

    assert sentence([job], "launch-1-1") == "The job of step 2 failed (no exit code): CannotPullContainerError"


@pytest.mark.parametrize(
    ("error", "step", "expected_type", "expected_words"),
    [
        (
            {
                "Error": "LaunchInputError",
                "Cause": json.dumps({"errorMessage": "2 faults\n- a\n- b", "errorType": "LaunchInputError"}),
            },
            "Plan: inputs, chunks and commands",
            ErrorType.LAUNCH_INPUT,
            "2 faults\n- a\n- b",
        ),
        ({"Error": "FileSystemError", "Cause": "It broke."}, "File system", ErrorType.FILE_SYSTEM, "It broke."),
        ({"Error": "ExportError", "Cause": "3 failed files"}, "Export", ErrorType.EXPORT, "3 failed files"),
        (
            {"Error": "FSx.ServiceLimitExceededException", "Cause": "Quota of scratch file systems"},
            "File system: create",
            ErrorType.FILE_SYSTEM,
            "The step File system failed: Quota of scratch file systems (FSx.ServiceLimitExceededException).",
        ),
        (
            {"Error": "FSx.BadRequestException", "Cause": "no"},
            "Export: start",
            ErrorType.EXPORT,
            "The step Export failed: no (FSx.BadRequestException).",
        ),
        (
            {"Error": "States.Timeout"},
            "Step 2: chunks",
            ErrorType.TIMED_OUT,
            "The step Step 2 exceeded its time limit.",
        ),
        (
            {"Error": "Batch.BatchException", "Cause": "User is not authorized"},
            "Step 2: chunks",
            ErrorType.PLATFORM,
            "The step Step 2 failed: User is not authorized (Batch.BatchException).",
        ),
        ({}, "Plan", ErrorType.PLATFORM, "The step Plan failed: no reason was given (unnamed error)."),
    ],
)
def test_without_failed_jobs_the_workflows_error_is_told(
    error: dict[str, str], step: str, expected_type: ErrorType, expected_words: str
):
    assert WorkflowError.of_step(error, step) == WorkflowError(expected_type, expected_words)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "it could not start: AWS had no instance for it; retry the launch"),
        (
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "lower regenie.resources.level0, or ask for a higher batch.max_vcpus",
        ),
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", "none of the stage's instance types is large enough; lower"),
        ("MISCONFIGURATION:UNHEARD_OF", f"it could not start: {CANCELED}MISCONFIGURATION:UNHEARD_OF."),
    ],
)
def test_a_job_that_never_started_is_told_with_what_to_do(code: str, words: str):
    stuck = failed_job("level0", 1, error_type=ErrorType.NEVER_STARTED, reason=CANCELED + code, exit_code=None)

    assert words in sentence([stuck], "launch-1-1")


def test_a_phases_refused_submission_is_told_though_it_is_two_executions_deep():
    nested = {"ExecutionArn": "arn", "Status": "FAILED", "Error": "Batch.ClientException", "Cause": "Job queue is gone"}
    error = {"Error": "States.TaskFailed", "Cause": json.dumps(nested)}

    told = WorkflowError.of_step(error, "Step 2: chunks")

    assert told.message == "The step Step 2 failed: Job queue is gone (Batch.ClientException)."


@pytest.mark.parametrize(
    ("step", "type_"),
    [
        ("Plan: inputs, chunks and commands", "PlatformError"),
        ("File system: create", "FileSystemError"),
        ("Data links: check the import", "FileSystemError"),
        ("Job definition: register", "PlatformError"),
        ("Export: check", "ExportError"),
        ("Merge: traits", "TimedOutError"),
    ],
)
def test_a_step_without_jobs_that_takes_too_long_is_no_fault_of_the_launch(step, type_):
    error = WorkflowError.of_step({"Error": "States.Timeout"}, step)

    assert (error.type, error.message) == (type_, f"The step {step.partition(':')[0]} exceeded its time limit.")
