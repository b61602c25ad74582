"""Deletes a stage: its buckets are emptied, its stacks deleted, those that use others first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account, listed

_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
"""Of `DeletionPolicy`: the resource outlives its stack (AWS CloudFormation template reference)."""

_TRIES: Final = 3
"""S3 delivers access logs for hours: a bucket may be full again before its stack comes to it."""

_DELETED_AT_ONCE: Final = 1000
"""The most that one DeleteObjects call takes (Amazon S3 API reference)."""

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
    """What becomes of a stage."""

    stage: str
    stacks: Sequence[str]
    """In the order in which they are deleted."""
    buckets: Sequence[str]
    """That are emptied."""
    kept: Sequence[Resource]

    def sentences(self) -> Iterator[str]:
        """For people."""
        yield f"{len(self.stacks)} stacks of the stage {self.stage} are deleted: {', '.join(self.stacks)}."
        yield f"{len(self.buckets)} buckets are emptied, with all versions: {', '.join(self.buckets) or 'none'}."
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
        GenolaunchError: the stage is not there, or one of its stacks is protected.
    """
    stacks = account.stacks
    if not stacks:
        raise GenolaunchError(f"Stage “{account.stage}” is not deployed in this account and region.")
    protected = sorted(each["StackName"] for each in stacks.values() if each.get("EnableTerminationProtection"))
    if protected:
        raise GenolaunchError(
            f"The stage {account.stage} keeps its data (removal_policy: retain): {', '.join(protected)} is protected "
            "from deletion, and nothing was deleted. Whoever means it deploys it with removal_policy: destroy first, "
            "and takes the protection off: aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {protected[0]}"
        )
    names = sorted(each["StackName"] for each in stacks.values())
    templates = {name: _template(account, name) for name in names}
    resources = {name: list(_resources(account, name)) for name in names}
    kept = [
        Resource(name, each["ResourceType"], each["PhysicalResourceId"])
        for name in names
        for each in resources[name]
        if _is_kept(templates[name], each["LogicalResourceId"])
    ]
    buckets = [
        each["PhysicalResourceId"]
        for name in names
        for each in resources[name]
        if each["ResourceType"] == "AWS::S3::Bucket" and not _is_kept(templates[name], each["LogicalResourceId"])
    ]
    return Plan(account.stage, _order(templates, account.stage), buckets, kept)


def _template(account: Account, stack: str) -> Mapping[str, Any]:
    body = account.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    # botocore parses JSON; a stand-in may not.
    return dict(json.loads(body)) if isinstance(body, str) else dict(body)


def _resources(account: Account, stack: str) -> Iterator[Any]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for each in listed(pages, "StackResourceSummaries"):
        if each.get("PhysicalResourceId") and each.get("ResourceStatus") != "DELETE_COMPLETE":
            yield each


def _is_kept(template: Mapping[str, Any], logical_id: str) -> bool:
    return template.get("Resources", {}).get(logical_id, {}).get("DeletionPolicy") in _KEPT


def _order(templates: Mapping[str, Mapping[str, Any]], stage: str) -> list[str]:
    """Users of other stacks' values before those; by name where it does not matter."""
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
        ordered += unused
        for name in unused:
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
        GenolaunchError: CloudFormation could not delete a stack: which, and why.
    """
    for bucket in planned.buckets:
        yield f"{bucket}: {_empty(account, bucket):,} versions of objects deleted"
    for stack in planned.stacks:
        yield from _delete(account, stack)
    yield f"The stage {planned.stage} is deleted."
    yield from kept_sentences(planned.kept)


def _empty(account: Account, bucket: str) -> int:
    """Delete every version, every delete marker and every upload that was never finished; how many versions."""
    s3 = account.client("s3")
    deleted = 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": _DELETED_AT_ONCE}
        ):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if not found:
                continue
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", []):
                raise GenolaunchError(
                    f"S3 does not delete {error.get('Key')} of {bucket}: {error.get('Message') or error.get('Code')}."
                )
            deleted += len(objects)
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except s3.exceptions.NoSuchBucket:
        return 0
    return deleted


def _delete(account: Account, stack: str) -> Iterator[str]:
    yield f"{stack}: is being deleted"
    for attempt in range(1, _TRIES + 1):
        reason = _delete_once(account, stack)
        if reason is None:
            return
        if attempt == _TRIES:
            raise GenolaunchError(f"CloudFormation could not delete {stack}: {reason}. Mend that, and repeat this.")
        for each in _resources(account, stack):
            if each["ResourceType"] == "AWS::S3::Bucket" and each.get("ResourceStatus") == "DELETE_FAILED":
                _empty(account, each["PhysicalResourceId"])
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
            for each in _resources(account, stack)
            if each.get("ResourceStatus") == "DELETE_FAILED"
        ]
        return "; ".join(failed) or str(error)
    return None
