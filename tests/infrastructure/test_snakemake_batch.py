"""Engine aws-batch of Snakemake launches: what its jobs, its launchers and the state machine may do."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.infrastructure.conftest import Resource, Stack, as_list, make_settings, synthesize
from tests.infrastructure.references import owner_of
from tests.infrastructure.test_workflows import FOR_STAGE

REGENIES_LOGS = "JobLogs"
USERS_LOGS = "SnakemakeJobLogs"


def test_the_state_machine_defines_jobs_that_are_not_privileged(stacks):
    define = stacks["snakemake"].statement("SnakemakeWorkflowRole", "DefineSnakemakeJobs")
    give = stacks["snakemake"].statement("SnakemakeWorkflowRole", "GiveJobsTheirRoles")

    assert define["Condition"] == {"StringEquals": FOR_STAGE, "Bool": {"batch:Privileged": "false"}}
    launches = "arn:aws:iam::111111111111:role/genolaunch/unit/launches/*"
    assert launches in give["Resource"]
    (agent,) = [json.dumps(each) for each in give["Resource"] if each != launches]
    assert "ExecutionRole" in agent


def test_prepare_knows_the_engine(stacks):
    functions = [
        properties
        for id_, properties in stacks["snakemake"].all("AWS::Lambda::Function").items()
        if "PrepareSnakemake" in id_
    ]

    engines = json.dumps(functions[0]["Environment"]["Variables"]["ENGINES"])
    for key in ("aws-batch", "containerImage", "executionRoleArn", "jobLogGroup"):
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
    for words in ("`secretsmanager:GetSecretValue`", "every ECR repository", "log group of Snakemake's jobs"):
        assert words in said


def log_groups(stacks: dict[str, Stack], name: str, action: str, statements: Iterable[Resource]) -> set[str]:
    """Which of the stage's groups of jobs' logs statements of a stack name for an action."""
    found = [
        owner_of(stacks, name, resource)
        for statement in statements
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert all(owner is not None and owner[0] == "compute" for owner in found), found
    return {owner[1].rstrip("0123456789ABCDEF") for owner in found if owner}


def of_role(stacks: dict[str, Stack], name: str, role: str, action: str) -> set[str]:
    return log_groups(stacks, name, action, [each for _, each in stacks[name].statements(role)])


@pytest.mark.parametrize("action", ["logs:CreateLogStream", "logs:PutLogEvents"])
def test_who_writes_users_lines_writes_them_to_a_group_of_their_own(stacks, action):
    assert of_role(stacks, "snakemake-batch", "ExecutionRole", action) == {USERS_LOGS}
    assert of_role(stacks, "regenie", "ExecutionRole", action) == {REGENIES_LOGS}
    # ECS writes a launcher's lines; what runs in a task of Fargate cannot have the role for that.
    assert of_role(stacks, "snakemake", "LauncherExecutionRole", action) == {REGENIES_LOGS}


def test_what_users_programs_log_is_read_for_no_errors_of_launches(stacks):
    """Whoever writes a stream chooses its name, which is how an error is laid at a launch's door."""
    read = {
        owner_of(stacks, name, each["LogGroupName"])
        for name, stack in stacks.items()
        for each in stack.all("AWS::Logs::SubscriptionFilter").values()
    }

    assert [owner[1].rstrip("0123456789ABCDEF") for owner in read if owner] == [REGENIES_LOGS]


def test_a_job_logs_where_its_agent_may_write(stacks):
    (function,) = [
        each for id_, each in stacks["snakemake"].all("AWS::Lambda::Function").items() if "PrepareSnakemake" in id_
    ]
    _, parts = function["Environment"]["Variables"]["ENGINES"]["Fn::Join"]
    (after,) = [place for place, part in enumerate(parts) if str(part).endswith('"jobLogGroup":"')]

    owner = owner_of(stacks, "snakemake", parts[after + 1])

    assert owner is not None
    assert owner[1].startswith(USERS_LOGS)


def test_people_read_the_logs_of_both(stacks):
    policy = stacks["access"].one("AWS::IAM::ManagedPolicy", "Launchers")["PolicyDocument"]

    assert log_groups(stacks, "access", "logs:FilterLogEvents", policy["Statement"]) == {REGENIES_LOGS, USERS_LOGS}
