"""The stage and AWS's clients, as verify-stage needs them: more than those who launch do."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.project import PROJECT
from genolaunch.platform import Platform, new_session

if TYPE_CHECKING:
    import boto3

NEVER_FILLED: Final = "REVIEW_IN_PROGRESS"
"""Status of a stack that has no template and no resources yet (CloudFormation user guide, "Stack status codes")."""

_NOTICES: Final = "Notices"
"""Begins the logical id of the stage's topic."""


def listed(pages: Iterable[Mapping[str, Any]], key: str) -> list[Any]:
    """The entries that the pages of an operation have under `key`."""
    return [entry for page in pages for entry in page.get(key, [])]


class Account:
    """One stage, and the account that it is in."""

    def __init__(self, stage: str, session: "boto3.Session | None" = None) -> None:
        """`session` is an ordinary new one unless given."""
        self._session = session or new_session()
        self.platform = Platform(stage, self._session)
        self.stage = stage
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 - made from the model, without a type
        """A client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    @cached_property
    def stacks(self) -> dict[str, dict[str, Any]]:
        """The stage's stacks, by the part of their names that tells them apart."""
        prefix = f"{PROJECT}-{self.stage}-"
        found = listed(self.client("cloudformation").get_paginator("describe_stacks").paginate(), "Stacks")
        return {each["StackName"].removeprefix(prefix): each for each in found if each["StackName"].startswith(prefix)}

    def resources(self, name: str) -> list[dict[str, Any]]:
        """What a stack of the stage has, of `list_stack_resources`; `name`: as in `stacks`. None of one that is not."""
        stack = self.stacks.get(name)
        if stack is None or stack.get("StackStatus") == NEVER_FILLED:
            return []
        pages = (
            self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        )
        return [
            each
            for each in listed(pages, "StackResourceSummaries")
            if each.get("PhysicalResourceId") and each.get("ResourceStatus") != "DELETE_COMPLETE"
        ]

    @cached_property
    def machines(self) -> dict[str, str]:
        """ARNs of the stage's state machines, by the part of their names that tells them apart."""
        prefix = f"{PROJECT}-{self.stage}-"
        found = listed(self.client("stepfunctions").get_paginator("list_state_machines").paginate(), "stateMachines")
        return {
            each["name"].removeprefix(prefix): each["stateMachineArn"]
            for each in found
            # Of this name exactly: another stage's may begin with this one's.
            if each["name"].startswith(prefix) or each["name"] == f"tibanna_unicorn_{PROJECT}_{self.stage}"
        }

    @property
    def launchers(self) -> str:
        """The ECS cluster in which Snakemake runs."""
        return f"{PROJECT}-{self.stage}-launchers"

    @cached_property
    def topic_arn(self) -> str:
        """The stage's notices."""
        stack = f"{PROJECT}-{self.stage}-data"
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return next(
            str(each["PhysicalResourceId"])
            for each in resources
            if each["ResourceType"] == "AWS::SNS::Topic" and each["LogicalResourceId"].startswith(_NOTICES)
        )
