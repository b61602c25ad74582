"""What roles need that define and submit this stage's Batch jobs, whichever workflow the jobs are of."""

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
    """Register tagged job definitions that are not privileged, and give their jobs these roles (ARNs, or patterns).

    `only`: what else a definition's members must equal, by condition key.
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
            # No condition on the service that they are passed to: Batch does not document what it says there.
            # The roles' own trust policies let ECS tasks have them and nobody else.
            resources=list(roles),
        ),
    ]


def make_tagged_jobs(stack: StageStack) -> iam.PolicyStatement:
    """SubmitJob is checked on the job that it makes, too (Service Authorization Reference)."""
    return iam.PolicyStatement(
        sid="MakeTaggedJobs",
        actions=["batch:SubmitJob", "batch:TagResource"],
        resources=[stack.format_arn(service="batch", resource="job", resource_name="*")],
        conditions=tagged_for_stage(stack),
    )
