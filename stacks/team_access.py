"""What people need who launch in a stage that keeps teams apart: by their session tag, what is their team's alone.

A launch's id starts with its team's name (lambdas/workflow_manager/teams.py), and what is made of it is named after it.
Without the tag nothing below matches: IAM takes a variable without a value for one that fits nothing.
"""

from typing import Final

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from contract import FEEDBACK_PREFIX, LAUNCH_PREFIX, RESULTS_PREFIX, LaunchField
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack

TEAM: Final = "${aws:PrincipalTag/team}"

ASKED_BY_PEOPLE: Final = (
    LaunchField.LAUNCH_ID,
    LaunchField.STATUS,
    LaunchField.STATUS_REASON,
    LaunchField.HELD_FOR,
    LaunchField.UPDATED_AT,
    LaunchField.EVENTS,
    LaunchField.ATTEMPT,
    LaunchField.APPROVED_BUDGET,
    LaunchField.APPROVED_RESTORE,
)
"""What cancel, retry and approve touch. Not the config: a retry reads it, and it names the data."""


def touching(*attributes: str) -> dict[str, dict[str, list[str]]]:
    """Conditions by which UpdateItem names, and answers with, these attributes only (DynamoDB developer guide)."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(attributes)},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_OLD", "UPDATED_NEW"]},
    }


def team_files(data: DataStack) -> list[iam.PolicyStatement]:
    """The team's folders of launches, answers and data, and the results of its launches."""
    launch, uploaded, results = data.launch_bucket, data.data_bucket, data.results_bucket
    listed = (
        ("ListAnswers", launch, f"{FEEDBACK_PREFIX}{TEAM}/*"),
        ("ListData", uploaded, f"{TEAM}/*"),
        ("ListResults", results, f"{RESULTS_PREFIX}{TEAM}-*"),
    )
    return [
        *(
            iam.PolicyStatement(
                sid=sid,
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": prefix}},
            )
            for sid, bucket, prefix in listed
        ),
        iam.PolicyStatement(
            sid="DropLaunchesAndData",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[launch.arn_for_objects(f"{LAUNCH_PREFIX}{TEAM}/*"), uploaded.arn_for_objects(f"{TEAM}/*")],
        ),
        iam.PolicyStatement(
            sid="ReadAnswersDataAndResults",
            actions=["s3:GetObject"],
            resources=[
                launch.arn_for_objects(f"{FEEDBACK_PREFIX}{TEAM}/*"),
                uploaded.arn_for_objects(f"{TEAM}/*"),
                results.arn_for_objects(f"{RESULTS_PREFIX}{TEAM}-*"),
            ],
        ),
    ]


def team_launches(stack: StageStack, data: DataStack) -> list[iam.PolicyStatement]:
    """The team's launches by their ids, and how far they are. Lists of all launches belong to nobody in particular."""
    launches, tasks = data.launch_table.table_arn, data.task_table.table_arn
    own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TEAM}-*"]}}
    executions = stack.format_arn(
        service="states",
        resource=f"execution:{stack.settings.prefix}-*:{TEAM}-*",
        arn_format=ArnFormat.NO_RESOURCE_NAME,
    )
    return [
        iam.PolicyStatement(
            sid="SeeOwnLaunches",
            actions=["dynamodb:GetItem", "dynamodb:Query"],
            resources=[launches, tasks],
            conditions=own,
        ),
        iam.PolicyStatement(
            sid="AskForChanges",
            actions=["dynamodb:UpdateItem"],
            resources=[launches],
            conditions={**own, **touching(*ASKED_BY_PEOPLE)},
        ),
        iam.PolicyStatement(
            sid="SeeOwnSteps",
            actions=["states:DescribeExecution", "states:GetExecutionHistory"],
            resources=[executions],
        ),
    ]


def team_logs(stack: StageStack, log_group: str) -> iam.PolicyStatement:
    """A launch's streams by their names, which start with its id; searching a group cannot be limited to some."""
    streams = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group}:log-stream:{TEAM}-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(sid="ReadOwnJobLogs", actions=["logs:GetLogEvents"], resources=[streams])
