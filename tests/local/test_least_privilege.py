"""A role that lacks one permission fails the launch, and the missing action is named.

All tests of this folder run with IAM enforced; here one grant at a time is taken away on purpose.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.conftest import needs_iam
from tests.local.platform_client import PlatformClient, eventually, gwas_config

pytestmark = [needs_iam, pytest.mark.local]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@contextmanager
def without(platform: PlatformClient, role: str, action: str) -> Iterator[None]:
    """Given: the role is not granted the action."""
    iam = platform.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    lesser = {name: _less(document, action) for name, document in policies.items()}
    assert lesser != policies, f"{action} was not granted to {role}"
    _put(iam, role, lesser)
    try:
        yield
    finally:
        _put(iam, role, policies)


@contextmanager
def without_in_policy(platform: PlatformClient, name: str, action: str) -> Iterator[None]:
    """Given: what has this managed policy is not granted the action by it."""
    iam = platform.client("iam")
    (arn,) = [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"] if each["PolicyName"] == name]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    lesser = _less(document, action)
    assert lesser != document, f"{action} was not granted by {name}"
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(lesser), SetAsDefault=True)
    try:
        yield
    finally:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)


def _less(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = [
        {**statement, "Action": [one for one in as_list(statement["Action"]) if one != action]}
        for statement in as_list(document["Statement"])
    ]
    return {**document, "Statement": [statement for statement in statements if statement["Action"]]}


def _put(iam: Any, role: str, policies: dict[str, dict[str, Any]]) -> None:
    for name, document in policies.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


@pytest.mark.parametrize(
    ("stack", "role", "action"),
    [
        pytest.param("regenie", "RegenieWorkflowRole", "fsx:CreateFileSystem", id="a state machine's request"),
        pytest.param("regenie", "RegenieWorkflowRole", "iam:PassRole", id="a role handed to a service"),
        pytest.param("regenie", "RegenieWorkflowRole", "lambda:InvokeFunction", id="a task without a request"),
        pytest.param("regenie", "FunctionsPlanLaunchRole", "s3:PutObject", id="a function"),
        pytest.param("regenie", "ExecutionRole", "logs:PutLogEvents", id="the agent that starts a job's container"),
    ],
)
def test_a_missing_grant_is_named(platform, stack, role, action):
    name = platform.role_name(stack, role)
    with without(platform, name, action):
        launch_id = platform.drop(gwas_config())["launchId"]
        item = platform.wait_for(launch_id)
        platform.assert_clean(launch_id)

    assert item["status"] == "FAILED"
    assert action in item["error"]["message"]

    refused = platform.forget_refusals()
    assert refused
    assert [one for one in refused if not one.startswith(f"{name} is not authorized to perform {action} ")] == []


def test_a_pipe_that_lacks_a_grant_starts_nothing_until_it_has_it(platform):
    with without(platform, platform.role_name("workflow-manager", "RequestsRole"), "states:StartExecution"):
        launch_id = platform.drop(gwas_config())["launchId"]
        refused = eventually(platform.forget_refusals, "a refusal")
        assert platform.launch(launch_id)["status"] == "SUBMITTED"

    assert all("states:StartExecution" in one for one in refused)
    platform.complete(launch_id)
    platform.forget_refusals()


SNAKEFILE = """
rule all:
    input: "out.txt"
rule write:
    output: "out.txt"
    shell: "echo written > {output}"
"""


def test_a_launch_whose_roles_lack_a_grant_fails_and_they_are_named(platform):
    platform.s3.put_object(
        Bucket=platform.name(Parameter.LAUNCH_BUCKET), Key="workflows/writes/Snakefile", Body=SNAKEFILE
    )
    snakemake = {"snakefile": "workflows/writes/Snakefile", "engine": "aws-batch", "retries": 0}
    config = {"name": "writes", "workflow": "snakemake", "data": "writes", "snakemake": snakemake}

    with without_in_policy(platform, "genolaunch-local-launch-files", "s3:PutObject"):
        launch_id = platform.drop(config)["launchId"]
        item = platform.wait_for(launch_id)
        platform.assert_clean(launch_id)

    assert item["status"] == "FAILED"
    refused = platform.forget_refusals()
    assert refused
    # The launcher is the first to put something there: the sources, for its jobs.
    roles = tuple(
        f"{role} is not authorized to perform s3:PutObject " for role in (f"{launch_id}-1", f"{launch_id}-1-jobs")
    )
    assert [one for one in refused if not one.startswith(roles)] == []
