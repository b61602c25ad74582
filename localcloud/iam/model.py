"""What a call needs, and what the rules about it are made of."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.clients import ACCOUNT, REGION

Context = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Need:
    """An action on a resource, with the condition keys that the call brings."""

    action: str
    resource: str
    context: Context = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as ministack understood it."""

    action: str
    """`batch:SubmitJob`."""
    resource: str
    """The ARN that ministack takes it to be about, or `*`."""
    params: Mapping[str, Any]
    """Members of a JSON body, or the query's parameters."""
    context: Context
    """The request's own condition keys, `aws:requesttag/…` among them."""


class Cloud(Protocol):
    """What the rules ask about the cloud's resources."""

    def tags(self, arn: str) -> Mapping[str, str]:
        """A resource's tags."""

    def key_of(self, arn: str) -> str | None:
        """ARN of the customer's key that encrypts a bucket (or an object's), queue, topic or table."""

    def hash_key(self, arn: str) -> str:
        """Name of the partition key of a DynamoDB table or index; "" of an unknown one."""

    def roles_of_task(self, definition: str) -> Iterable[str]:
        """The roles that a task definition hands to ECS."""

    def role_arn(self, name: str) -> str:
        """ARN of a role by its name, with its path."""

    def boundary_of(self, name: str) -> str | None:
        """ARN of a role's permissions boundary."""

    def profile_arn(self, name: str) -> str:
        """ARN of an instance profile by its name, with its path."""

    def has_object(self, arn: str) -> bool:
        """Whether there is such an object in S3."""

    def role_of_profile(self, profile: str) -> str | None:
        """The role of an instance profile, by name or ARN."""

    def profile_of_instance(self, instance_id: str) -> str | None:
        """ARN of the instance profile of an EC2 instance."""

    def launch_template(self, name: str) -> Context:
        """What an EC2 launch template, by name or id, says of instances (`LaunchTemplateData`)."""

    def encrypts_volumes(self) -> bool:
        """Whether the account has EBS volumes encrypted by default."""

    def glue_table(self, database: str, table: str) -> Context:
        """What the Data Catalog says of a table; nothing if there is none."""

    def work_group_of_query(self, query_id: str) -> str:
        """The work group that a query of Athena runs in."""

    def machine_of_token(self, token: str) -> str | None:
        """The state machine whose task waits with this token, if one does."""


Rule = Callable[[Call, Cloud], list[Need]]


def arn(service: str, kind: str, name: str) -> str:
    """ARN of a resource of the account, unless `name` is one."""
    return name if name.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/{name}"


def params_of(body: bytes, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request's parameters: of its JSON body, or of its query."""
    if body[:1] == b"{":
        try:
            parsed = json.loads(body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return query
        return parsed if isinstance(parsed, dict) else query
    return query


def tagged(call: Call, about: str, cloud: Cloud, more: Context | None = None) -> Need:
    """The call's action on a resource that has tags."""
    tags = {f"aws:resourcetag/{name}".lower(): value for name, value in cloud.tags(about).items()}
    return Need(call.action, about, {**call.context, **tags, **(more or {})})


def tagging(call: Call, action: str, about: str, more: Context | None = None) -> list[Need]:
    """Whoever makes something with tags must be allowed to tag it."""
    has_tags = any(key.lower().startswith("aws:requesttag/") for key in call.context)
    return [Need(action, about, {**call.context, **(more or {})})] if has_tags else []


def passing(roles: Iterable[str], service: str | None = None) -> list[Need]:
    """Whoever hands a role to a service must be allowed to pass it."""
    context = {"iam:passedtoservice": service} if service else {}
    return [Need("iam:PassRole", role, context) for role in sorted(roles)]
