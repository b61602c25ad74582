"""Engine aws-batch of Snakemake launches: what its jobs, its launchers and the state machine may do."""

import json
from pathlib import Path

from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize
from tests.infrastructure.test_workflows import FOR_STAGE, OF_STAGE, actions

OF_SNAKEMAKE = {**OF_STAGE, "aws:ResourceTag/workflow": "snakemake"}


def launcher_statement(stacks: dict[str, Stack], sid: str):
    return stacks["snakemake"].statement("LauncherRole", sid)


def test_a_launcher_submits_jobs_of_snakemakes_definitions_and_registers_none(stacks):
    submit = launcher_statement(stacks, "SubmitJobsOfSnakemakesDefinitions")

    assert submit["Action"] == "batch:SubmitJob"
    assert submit["Condition"] == {"StringEquals": OF_SNAKEMAKE}
    may = actions(stacks["snakemake"], "LauncherRole")
    assert not may & {"batch:RegisterJobDefinition", "batch:DeregisterJobDefinition", "iam:PassRole"}


def test_a_launcher_stops_jobs_of_snakemake_only(stacks):
    stop = launcher_statement(stacks, "StopSnakemakesJobs")

    assert (stop["Action"], stop["Condition"]) == ("batch:TerminateJob", {"StringEquals": OF_SNAKEMAKE})


def test_a_launcher_submits_to_the_queues_of_snakemake_and_regenie_to_the_others(stacks):
    of_launchers = launcher_statement(stacks, "SubmitToOwnQueues")["Resource"]
    of_regenie = stacks["regenie"].statement("JobsWorkflowRole", "SubmitToOwnQueues")["Resource"]

    assert len(of_launchers) == 4
    assert all("SnakemakeBatch" in json.dumps(queue) for queue in of_launchers)
    assert not any("Snakemake" in json.dumps(queue) for queue in of_regenie)
    assert len(of_regenie) + len(of_launchers) == len(stacks["compute"].all("AWS::Batch::JobQueue"))


def test_the_state_machine_defines_jobs_that_are_not_privileged(stacks):
    define = stacks["snakemake"].statement("SnakemakeWorkflowRole", "DefineSnakemakeJobs")
    give = stacks["snakemake"].statement("SnakemakeWorkflowRole", "GiveJobsTheirRoles")

    assert define["Condition"] == {"StringEquals": FOR_STAGE, "Bool": {"batch:Privileged": "false"}}
    assert len(give["Resource"]) == 2


def test_jobs_work_in_the_data_bucket_and_leave_buckets_and_old_versions_alone(stacks):
    batch = stacks["snakemake-batch"]

    may = actions(batch, "JobRole")

    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"} <= may
    assert not may & {"s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:DeleteObject*", "s3:*"}
    listing = [s for _, s in batch.statements("JobRole") if "s3:ListBucket" in as_list(s["Action"])]
    assert all("Condition" not in statement for statement in listing)


def test_jobs_write_to_the_writable_buckets_of_the_settings_and_only_read_the_readable_ones():
    stacks = synthesize(make_settings(readable_buckets=["shared-cohorts"], writable_buckets=["lab-scratch"]))

    writes = [
        json.dumps(s["Resource"])
        for _, s in stacks["snakemake-batch"].statements("JobRole")
        if "s3:PutObject" in as_list(s["Action"])
    ]

    assert any("lab-scratch/*" in resource for resource in writes)
    assert not any("shared-cohorts" in resource for resource in writes)


def test_prepare_knows_the_engine(stacks):
    functions = [
        properties
        for id_, properties in stacks["snakemake"].all("AWS::Lambda::Function").items()
        if "PrepareSnakemake" in id_
    ]

    engines = json.dumps(functions[0]["Environment"]["Variables"]["ENGINES"])
    for key in ("aws-batch", "containerImage", "jobRoleArn", "executionRoleArn", "jobLogGroup"):
        assert key in engines


def test_what_a_rules_code_may_have_by_way_of_its_host_is_written_down():
    """The agent of a host hands out the execution role, too."""
    login = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:quay-AbCdEf"
    images = {"registry_credentials": {"quay.io": login}}
    stack = synthesize(make_settings(images=images))["snakemake-batch"]
    may = {
        action
        for _, statement in stack.statements("ExecutionRole")
        for action in as_list(statement["Action"])
        if not action.startswith("ecr:")
    }
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    said = security.split("* **Jobs of others on one host**")[1].split("\n* ")[0]

    assert may == {"secretsmanager:GetSecretValue", "logs:CreateLogStream", "logs:PutLogEvents"}
    for words in ("`secretsmanager:GetSecretValue`", "every ECR repository", "writes to the job log group"):
        assert words in said


def test_what_a_launcher_may_read_of_logs_is_written_down(stacks):
    assert stacks["snakemake"].statement("LauncherRole", "ReadJobLogs")["Action"] == "logs:GetLogEvents"
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    (row,) = [line for line in security.splitlines() if "`snakemake/LauncherRole`" in line]

    assert "read the logs of all jobs" in row
