"""How Snakemake 9 is called for AWS Batch, and how its failed jobs are told apart."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.regenie.failed_jobs import classify as classify_elsewhere
from snakemake_launcher.engines.aws_batch import PYTHON_VARIABLE, AwsBatch, classify, make
from snakemake_launcher.jobs import Job
from snakemake_launcher.run_sheet import RunSheet, RunSheetError
from tests.unit.snakemake_launcher.sheets import sheet
from tests.unit.snakemake_launcher.test_tibanna_engine import values

OPTIONS = {
    "jobQueue": "arn:aws:batch:eu-west-1:111111111111:job-queue/genolaunch-dev-spot",
    "onDemandQueue": "arn:aws:batch:eu-west-1:111111111111:job-queue/genolaunch-dev-on-demand",
    "jobDefinition": "calls-1",
    "shareIdentifier": "alice",
    "taskTimeoutSeconds": 86400,
    "jobLogGroup": "/genolaunch/dev/jobs",
    "tags": {"project": "genolaunch", "launchId": "calls"},
}


def engine(options=OPTIONS, **changes) -> AwsBatch:
    return make(RunSheet.parse(json.dumps(sheet(engine="aws-batch", awsBatch=options, **changes))))


def test_snakemake_gets_the_queues_the_definition_and_the_files_in_s3(monkeypatch):
    monkeypatch.setenv(PYTHON_VARIABLE, "/opt/snakemake9/bin/python")

    command = list(engine().command())

    assert command[:3] == ["/opt/snakemake9/bin/python", "-m", "snakemake_launcher.engines.snakemake9"]
    assert values(command, "--executor") == ["genolaunch-batch"]
    assert values(command, "--genolaunch-batch-job-queue") == [OPTIONS["jobQueue"]]
    assert values(command, "--genolaunch-batch-on-demand-queue") == [OPTIONS["onDemandQueue"]]
    assert values(command, "--genolaunch-batch-job-definition") == ["calls-1"]
    assert values(command, "--genolaunch-batch-run-name") == ["calls-1"]
    assert values(command, "--genolaunch-batch-task-timeout") == ["86400"]
    assert values(command, "--genolaunch-batch-tags") == ["project=genolaunch,launchId=calls"]
    assert values(command, "--default-storage-provider") == ["s3"]
    assert values(command, "--default-storage-prefix") == ["s3://data/run42"]
    assert values(command, "--storage-s3-region") == ["eu-west-1"]
    assert values(command, "--retries") == ["3"]
    assert command[-2:] == ["--", "all"]


def test_without_a_second_queue_jobs_stay_where_they_are():
    command = engine({key: value for key, value in OPTIONS.items() if key != "onDemandQueue"}).command()

    assert "--genolaunch-batch-on-demand-queue" not in command


def test_snakemake_finds_the_plugins_and_the_tools_of_its_environment(monkeypatch):
    monkeypatch.setenv(PYTHON_VARIABLE, "/opt/snakemake9/bin/python")

    environment = engine().environment()

    assert environment["PATH"].startswith("/opt/snakemake9/bin:")
    assert (Path(environment["PYTHONPATH"]) / "snakemake_executor_plugin_genolaunch_batch").is_dir()
    assert environment["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_a_run_sheet_that_lacks_something_is_refused_naming_all_of_it():
    with pytest.raises(RunSheetError, match=r"jobDefinition, shareIdentifier, taskTimeoutSeconds, jobLogGroup, tags\."):
        engine({"jobQueue": "q"})


@pytest.mark.parametrize("exit_code", [None, 1, 137])
@pytest.mark.parametrize(
    ("reason", "status_reason"),
    [
        (None, "Host EC2 (instance i-1) terminated."),
        (None, "Job attempt duration exceeded timeout"),
        ("OutOfMemoryError: Container killed due to memory usage", "Essential container in task exited"),
        ("CannotPullContainerError: not found", "Task failed to start"),
        ("ResourceInitializationError: no credentials", "Task failed to start"),
        ("DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s", "Task failed to start"),
        ("CannotCreateContainerError: API error", "Essential container in task exited"),
        ("CannotStartContainerError: cannot mount", "Essential container in task exited"),
        ("CannotInspectContainerError: Could not inspect", "Task failed to start"),
        (None, "Task failed to start"),
        (None, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - none is large enough"),
        (None, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none is left"),
        (None, "Essential container in task exited"),
    ],
)
@pytest.mark.parametrize("was_stopped", [False, True])
def test_failures_have_the_types_that_they_have_in_other_workflows(reason, status_reason, exit_code, was_stopped):
    container = {key: value for key, value in {"reason": reason, "exitCode": exit_code}.items() if value is not None}
    detail: Any = {"statusReason": status_reason, "container": container, "isTerminated": was_stopped}

    reasons = [text for text in (reason, status_reason) if text]
    assert classify(detail) == classify_elsewhere(reasons, exit_code, was_stopped=was_stopped)


def test_a_job_that_ran_out_of_memory_names_the_rule_and_the_key_to_raise(monkeypatch):
    container = {
        "exitCode": 137,
        "reason": "OutOfMemoryError: Container killed due to memory usage",
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
    }
    described = {"jobs": [{"container": container, "statusReason": "Essential container in task exited"}]}
    monkeypatch.setattr(boto3, "client", lambda *_, **__: SimpleNamespace(describe_jobs=lambda jobs: described))
    job = Job(key="1", rule="align", wildcards={}, id="abc", name="calls-1-align-1", submission=1, submitted_at=0.0)

    failure = engine().failure(job)

    assert failure.error_type == "OutOfMemoryError"
    assert "It had 2,048 MiB." in failure.reason
    assert "let the rule align ask for more by `mem_mb` in its `resources:`" in failure.reason
