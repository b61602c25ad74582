"""Decides, for every call on the embedded cloud, whether its role may make it, and remembers what was asked.

What was used and what was refused can be read at `/_localcloud/iam` (JSON); DELETE forgets the refusals.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Final

from localcloud import container_roles
from localcloud import ministack_iam as ministack
from localcloud.batch.runner import ContainerStartError
from localcloud.clients import ACCOUNT, REGION, Keys, client_environment, owner
from localcloud.iam.model import Need
from localcloud.iam.needs import needs_of, stream_needs, task_needs
from localcloud.ministack_adapter import acting_role
from localcloud.service import Service, ServiceError
from localcloud.wire import Answer, Request

NO_KEYS: Final = Keys("ASIANOROLE", "none", "none")
"""Of a container without a role: no service accepts them."""

logger = logging.getLogger("localcloud.iam")


class Guard:
    """Enforces IAM. It answers the rules' questions (`needs.Cloud`) from the stand-ins and from ministack."""

    PATH: Final = "/_localcloud/iam"
    """Where `answer` is served."""

    def __init__(self, services: Mapping[str, Service], endpoint: str, encrypts_volumes: Callable[[], bool]) -> None:
        """`services`: the stand-ins whose resources have tags; `encrypts_volumes`: whether EC2 does so by default."""
        self._services = services
        self._encrypts_volumes = encrypts_volumes
        self._endpoint = endpoint
        self._lock = Lock()
        self._used: Counter[tuple[str, str, str]] = Counter()
        self._refused: Counter[tuple[str, str, str]] = Counter()
        self._gone: set[str] = set()

    def install(self) -> None:
        """Begin to enforce. Call it when all services and tasks have been added."""
        for service in self._services:
            ministack.know_service(service, service)
        ministack.count_as_tls()
        ministack.check_requests(lambda call: needs_of(call, self), self._note)
        ministack.check_tasks(lambda resource, arguments: task_needs(resource, arguments, self), self._check_machine)
        ministack.check_rule_targets(lambda role, needs: self.refusal(role, "rule", needs))
        ministack.check_functions(self.key_of, lambda role, needs: self.refusal(role, "lambda", needs))
        ministack.read_policies_as_aws()
        ministack.keep_quotas()
        ministack.remember_tokens()
        ministack.remember_keys()
        container_roles.give_keys(self._container_environment)

    # --- Who calls ---------------------------------------------------------------------------------------------------
    def keys(self) -> Keys:
        """Of the role in whose name this thread works: a state machine's or a pipe's."""
        role = acting_role()
        return ministack.keys_of_role(role, "task") if role else owner()

    def _container_environment(
        self, role: str | None, execution_role: str | None, log_group: str, session: str
    ) -> dict[str, str]:
        """What a container finds in its environment (on AWS: at its credentials endpoint)."""
        if execution_role:
            stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{log_group}:log-stream:new"
            needs = [Need(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")]
            if refusal := self.refusal(execution_role, "agent", needs):
                raise ContainerStartError(f"ResourceInitializationError: {refusal}")
        # An instance has no log group.
        service = "ecs-tasks.amazonaws.com" if log_group else "ec2.amazonaws.com"
        keys = ministack.keys_of_role(role, session) if role and ministack.trusts(role, service) else NO_KEYS
        return client_environment(self._endpoint, keys)

    # --- Whether it may ----------------------------------------------------------------------------------------------
    def refusal(self, role_arn: str, session: str, needs: list[Need]) -> str | None:
        """Why a role may not have what it needs, or None. The answer is remembered."""
        name = role_arn.rpartition("/")[2]
        for need in needs:
            allowed = ministack.is_allowed(role_arn, session, need)
            self._note(f"assumed-role/{name}/{session}", need, allowed)
            if not allowed:
                return f"{role_arn} is not authorized to perform: {need.action} on resource: {need.resource}"
        return None

    def allows_pipe(self, pipe: Mapping[str, Any]) -> bool:
        """Whether a pipe's role may read the pipe's stream."""
        return self.refusal(pipe["RoleArn"], "pipe", stream_needs(pipe["Source"], self)) is None

    def _check_machine(self, role_arn: str, needs: list[Need]) -> str | None:
        return self.refusal(role_arn, "task", needs)

    def _note(self, caller: str, need: Need, allowed: bool) -> None:
        parts = caller.split("/")
        asked = (parts[1] if len(parts) > 1 else caller, need.action, need.resource)
        with self._lock:
            if allowed:
                self._used[asked] += 1
                return
            if need.resource in self._gone:
                return  # refused for its tags, since somebody else was faster: no grant would help
            self._refused[asked] += 1
        logger.error("%s is not authorized to perform %s on %s %s", *asked, dict(need.context))

    # --- What was asked ----------------------------------------------------------------------------------------------
    def answer(self, request: Request) -> Answer:
        """The record: who used and who was refused which action on which resource, and how often."""
        with self._lock:
            record = {"used": _entries(self._used), "refused": _entries(self._refused)}
            if request.method == "DELETE":
                self._refused.clear()
        return 200, {"Content-Type": "application/json"}, json.dumps(record).encode()

    # --- What the rules ask (needs.Cloud) ----------------------------------------------------------------------------
    def tags(self, arn: str) -> Mapping[str, str]:
        """A resource's tags."""
        service = self._services.get(arn.split(":")[2])
        if service is None:
            return ministack.tags_of(arn)
        try:
            if ":association/" in arn:  # its ARN names the file system too, which a call does not
                found = service.call("DescribeDataRepositoryAssociations", {"AssociationIds": [arn.rpartition("/")[2]]})
                return _tags_in(found["Associations"][0])
            return _tags_in(service.call("ListTagsForResource", _arn_member(service.name, arn)))
        except ServiceError:
            with self._lock:
                self._gone.add(arn)
            return {}  # what does not exist has none

    def key_of(self, arn: str) -> str | None:
        """ARN of the customer's key that encrypts something."""
        return ministack.key_of(arn)

    def hash_key(self, arn: str) -> str:
        """Name of the partition key of a table or index."""
        return ministack.hash_key(arn)

    def roles_of_task(self, definition: str) -> list[str]:
        """The roles that a task definition hands to ECS."""
        return ministack.roles_of_task(definition)

    def role_arn(self, name: str) -> str:
        """ARN of a role by its name."""
        return ministack.role_arn(name)

    def boundary_of(self, name: str) -> str | None:
        """ARN of a role's permissions boundary."""
        return ministack.boundary_of(name)

    def profile_arn(self, name: str) -> str:
        """ARN of an instance profile by its name."""
        return ministack.profile_arn(name)

    def has_object(self, arn: str) -> bool:
        """Whether there is such an object in S3."""
        return ministack.has_object(arn)

    def role_of_profile(self, profile: str) -> str | None:
        """The role of an instance profile."""
        return ministack.role_of_profile(profile)

    def profile_of_instance(self, instance_id: str) -> str | None:
        """The instance profile of an instance."""
        return ministack.profile_of_instance(instance_id)

    def launch_template(self, name: str) -> Mapping[str, Any]:
        """What a launch template says of instances."""
        return ministack.launch_template(name)

    def encrypts_volumes(self) -> bool:
        """Whether the account has EBS volumes encrypted by default."""
        return self._encrypts_volumes()

    def glue_table(self, database: str, table: str) -> Mapping[str, Any]:
        """What the Data Catalog says of a table."""
        return ministack.glue_table(database, table)

    def work_group_of_query(self, query_id: str) -> str:
        """The work group that a query of Athena runs in."""
        return ministack.work_group_of_query(query_id)

    def machine_of_token(self, token: str) -> str | None:
        """The state machine whose task waits with this token, if one does."""
        return ministack.machine_of_token(token)


def _entries(counts: Mapping[tuple[str, str, str], int]) -> list[dict[str, Any]]:
    return [_entry(asked) | {"times": times} for asked, times in sorted(counts.items())]


def _entry(asked: tuple[str, str, str]) -> dict[str, Any]:
    role, action, resource = asked
    return {"role": role, "action": action, "resource": resource}


def _arn_member(service: str, arn: str) -> dict[str, str]:
    return {"ResourceARN" if service == "fsx" else "resourceArn": arn}


def _tags_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """Tags are a map or a list, as the service likes it."""
    tags = answer.get("tags") or answer.get("Tags") or {}
    if isinstance(tags, dict):
        return dict(tags)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}
