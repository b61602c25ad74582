"""What a launch with the engine aws-batch needs: its job definition, and its part of the run sheet."""

from dataclasses import replace

import pytest

from genolaunch.contract.project import TAG_WORKFLOW
from genolaunch.launch_configs.config_reader import check_config
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from lambdas.snakemake.aws_batch import BatchAttempt, BatchEngine, job_definition, run_sheet_part
from snakemake_launcher.engines import aws_batch as launcher_engine

ENGINE = BatchEngine.read({"executionRoleArn": "execution-role", "jobLogGroup": "/jobs"})
BATCH = "arn:aws:batch:eu-west-1:111111111111"
QUEUES = {
    f"{kind}/{level}": f"{BATCH}:job-queue/snakemake-{kind}-{level}"
    for kind in ("batch-spot", "batch-on-demand")
    for level in ("high", "low")
}


def attempt(number=1, *, priority="low", **section) -> BatchAttempt:
    values = {"snakefile": "workflows/exome/Snakefile", "engine": "aws-batch", **section}
    config = check_config(
        {"name": "exome", "workflow": "snakemake", "data": "exome", "priority": priority, "snakemake": values}
    )
    assert isinstance(config, SnakemakeLaunch)
    return BatchAttempt("exome-1", number, "AWS:ada@example.org", config, "image:1", "dev")


def test_the_definition_is_the_runs_and_can_be_told_from_other_workflows():
    definition = job_definition(attempt(2), ENGINE)

    assert definition["name"] == "exome-1-2"
    assert definition["tags"] == {
        "project": "genolaunch",
        "stage": "dev",
        "launchId": "exome-1",
        "attempt": "2",
        TAG_WORKFLOW: "snakemake",
    }
    assert (definition["image"], definition["executionRoleArn"]) == ("image:1", "execution-role")
    assert "jobRoleArn" not in definition  # it is the launch's, made after this


def test_the_run_sheet_names_that_definition_and_the_same_tags():
    part = run_sheet_part(attempt(2), ENGINE, QUEUES)

    # With its revision: IAM knows the tags of none without.
    assert part["jobDefinition"] == f"{BATCH}:job-definition/exome-1-2:1"
    assert part["tags"] == job_definition(attempt(2), ENGINE)["tags"]
    assert part["shareIdentifier"] == "AWSadaexampleorg"
    assert part["jobLogGroup"] == "/jobs"


@pytest.mark.parametrize(("spot", "kind"), [(True, "batch-spot"), (False, "batch-on-demand")])
def test_queues_follow_spot_and_priority(spot, kind):
    part = run_sheet_part(attempt(spot=spot, priority="high"), ENGINE, QUEUES)

    assert part["jobQueue"] == f"{BATCH}:job-queue/snakemake-{kind}-high"
    assert part["onDemandQueue"] == f"{BATCH}:job-queue/snakemake-batch-on-demand-high"


def test_the_time_out_is_in_seconds_in_both():
    given = attempt(aws_batch={"task_timeout_minutes": 90})

    assert job_definition(given, ENGINE)["timeoutSeconds"] == 5400
    assert run_sheet_part(given, ENGINE, QUEUES)["taskTimeoutSeconds"] == 5400


def test_the_launcher_finds_everything_that_it_needs():
    assert set(launcher_engine.OPTIONS) <= set(run_sheet_part(attempt(), ENGINE, QUEUES))


def test_only_a_definition_with_an_image_of_a_private_registry_has_its_credentials():
    knowing = replace(ENGINE, registry_credentials={"docker.io": "arn:secret"})
    other = replace(ENGINE, registry_credentials={"elsewhere.example.org": "arn:secret"})

    given = job_definition(attempt(2), knowing).get("ofPrivateImage")
    assert given == {"RepositoryCredentials": {"CredentialsParameter": "arn:secret"}}
    assert "ofPrivateImage" not in job_definition(attempt(2), other)
