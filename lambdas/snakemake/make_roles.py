"""Makes the roles of one attempt of a Snakemake launch: of its launcher, and of its jobs.

The rights are policies of the stage, which say "the launch's own" by the roles' tags (stacks/launch_rights.py): this
function chooses between them and writes none. Clean-up deletes the roles, which it finds by their path.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.project import PROJECT, TAG_ATTEMPT, TAG_LAUNCH_ID, TAG_PROJECT, TAG_STAGE, run_name
from genolaunch.contract.roles import RightsTag, jobs_role_name, launch_roles_path, launcher_role_name
from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.shared import aws
from genolaunch.shared.public_errors import OpenError
from lambdas.shared.function import function
from lambdas.shared.observability import logger
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_ECS: Final = "ecs-tasks.amazonaws.com"
_EC2: Final = "ec2.amazonaws.com"


class CapacityUnavailableError(OpenError):
    """The account has no room for another role. Its name is the launch's error (ErrorType.CAPACITY)."""


assert CapacityUnavailableError.__name__ == ErrorType.CAPACITY


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """Environment variables of the function."""

    stage: str
    launch_policies: str


settings = settings_of(RoleSettings)


@dataclass(frozen=True, slots=True)
class _Attempt:
    launch_id: str
    attempt: int
    tags: Mapping[str, str]

    @property
    def run(self) -> str:
        return run_name(self.launch_id, self.attempt)

    @property
    def path(self) -> str:
        return launch_roles_path(settings().stage, self.launch_id, self.attempt)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, str]:
    """`{launchId, attempt, engine, tags}` -> `{launcher: ARN, jobs: ARN}`. Asked again, it makes what is missing.

    `tags`: RightsTag -> value. Raises CapacityUnavailableError when the account's quota of roles is used up.
    """
    attempt = _Attempt(event["launchId"], int(event["attempt"]), event["tags"])
    engine = SnakemakeEngine(event["engine"])
    policies = json.loads(settings().launch_policies)
    boundary = policies["boundary"]
    on_instances = engine is SnakemakeEngine.TIBANNA
    client = aws.client("iam")
    try:
        launcher = _make_role(client, launcher_role_name(attempt.run), attempt, _ECS, boundary, policies["launcher"])
        jobs = _make_role(
            client,
            jobs_role_name(attempt.run),
            attempt,
            _EC2 if on_instances else _ECS,
            boundary,
            policies["jobs"][engine],
        )
        if on_instances:
            _make_profile(client, jobs_role_name(attempt.run), attempt)
    except client.exceptions.LimitExceededException as error:
        raise CapacityUnavailableError(
            "The account has no room for another role or instance profile (IAM's quotas: 1,000 of each, unless more"
            f" were asked for): {error.response['Error'].get('Message', '')}"
        ) from error
    logger.info("A launch has its roles", extra={"launchId": attempt.launch_id, "attempt": attempt.attempt})
    return {"launcher": launcher, "jobs": jobs}


def _make_role(
    client: Any,  # noqa: ANN401 - as aws.client
    name: str,
    attempt: _Attempt,
    service: str,
    boundary: str,
    policies: Sequence[str],
) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    try:
        role = client.create_role(
            Path=attempt.path,
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(trust),
            Description=f"Attempt {attempt.attempt} of the launch {attempt.launch_id}",
            PermissionsBoundary=boundary,
            Tags=[{"Key": key, "Value": value} for key, value in _tags(attempt).items()],
        )["Role"]
    except client.exceptions.EntityAlreadyExistsException:
        role = client.get_role(RoleName=name)["Role"]
        if role["Path"] != attempt.path:
            raise  # somebody else's
        # Made by an earlier call: what it is tagged with may have been prepared anew.
        client.tag_role(RoleName=name, Tags=[{"Key": key, "Value": value} for key, value in _tags(attempt).items()])
    for policy in policies:
        client.attach_role_policy(RoleName=name, PolicyArn=policy)
    arn: str = role["Arn"]
    return arn


def _make_profile(client: Any, name: str, attempt: _Attempt) -> None:  # noqa: ANN401 - as aws.client
    """By which EC2's instances have the role of the same name."""
    try:
        profile = client.create_instance_profile(InstanceProfileName=name, Path=attempt.path)["InstanceProfile"]
    except client.exceptions.EntityAlreadyExistsException:
        profile = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    if not profile["Roles"]:
        client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def _tags(attempt: _Attempt) -> dict[str, str]:
    return {
        TAG_PROJECT: PROJECT,
        TAG_STAGE: settings().stage,
        TAG_LAUNCH_ID: attempt.launch_id,
        TAG_ATTEMPT: str(attempt.attempt),
        RightsTag.RUN.value: attempt.run,
        **{RightsTag(key).value: value for key, value in attempt.tags.items()},
    }
