"""What the roles of deployed stacks are granted, against what they were seen to use."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action of one statement of a role's policy."""

    role: str
    """`<stack's short name>/<logical id without its hash>`."""
    statement: str
    """Its Sid, if it has one."""
    action: str
    """As the policy says it, patterns included."""
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """Whether this grant allowed the action on the resource, conditions apart."""
        return fnmatchcase(action.lower(), self.action.lower()) and any(
            fnmatchcase(resource, pattern) or pattern == "*" for pattern in self.resources
        )


Client = Any
"""A boto3 client: made from the model, without a type."""


def grants_of(iam: Client, cloudformation: Client, prefix: str) -> dict[str, list[Grant]]:
    """Role name -> its grants, of every role of the stacks whose names start with `prefix` (`app-stage-`)."""
    found: dict[str, list[Grant]] = {}
    for stack in cloudformation.describe_stacks()["Stacks"]:
        name = stack["StackName"]
        if name.startswith(prefix):
            for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
                if resource["ResourceType"] == "AWS::IAM::Role":
                    label = f"{name.removeprefix(prefix)}/{resource['LogicalResourceId'][:-8]}"
                    role = resource["PhysicalResourceId"]
                    found[role] = list(_grants(label, _policies(iam, role)))
    return found


def used_by(granted: Mapping[str, Iterable[Grant]], used: Iterable[Mapping[str, str]]) -> list[tuple[Grant, bool]]:
    """Every grant in its role's order, and whether a call needed it.

    `used` is the guard's record: `role`, `action`, `resource`.
    """
    asked: dict[str, list[tuple[str, str]]] = {}
    for entry in used:
        asked.setdefault(entry["role"], []).append((entry["action"], entry["resource"]))
    return [
        (grant, any(grant.covers(action, resource) for action, resource in asked.get(role, [])))
        for role, grants in granted.items()
        for grant in grants
    ]


def _policies(iam: Client, role: str) -> Iterator[Mapping[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def _grants(label: str, policies: Iterable[Mapping[str, Any]]) -> Iterator[Grant]:
    for policy in policies:
        for statement in _as_list(policy["Statement"]):
            if statement["Effect"] == "Allow":
                for action in _as_list(statement["Action"]):
                    yield Grant(label, statement.get("Sid", ""), action, tuple(_as_list(statement["Resource"])))


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - IAM writes a list of one as its element
    return value if isinstance(value, list) else [value]
