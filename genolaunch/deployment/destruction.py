"""Deletes a stage: its intake is stopped, its buckets are emptied, its stacks deleted, those that use others first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.deployment import running as looking
from genolaunch.deployment.emptying import empty
from genolaunch.deployment.intake import Intake
from genolaunch.errors import GenolaunchError
from genolaunch.shared.counted import counted
from genolaunch.verify.account import NEVER_FILLED, Account, listed

_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
"""Of `DeletionPolicy`: the resource outlives its stack (AWS CloudFormation template reference)."""

_TRIES: Final = 3
"""S3 delivers access logs for hours: a bucket may be full again before its stack comes to it."""

_DATA: Final = frozenset({"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"})
"""Types of what a stage with removal_policy: retain keeps for its data."""

_LAST: Final = "cleanup"
"""Name of the stack that goes as late as the others' use of it allows: it ends what launches left."""

_LOOK_EVERY_SECONDS: Final = 5
_LOOKS: Final = 720
"""An hour: Batch's environments take minutes, NAT gateways and interface endpoints too."""


@dataclass(frozen=True)
class Resource:
    """Of a stack."""

    stack: str
    type: str
    name: str
    """What AWS calls it (PhysicalResourceId)."""

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


@dataclass(frozen=True)
class Plan:
    """What the deletion of a stage deletes and keeps."""

    stage: str
    stacks: Sequence[str]
    """In the order in which they are deleted."""
    buckets: Sequence[str]
    """That are emptied."""
    kept: Sequence[Resource]

    def sentences(self) -> Iterator[str]:
        """For people."""
        yield f"{len(self.stacks)} stacks of the stage {self.stage} are deleted: {', '.join(self.stacks)}."
        buckets = counted(len(self.buckets), "bucket is", "buckets are")
        yield f"{buckets} emptied, with all versions: {', '.join(self.buckets) or 'none'}."
        yield from kept_sentences(self.kept)


def kept_sentences(kept: Sequence[Resource]) -> Iterator[str]:
    """What the stage leaves, by name."""
    if kept:
        yield "These stay, since their templates say so, and cost what they cost:"
        yield from (f"  {each}" for each in kept)
    else:
        yield "Nothing of the templates stays."
    yield (
        "The CDK's bootstrap and the assets in it stay, and so do inactive job definitions of Batch (180 days), "
        "keys that wait for their deletion (up to 30 days), and what others keep of the stage's data."
    )


def plan(account: Account) -> Plan:
    """What would be done.

    Raises:
        GenolaunchError: the stage is not there, it keeps its data, or something is known to be in the way of its
            deletion: all of that, and what mends it.
    """
    stacks = account.stacks
    if not stacks:
        raise GenolaunchError(f"Stage “{account.stage}” is not deployed in this account and region.")
    templates: dict[str, Mapping[str, Any]] = {}
    kept: list[Resource] = []
    going: list[Resource] = []
    for short, stack in sorted(stacks.items()):
        name = stack["StackName"]
        templates[name] = {} if stack.get("StackStatus") == NEVER_FILLED else _template(account, name)
        for each in account.resources(short):
            resource = Resource(name, each["ResourceType"], each["PhysicalResourceId"])
            (kept if _is_kept(templates[name], each["LogicalResourceId"]) else going).append(resource)
    if obstacles := [*_protections(account, kept), *_obstacles(account, going)]:
        raise GenolaunchError(" ".join(["Nothing was deleted.", *obstacles]))
    buckets = [each.name for each in going if each.type == "AWS::S3::Bucket"]
    return Plan(account.stage, _order(templates, account.stage), buckets, kept)


def _protections(account: Account, kept: Sequence[Resource]) -> Iterator[str]:
    """Each sign that the stage keeps its data.

    Each deployment by the CDK's command line sets termination protection to what the settings say (aws-cdk,
    `updateTerminationProtection` of its deployments), and so takes it off with removal_policy: destroy. CodePipeline's
    action has no such setting, so a pipeline leaves it on.
    """
    protected = sorted(each["StackName"] for each in account.stacks.values() if each.get("EnableTerminationProtection"))
    data = [str(each) for each in kept if each.type in _DATA]
    if not protected and not data:
        return
    yield f"The stage {account.stage} keeps its data (removal_policy: retain):"
    if protected:
        verb = "is" if len(protected) == 1 else "are"
        yield f"{', '.join(protected)} {verb} protected from deletion."
    if data:
        yield f"The templates keep {', '.join(data)}."
    yield (
        f"Whoever means it sets removal_policy: destroy and deploys that: make deploy STAGE={account.stage} takes the "
        "protection off, too. A pipeline leaves it on: aws cloudformation update-termination-protection "
        f"--no-enable-termination-protection --stack-name {(protected or ['NAME'])[0]}"
    )


def _obstacles(account: Account, going: Sequence[Resource]) -> Iterator[str]:
    """What would end the deletion half-way, when data is gone already."""
    for each in account.stacks.values():
        status = str(each.get("StackStatus", ""))
        if status.endswith("_IN_PROGRESS") and status != NEVER_FILLED:
            yield f"{each['StackName']} is {status}: wait until CloudFormation is done with it."
    for vault in (each.name for each in going if each.type == "AWS::Backup::BackupVault"):
        pages = account.client("backup").get_paginator("list_recovery_points_by_backup_vault")
        points = len(listed(pages.paginate(BackupVaultName=vault), "RecoveryPoints"))
        if points:
            # AWS Backup deletes no vault that holds any (AWS Backup API reference, DeleteBackupVault).
            yield (
                f"The vault {vault} holds {counted(points, 'recovery point')}: delete what it holds (console: AWS "
                "Backup, Vaults), or wait until it expires."
            )


def _template(account: Account, stack: str) -> Mapping[str, Any]:
    body = account.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    # botocore parses JSON; a stand-in may not.
    return dict(json.loads(body)) if isinstance(body, str) else dict(body)


def _is_kept(template: Mapping[str, Any], logical_id: str) -> bool:
    return template.get("Resources", {}).get(logical_id, {}).get("DeletionPolicy") in _KEPT


def _order(templates: Mapping[str, Mapping[str, Any]], stage: str) -> list[str]:
    """Users of other stacks' values before those; by name where it does not matter, clean-up as late as may be.

    Not later: what others export goes after its users, and clean-up uses what makes things (stacks/cleanup.py).
    """
    exports = {
        output["Export"]["Name"]: name
        for name, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }
    needs = {name: set(_needed(template, exports)) - {name} for name, template in templates.items()}
    ordered: list[str] = []
    left = dict(needs)
    while left:
        unused = sorted(name for name in left if not any(name in needed for needed in left.values()))
        if not unused:
            raise GenolaunchError(f"The stacks of {stage} need each other in a circle: {', '.join(sorted(left))}.")
        chosen = [name for name in unused if not name.endswith(f"-{_LAST}")] or unused
        ordered += chosen
        for name in chosen:
            del left[name]
    return ordered


def _needed(value: Any, exports: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Names of the stacks whose values a template takes, by an export or by name."""
    match value:
        case {"Fn::ImportValue": str(name)} if name in exports:
            yield exports[name]
        case {"Fn::GetStackOutput": {"StackName": str(name)}}:
            yield name
        case dict():
            for inner in value.values():
                yield from _needed(inner, exports)
        case list():
            for inner in value:
                yield from _needed(inner, exports)


def destroy(account: Account, planned: Plan) -> Iterator[str]:
    """Do it, telling what is done. What is gone already is passed over, so it can be repeated.

    Raises:
        GenolaunchError: something has begun since it was planned; or CloudFormation could not delete a stack: which,
            and why.
    """
    _stop_intake(account)
    yield "Nothing more is taken in: registration and the pipe are stopped"
    for bucket in planned.buckets:
        yield f"{bucket}: {counted(empty(account, bucket), 'version')} of objects deleted"
    for stack in planned.stacks:
        yield from _delete(account, stack)
    yield f"The stage {planned.stage} is deleted."
    yield from kept_sentences(planned.kept)


def refuse_unless_finished(found: looking.Running) -> None:
    """The stage may be deleted.

    Raises:
        GenolaunchError: something of it is not over: what, by name.
    """
    if not found.is_finished:
        told = ["Something of the stage is not over, so nothing was deleted.", *found.unfinished_sentences()]
        raise GenolaunchError(" ".join(told))


def _stop_intake(account: Account) -> None:
    """Stop the intake, so that nothing can begin. If something has begun before, intake starts again."""
    intake = Intake(account)
    intake.stop()
    try:
        refuse_unless_finished(looking.running(account))
    except BaseException:
        intake.put_back()
        raise


def _delete(account: Account, stack: str) -> Iterator[str]:
    yield f"{stack}: is being deleted"
    for attempt in range(1, _TRIES + 1):
        reason = _delete_once(account, stack)
        if reason is None:
            return
        if attempt == _TRIES:
            raise GenolaunchError(f"CloudFormation could not delete {stack}: {reason}. Mend that, and repeat this.")
        for each in _not_deleted(account, stack):
            if each["ResourceType"] == "AWS::S3::Bucket":
                empty(account, each["PhysicalResourceId"])
        yield f"{stack}: once more, since {reason}"


def _delete_once(account: Account, stack: str) -> str | None:
    """Why it could not be deleted; None if it is gone."""
    from botocore.exceptions import WaiterError

    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    try:
        waiter.wait(StackName=stack, WaiterConfig={"Delay": _LOOK_EVERY_SECONDS, "MaxAttempts": _LOOKS})
    except WaiterError as error:
        failed = [
            f"{each['LogicalResourceId']} ({each.get('ResourceStatusReason', 'no reason was given')})"
            for each in _not_deleted(account, stack)
        ]
        return "; ".join(failed) or str(error)
    return None


def _not_deleted(account: Account, stack: str) -> list[Any]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [each for each in listed(pages, "StackResourceSummaries") if each.get("ResourceStatus") == "DELETE_FAILED"]
