"""Permissions of roles that define and submit this stage's Batch jobs, for every workflow."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam

from stacks.constructs.permissions import tagged_for_stage
from stacks.constructs.stage_stack import StageStack


def job_definitions(stack: StageStack) -> str:
    """ARN pattern of all job definitions."""
    return stack.format_arn(service="batch", resource="job-definition", resource_name="*")


def define_jobs(
    stack: StageStack, sid: str, roles: Sequence[str], *, only: Mapping[str, Any] | None = None
) -> list[iam.PolicyStatement]:
    """Allow to register tagged job definitions that are not privileged, and to give their jobs certain roles.

    Args:
        stack: the stage's stack.
        sid: id of the first statement.
        roles: ARNs, or patterns of ARNs, of the roles.
        only: further values that members of a definition must have, by condition key.
    """
    definitions, tagged = job_definitions(stack), tagged_for_stage(stack)
    return [
        iam.PolicyStatement(
            sid=sid,
            actions=["batch:RegisterJobDefinition"],
            resources=[definitions],
            conditions={
                "StringEquals": {**(only or {}), **tagged["StringEquals"]},
                "Bool": {"batch:Privileged": "false"},
            },
        ),
        iam.PolicyStatement(
            sid="TagDefinitions", actions=["batch:TagResource"], resources=[definitions], conditions=tagged
        ),
        iam.PolicyStatement(
            sid="GiveJobsTheirRoles",
            actions=["iam:PassRole"],
            # No condition on the service that gets the roles: Batch does not document which name it gives there.
            # The roles' own trust policies let only ECS tasks assume them.
            resources=list(roles),
        ),
    ]


def make_tagged_jobs(stack: StageStack) -> iam.PolicyStatement:
    """Allow SubmitJob for the job that it makes, which IAM checks, too (Service Authorization Reference)."""
    return iam.PolicyStatement(
        sid="MakeTaggedJobs",
        actions=["batch:SubmitJob", "batch:TagResource"],
        resources=[stack.format_arn(service="batch", resource="job", resource_name="*")],
        conditions=tagged_for_stage(stack),
    )
