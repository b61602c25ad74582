"""What holds for all stacks of a stage."""

import fnmatch
import json
import re
from pathlib import Path

import pytest

from genolaunch.contract.settings import Parameter
from tests.infrastructure.conftest import Resource, Stack, as_list

REPOSITORY = Path(__file__).parents[2]

# Actions that know no resources, or whose resource AWS chooses: only these may be allowed on "*".
WITHOUT_RESOURCES = {
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobs",
    "batch:ListJobs",
    "ce:GetCostAndUsage",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:PutMetricData",  # with cloudwatch:namespace
    "dynamodb:ListStreams",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeRouteTables",  # with aws:CalledVia fsx
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcs",
    "ec2:GetEbsEncryptionByDefault",
    "ec2:GetSecurityGroupsForVpc",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "ecs:ListTasks",  # with ecs:cluster
    "fsx:DescribeDataRepositoryAssociations",
    "fsx:DescribeDataRepositoryTasks",
    "fsx:DescribeFileSystems",
    "iam:ListInstanceProfiles",  # by a path
    "iam:ListRoles",  # by a path
    # Vended logs of state machines (Step Functions developer guide, "Logging using CloudWatch Logs").
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "inspector2:CreateSbomExport",
    "inspector2:GetSbomExport",
    "logs:UpdateLogDelivery",
    "pricing:GetProducts",
    # Session Manager on hosts of jobs, as in AmazonSSMManagedInstanceCore.
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    # Tracing.
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}

# Patterns of actions, with the reason why a pattern it is.
PATTERNS = {
    # What DynamoDB's user guide asks of whoever uses a table with a customer's key.
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
    # FSx refuses to link a bucket for a caller without these (user guide, "Prerequisites for linking to S3").
    "s3:Get*",
    "s3:List*",
}

TAGGED = {
    "AWS::Batch::ComputeEnvironment",
    "AWS::Batch::JobQueue",
    "AWS::DynamoDB::Table",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPC",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Pipes::Pipe",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::StepFunctions::StateMachine",
}


def resources(stacks: dict[str, Stack], type_: str) -> list[tuple[Stack, str, Resource]]:
    """(stack, logical id, properties) of all resources of a type."""
    return [(stack, id_, properties) for stack in stacks.values() for id_, properties in stack.all(type_).items()]


def test_every_name_of_the_contract_is_published_once_as_parameter_and_output(stacks):
    names = [properties["Name"] for _, _, properties in resources(stacks, "AWS::SSM::Parameter")]
    outputs = [name for stack in stacks.values() for name in stack.template.get("Outputs", {})]

    assert sorted(names) == sorted(f"/genolaunch/unit/{parameter}" for parameter in Parameter)
    for parameter in Parameter:
        assert "".join(word.capitalize() for word in parameter.split("-")) in outputs


def test_nothing_is_allowed_on_all_resources_that_could_be_allowed_on_some(stacks):
    too_wide = [
        f"{stack.name}/{id_}: {action}"
        for stack in stacks.values()
        for id_, statement in stack.statements()
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
        if action not in WITHOUT_RESOURCES
    ]

    assert too_wide == []


def test_actions_are_named_and_not_left_to_a_pattern(stacks):
    patterns = {
        (stack.name, action)
        for stack in stacks.values()
        for _, statement in stack.statements()
        for action in as_list(statement["Action"])
        if "*" in action
    }

    assert {action for _, action in patterns} <= PATTERNS
    assert {stack for stack, action in patterns if action.startswith("s3:")} == {"regenie"}


def test_no_role_has_a_policy_that_somebody_else_keeps(stacks):
    assert [id_ for _, id_, role in resources(stacks, "AWS::IAM::Role") if role.get("ManagedPolicyArns")] == []


@pytest.mark.parametrize("type_", sorted(TAGGED))
def test_resources_carry_project_and_stage(stacks, type_):
    found = resources(stacks, type_)

    assert found
    for _, id_, properties in found:
        tags = properties.get("Tags", {})
        pairs = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert pairs.get("project") == "genolaunch", id_
        assert pairs.get("stage") == "unit", id_


def test_every_log_group_is_encrypted_and_forgets(stacks):
    for _, id_, group in resources(stacks, "AWS::Logs::LogGroup"):
        assert group["KmsKeyId"], id_
        assert group["RetentionInDays"] == 14, id_


def test_every_queue_is_encrypted_and_every_dead_letter_queue_has_an_alarm(stacks):
    for stack, id_, queue in resources(stacks, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"], id_
        if "RedrivePolicy" not in queue:
            metrics = [
                alarm["MetricName"]
                for alarm in stack.all("AWS::CloudWatch::Alarm").values()
                if {"Name": "QueueName", "Value": {"Fn::GetAtt": [id_, "QueueName"]}} in alarm["Dimensions"]
            ]
            assert metrics == ["ApproximateNumberOfMessagesVisible"], id_


def test_every_alarm_tells_somebody(stacks):
    alarms = resources(stacks, "AWS::CloudWatch::Alarm")

    assert alarms
    assert [id_ for _, id_, alarm in alarms if not alarm.get("AlarmActions")] == []


def test_every_function_and_state_machine_has_an_alarm(stacks):
    for stack in stacks.values():
        watched = json.dumps(list(stack.all("AWS::CloudWatch::Alarm").values()))
        for type_ in ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"):
            for id_ in stack.all(type_):
                assert f'{{"Ref": "{id_}"}}' in watched, id_


def test_no_stack_needs_a_custom_resource(stacks):
    custom = [
        resource["Type"]
        for stack in stacks.values()
        for resource in stack.template["Resources"].values()
        if resource["Type"].startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
    ]

    assert custom == []


def test_state_machines_find_every_value_that_their_definition_asks_for(stacks):
    for _, id_, machine in resources(stacks, "AWS::StepFunctions::StateMachine"):
        asked = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
        assert asked == set(machine["DefinitionSubstitutions"]), id_


def test_state_machines_log_errors_without_data_and_trace(stacks):
    for _, id_, machine in resources(stacks, "AWS::StepFunctions::StateMachine"):
        assert machine["LoggingConfiguration"]["Level"] == "ERROR", id_
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False, id_
        assert machine["TracingConfiguration"] == {"Enabled": True}, id_


@pytest.mark.parametrize(
    ("folder", "foreign"),
    [
        ("stacks", "lambdas"),
        ("lambdas", "stacks"),
        ("genolaunch", "lambdas"),
        ("stacks", "localcloud"),
        ("lambdas", "localcloud"),
    ],
)
def test_parts_do_not_import_each_other(folder, foreign):
    imports = re.compile(rf"^\s*(from|import) {foreign}\b", re.MULTILINE)

    assert [str(path) for path in (REPOSITORY / folder).rglob("*.py") if imports.search(path.read_text())] == []


def test_nothing_of_a_stage_may_delete_a_bucket(stacks):
    # snakemake-storage-plugin-s3 0.3.6 deletes a bucket that it has emptied, and says nothing if it may not.
    allowed = {
        (name, action)
        for name, stack in stacks.items()
        for statement in allowing(stack.template)
        for action in as_list(statement.get("Action", [])) + as_list(statement.get("NotAction", []))
        if "NotAction" in statement or fnmatch.fnmatchcase("s3:deletebucket", action.lower())
    }
    managed = re.findall(r"AmazonS3FullAccess|AdministratorAccess|PowerUserAccess", json.dumps(templates(stacks)))

    assert (allowed, managed) == (set(), [])


def templates(stacks):
    return {name: stack.template for name, stack in stacks.items()}


def allowing(part):
    """All statements of policies below a part of a template that allow something."""
    if isinstance(part, dict):
        if part.get("Effect") == "Allow":
            yield part
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from allowing(inner)
