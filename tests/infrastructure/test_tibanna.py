"""Tibanna's unicorn: its client finds it, and its functions may do what they do and no more."""

import json

import pytest

from stacks.config import InvalidSettingsError
from tests.infrastructure.conftest import as_list, make_settings, synthesize


@pytest.fixture(scope="module")
def tibanna(stacks):
    return stacks["tibanna"]


def test_the_client_finds_the_machine_by_the_prefix_that_it_looks_for(tibanna):
    assert tibanna.one("AWS::StepFunctions::StateMachine")["StateMachineName"] == "tibanna_unicorn_genolaunch_unit"


def test_states_have_the_names_that_tibanna_gives_them(tibanna):
    definition = json.loads(tibanna.one("AWS::StepFunctions::StateMachine")["DefinitionString"])

    assert definition["StartAt"] == "RunTaskAwsem"
    assert definition["States"]["RunTaskAwsem"]["Next"] == "CheckTaskAwsem"
    assert definition["States"]["CheckTaskAwsem"]["End"] is True


def test_jobs_are_looked_at_as_often_and_as_long_as_the_settings_say():
    settings = make_settings(tibanna={"poll_seconds": 60, "job_timeout_hours": 100})
    definition = json.loads(synthesize(settings)["tibanna"].one("AWS::StepFunctions::StateMachine")["DefinitionString"])

    rules = {
        rule["ErrorEquals"][0]: (rule["IntervalSeconds"], rule["MaxAttempts"])
        for rule in definition["States"]["CheckTaskAwsem"]["Retry"]
    }
    assert rules["StillRunningException"] == (60, 6000)
    assert rules["EC2StartingException"] == (60, 20)


def test_a_job_may_not_run_longer_than_an_executions_history_is():
    with pytest.raises(InvalidSettingsError, match="at most 66 with poll_seconds 30"):
        make_settings(tibanna={"job_timeout_hours": 67})


def test_the_start_script_is_of_a_commit_and_instances_are_in_private_subnets(tibanna):
    variables = tibanna.one("AWS::Lambda::Function", "RunTask")["Environment"]["Variables"]

    assert variables["TIBANNA_REPO_NAME"] == "4dn-dcic/tibanna"
    assert len(variables["TIBANNA_REPO_BRANCH"]) >= 7
    assert "jobsSubnet1" in json.dumps(variables["SUBNETS"])
    assert "public" not in json.dumps(variables["SUBNETS"])


def test_a_branch_is_no_revision():
    with pytest.raises(InvalidSettingsError, match="scripts_commit"):
        make_settings(tibanna={"scripts_commit": "master"})


def test_instances_without_encrypted_volumes_are_refused(tibanna):
    assert tibanna.statement("RunTask", "TheirVolumes")["Condition"] == {"Bool": {"ec2:Encrypted": "true"}}


@pytest.mark.parametrize("wanted", [True, False])
def test_launches_are_refused_first_where_instances_would_be(wanted):
    """The function that prepares a launch asks EC2, and may, exactly where the condition is."""
    stacks = synthesize(make_settings(tibanna={"require_encrypted_volumes": wanted}))
    prepare = stacks["snakemake"].one("AWS::Lambda::Function", "FunctionsPrepareSnakemake")
    allowed = [
        action
        for _, statement in stacks["snakemake"].statements("FunctionsPrepareSnakemake")
        for action in as_list(statement["Action"])
    ]

    assert ("Condition" in stacks["tibanna"].statement("RunTask", "TheirVolumes")) is wanted
    assert ("ENCRYPTED_VOLUMES" in prepare["Environment"]["Variables"]) is wanted
    assert ("ec2:GetEbsEncryptionByDefault" in allowed) is wanted


def test_a_fleet_may_have_what_tibanna_names_in_its_overrides(tibanna):
    asked = [
        json.dumps(arn)
        for _, statement in tibanna.statements("RunTask")
        if "ec2:CreateFleet" in as_list(statement["Action"])
        for arn in as_list(statement["Resource"])
    ]

    for kind in ("fleet/*", "instance/*", "volume/*", "image/*", "jobsSubnet1"):
        assert any(kind in arn for arn in asked), kind
    assert not any("subnet/*" in arn for arn in asked)


def test_functions_and_machine_end_instances_of_this_stage_only(tibanna):
    ends = [s for _, s in tibanna.statements() if "ec2:TerminateInstances" in as_list(s["Action"])]

    assert len(ends) == 3  # run_task, check_task, the machine
    for statement in ends:
        assert statement["Condition"]["StringEquals"] == {"ec2:ResourceTag/Type": "awsem"}
        profiles = statement["Condition"]["ArnLikeIfExists"]["ec2:InstanceProfile"]
        assert profiles == "arn:aws:iam::111111111111:instance-profile/genolaunch/unit/launches/*"


def test_the_start_function_may_hand_on_roles_of_launches_and_no_other(tibanna):
    statement = tibanna.statement("RunTask", "GiveLaunchesTheirRoles")

    assert statement["Resource"] == "arn:aws:iam::111111111111:role/genolaunch/unit/launches/*"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_jobs_start_with_the_function_that_looks_whose_they_are(tibanna):
    function = tibanna.one("AWS::Lambda::Function", "RunTask")

    assert function["Handler"] == "launch_task.handler"
    assert "AWS_S3_ROLE_NAME" not in function["Environment"]["Variables"]  # the stage has no role for instances
    assert not tibanna.all("AWS::IAM::InstanceProfile")


def test_job_logs_take_the_acls_that_tibanna_names_and_nobody_reads_them(stacks):
    bucket = stacks["data"].one("AWS::S3::Bucket", "TibannaLogs")

    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerPreferred"}]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 14


def test_the_table_of_jobs_is_made_or_another_stages_is_used(stacks):
    table = stacks["data"].one("AWS::DynamoDB::Table", "TibannaJobs")
    assert (table["TableName"], table["KeySchema"][0]["AttributeName"]) == ("tibanna-master", "Job Id")

    other = synthesize(make_settings(tibanna={"table": "import"}))
    assert not [id_ for id_ in other["data"].all("AWS::DynamoDB::Table") if id_.startswith("TibannaJobs")]
