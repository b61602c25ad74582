"""The roles of a launch: made once, within the boundary, with the stage's policies and the launch's tags."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from genolaunch.shared import aws
from lambdas.snakemake import make_roles
from tests.handlers.snakemake.conftest import CONTEXT, LAUNCH_ID

RUN = f"{LAUNCH_ID}-1"
PATH = f"/genolaunch/test/launches/{LAUNCH_ID}/1/"
ANY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'


@pytest.fixture
def policies(cloud: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Given: the stage's policies for launches' roles."""
    iam = boto3.client("iam")
    arns = {
        name: iam.create_policy(PolicyName=name, PolicyDocument=ANY)["Policy"]["Arn"]
        for name in ("boundary", "files", "launcher", "instance")
    }
    setting = {
        "boundary": arns["boundary"],
        "launcher": [arns["files"], arns["launcher"]],
        "jobs": {"tibanna": [arns["files"], arns["instance"]], "aws-batch": [arns["files"]]},
    }
    monkeypatch.setenv("LAUNCH_POLICIES", json.dumps(setting))
    make_roles.settings.cache_clear()
    return arns


def asked(engine: str, **tags: str) -> dict[str, Any]:
    given = {"dataBucket": "data", "dataFolder": "exome/", **tags}
    return {"launchId": LAUNCH_ID, "attempt": 1, "engine": engine, "tags": given}


def role(name: str) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("iam").get_role(RoleName=name)["Role"]
    return found


def attached(name: str) -> list[str]:
    found = boto3.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return sorted(policy["PolicyName"] for policy in found)


@pytest.mark.parametrize(
    ("engine", "service", "of_jobs"),
    [("aws-batch", "ecs-tasks", ["files"]), ("tibanna", "ec2", ["files", "instance"])],
)
def test_launcher_and_jobs_have_a_role_each(policies, engine, service, of_jobs):
    made = make_roles.handler(asked(engine), CONTEXT)

    launcher, jobs = role(RUN), role(f"{RUN}-jobs")
    assert made == {"launcher": launcher["Arn"], "jobs": jobs["Arn"]}
    assert (attached(RUN), attached(f"{RUN}-jobs")) == (["files", "launcher"], of_jobs)
    for each, trusted in ((launcher, "ecs-tasks"), (jobs, service)):
        assert each["Path"] == PATH
        assert each["PermissionsBoundary"]["PermissionsBoundaryArn"] == policies["boundary"]
        (statement,) = each["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": f"{trusted}.amazonaws.com"}
        assert {tag["Key"]: tag["Value"] for tag in each["Tags"]} == {
            "project": "genolaunch",
            "stage": "test",
            "launchId": LAUNCH_ID,
            "attempt": "1",
            "run": RUN,
            "dataBucket": "data",
            "dataFolder": "exome/",
        }
    assert boto3.client("iam").list_role_policies(RoleName=RUN)["PolicyNames"] == []


def test_instances_get_the_jobs_role_by_a_profile_of_the_attempt(policies):
    make_roles.handler(asked("tibanna"), CONTEXT)

    profile = boto3.client("iam").get_instance_profile(InstanceProfileName=f"{RUN}-jobs")["InstanceProfile"]
    assert (profile["Path"], [each["RoleName"] for each in profile["Roles"]]) == (PATH, [f"{RUN}-jobs"])


def test_asked_again_it_makes_what_is_missing_and_tags_it_anew(policies):
    first = make_roles.handler(asked("tibanna", tokenSha256="first"), CONTEXT)
    iam = boto3.client("iam")
    iam.detach_role_policy(RoleName=RUN, PolicyArn=policies["launcher"])
    iam.remove_role_from_instance_profile(InstanceProfileName=f"{RUN}-jobs", RoleName=f"{RUN}-jobs")

    assert make_roles.handler(asked("tibanna", tokenSha256="second"), CONTEXT) == first

    assert attached(RUN) == ["files", "launcher"]
    assert iam.get_instance_profile(InstanceProfileName=f"{RUN}-jobs")["InstanceProfile"]["Roles"]
    assert {"Key": "tokenSha256", "Value": "second"} in role(f"{RUN}-jobs")["Tags"]


def test_somebody_elses_role_of_that_name_is_left_alone(policies):
    boto3.client("iam").create_role(RoleName=RUN, AssumeRolePolicyDocument=ANY)

    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        make_roles.handler(asked("aws-batch"), CONTEXT)

    assert attached(RUN) == []


def test_an_account_without_room_is_said_to_be_so(policies):
    real = boto3.client("iam")

    class Full:
        exceptions = real.exceptions

        def create_role(self, **_request: Any) -> None:
            text = "Cannot exceed quota for RolesPerAccount: 1000"
            raise real.exceptions.LimitExceededException(
                {"Error": {"Code": "LimitExceeded", "Message": text}}, "CreateRole"
            )

    # Taken back before the fixture `cloud` empties the real function's cache.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws, "client", lambda _service: Full())
        with pytest.raises(make_roles.CapacityUnavailableError, match="RolesPerAccount: 1000"):
            make_roles.handler(asked("aws-batch"), CONTEXT)


def test_only_known_tags_are_put_on_a_role(policies):
    with pytest.raises(ValueError, match="not a valid RightsTag"):
        make_roles.handler(asked("aws-batch", anything="else"), CONTEXT)
