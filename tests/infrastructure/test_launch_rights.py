"""The policies of launches' roles: what is a launch's own they say by its tags, and whoever makes roles writes none."""

import json
import re

import pytest

from localcloud.limits.iam import MOST_MANAGED, policy_size
from tests.infrastructure.conftest import Resource, Stack, as_list, make_settings, synthesize

POLICIES = {"files": "snakemake", "launcher": "snakemake", "instance": "tibanna", "boundary": "snakemake"}
ROLES = "arn:aws:iam::111111111111:role/genolaunch/unit/launches/*"
PROFILES = "arn:aws:iam::111111111111:instance-profile/genolaunch/unit/launches/*"


def statements(stacks: dict[str, Stack], name: str) -> list[Resource]:
    return stacks[POLICIES[name]].managed(f"Launch{name.capitalize()}")


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_has_the_stages_name_and_fits_iams_limit(stacks, name):
    policy = stacks[POLICIES[name]].one("AWS::IAM::ManagedPolicy", f"Launch{name.capitalize()}")

    assert policy["ManagedPolicyName"] == f"genolaunch-unit-launch-{name}"
    # References stand for ARNs, which are shorter than they.
    assert policy_size(policy["PolicyDocument"]) < MOST_MANAGED


@pytest.mark.parametrize("name", ["files", "launcher", "instance"])
def test_what_is_written_or_ended_is_told_by_the_launchs_tags(stacks, name):
    """Whatever is no reading of what all may read names a tag of the role, in its resource or its condition."""
    harmless = re.compile(
        r"(batch|ec2|dynamodb):Describe\w+|ecr:\w+|kms:.*|sqs:SendMessage|states:StartExecution|cloudwatch:PutMetricData"
    )
    for statement in statements(stacks, name):
        told = json.dumps([statement["Resource"], statement.get("Condition")])
        if "${aws:PrincipalTag/" in told or all(harmless.fullmatch(action) for action in as_list(statement["Action"])):
            continue
        assert "shared-cohorts" in told, statement
        assert set(as_list(statement["Action"])) <= {"s3:GetObject", "s3:ListBucket"}


def test_nothing_is_listed_without_a_prefix_of_ones_own(stacks):
    lists = [
        statement
        for name in ("files", "launcher", "instance")
        for statement in statements(stacks, name)
        if "s3:ListBucket" in as_list(statement["Action"]) and "shared-cohorts" not in json.dumps(statement)
    ]

    assert len(lists) == 4  # data, launcher's files, and jobs' files of launcher and instance
    for statement in lists:
        (prefix,) = statement["Condition"]["StringLike"].values()
        assert re.fullmatch(r"(results/)?\$\{aws:PrincipalTag/\w+\}[./]?(launcher/)?\*", prefix), prefix


def test_a_users_program_reaches_no_table_of_the_platform_no_other_queue_and_no_identity(stacks):
    reached = {
        (action, json.dumps(statement["Resource"]))
        for name in ("files", "launcher", "instance", "boundary")
        for statement in statements(stacks, name)
        for action in as_list(statement["Action"])
        if action.startswith(
            ("dynamodb:", "sqs:", "sns:", "events:", "lambda:", "iam:", "sts:", "secretsmanager:", "ssm:")
        )
    }

    assert {action for action, _ in reached} == {"dynamodb:DescribeTable", "dynamodb:PutItem", "sqs:SendMessage"}
    for action, resource in reached:
        assert ("TibannaJobs" if action.startswith("dynamodb:") else "RecordsQueue") in resource


def test_items_of_a_call_that_names_none_are_not_ones_own(stacks):
    (put,) = [each for each in statements(stacks, "launcher") if each.get("Sid") == "NoteOwnJobs"]

    assert put["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}


def test_a_job_of_another_launch_is_not_made_ones_own_by_a_tag(stacks):
    (make,) = [each for each in statements(stacks, "launcher") if each.get("Sid") == "MakeJobsOfOwnLaunch"]

    assert make["Condition"]["StringEqualsIfExists"] == {
        "aws:ResourceTag/launchId": "${aws:PrincipalTag/launchId}",
        "aws:ResourceTag/attempt": "${aws:PrincipalTag/attempt}",
    }


def test_whoever_makes_roles_may_attach_these_policies_and_writes_none(stacks):
    maker = [each for _, each in stacks["snakemake"].statements("FunctionsMakeRolesRole")]
    iam = {action: each for each in maker for action in as_list(each["Action"]) if action.startswith("iam:")}

    assert set(iam) == {
        *("iam:CreateRole", "iam:AttachRolePolicy", "iam:TagRole", "iam:GetRole", "iam:PassRole"),
        *("iam:CreateInstanceProfile", "iam:GetInstanceProfile", "iam:AddRoleToInstanceProfile"),
    }
    assert {each["Resource"] for each in iam.values()} == {ROLES, PROFILES}
    attached = iam["iam:AttachRolePolicy"]["Condition"]["ArnEquals"]["iam:PolicyARN"]
    assert ["".join(re.findall("Launch[A-Z][a-z]+", json.dumps(each))) for each in attached] == [
        *("LaunchFiles", "LaunchLauncher", "LaunchInstance")
    ]
    for action in ("iam:CreateRole", "iam:AttachRolePolicy"):
        boundary = iam[action]["Condition"]["StringEquals"]["iam:PermissionsBoundary"]
        assert boundary["Ref"].startswith("LaunchBoundary")


def test_a_companys_boundary_is_the_one_that_launches_roles_have():
    stacks = synthesize(make_settings(permissions_boundary="company-boundary"))
    company = "arn:aws:iam::111111111111:policy/company-boundary"
    maker = [each for _, each in stacks["snakemake"].statements("FunctionsMakeRolesRole")]
    functions = stacks["snakemake"].all("AWS::Lambda::Function")
    (function,) = [each for id_, each in functions.items() if "MakeRoles" in id_]

    for action in ("iam:CreateRole", "iam:AttachRolePolicy"):
        (statement,) = [each for each in maker if each["Action"] == action]
        assert statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"] == company
    assert company in json.dumps(function["Environment"]["Variables"]["LAUNCH_POLICIES"])


def test_clean_up_deletes_roles_of_launches_and_no_others(stacks):
    deleted = {
        action: statement["Resource"]
        for _, statement in stacks["cleanup"].statements("CleanupWorkflowRole")
        for action in as_list(statement["Action"])
        if action.startswith("iam:")
    }

    assert deleted == {
        "iam:DetachRolePolicy": ROLES,
        "iam:DeleteRole": ROLES,
        "iam:RemoveRoleFromInstanceProfile": PROFILES,
        "iam:DeleteInstanceProfile": PROFILES,
    }


def test_without_a_launch_nobody_has_a_stages_role_for_users_programs(stacks):
    for name in ("snakemake", "snakemake-batch", "tibanna"):
        roles = [id_.rstrip("0123456789ABCDEF") for id_ in stacks[name].all("AWS::IAM::Role")]
        assert not {"JobRole", "InstanceRole"} & set(roles)


def flat(resource: Resource | str) -> str:
    """A resource as one text, with what others call the same."""
    joined = resource["Fn::Join"][1] if isinstance(resource, dict) and "Fn::Join" in resource else [resource]
    text = "".join(part if isinstance(part, str) else json.dumps(part) for part in joined)
    unicorn = "arn:aws:states:eu-west-1:111111111111:stateMachine:tibanna_unicorn_genolaunch_unit"
    for pattern, meant in {
        r'\{"Fn::ImportValue": "[^"]*TibannaWorkflowMachine[^"]*"\}': unicorn,
        r'\{"Fn::ImportValue": "[^"]*SnakemakeBatch\w+JobQueueArn[^"]*"\}': "QUEUE",
        r"arn:aws:batch:[^/]*:job-queue/.*": "QUEUE",
        r"\$\{aws:PrincipalTag/dataBucket\}": "lab-runs",
    }.items():
        text = re.sub(pattern, meant, text)
    return text


def fits(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


@pytest.mark.parametrize("name", ["files", "launcher", "instance"])
def test_what_a_policy_gives_its_boundary_does_not_take(stacks, name):
    """Of a role with a boundary both must allow a call: what only the policy names is a right that nobody has."""
    within = [
        (action, flat(resource))
        for statement in statements(stacks, "boundary")
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    taken = [
        (action, flat(resource))
        for statement in statements(stacks, name)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if not any(fits(action, most) and fits(flat(resource), where) for most, where in within)
    ]

    assert taken == []
