"""What people need who launch in a stage that keeps teams apart: by their session tag, what is their team's alone.

A launch's id starts with its team's name (lambdas/workflow_manager/teams.py), and what is made of it is named after it.
Without the tag nothing below matches: IAM takes a variable without a value for one that fits nothing.
"""

from typing import Final

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from genolaunch.contract.launch import LaunchField
from genolaunch.contract.launch_bucket import FEEDBACK_PREFIX, LAUNCH_PREFIX, REQUESTS_PREFIX, SOURCES_PREFIX
from genolaunch.contract.results import RESULTS_PREFIX
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack

TEAM: Final = "${aws:PrincipalTag/team}"

BY_HAND: Final = (LaunchField.LAUNCH_ID, LaunchField.STATUS)
"""What people may write into the table themselves: genolaunch.contract.launch.ASKED_BY_HAND. Any other status is put
back to what the launch's events say; and an approval, or what became of a launch, is the platform's to write."""
CONFIG_BY_HAND: Final = LaunchField.CONFIG
"""Besides, where the stage does not keep teams apart: it is checked when the launch is claimed."""


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
            resources=[
                launch.arn_for_objects(f"{LAUNCH_PREFIX}{TEAM}/*"),
                # Of the team's own launches: their ids begin with its name.
                launch.arn_for_objects(f"{REQUESTS_PREFIX}{TEAM}-*"),
                launch.arn_for_objects(f"{SOURCES_PREFIX}{TEAM}/*"),
                uploaded.arn_for_objects(f"{TEAM}/*"),
            ],
        ),
        iam.PolicyStatement(
            sid="ReadAnswersDataAndResults",
            actions=["s3:GetObject"],
            resources=[
                launch.arn_for_objects(f"{FEEDBACK_PREFIX}{TEAM}/*"),
                launch.arn_for_objects(f"{FEEDBACK_PREFIX}{REQUESTS_PREFIX}{TEAM}-*"),
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
        *_by_hand(stack, launches, own),
        iam.PolicyStatement(
            sid="SeeOwnSteps",
            actions=["states:DescribeExecution", "states:GetExecutionHistory"],
            resources=[executions],
        ),
    ]


def _by_hand(stack: StageStack, launches: str, own: dict[str, dict[str, list[str]]]) -> list[iam.PolicyStatement]:
    """In the table's console, where nobody is told who did it; see access.py.

    Both conditions are ForAllValues, of operators of their own: the leading keys by StringLike, attributes by Equals.
    """
    if stack.settings.four_eyes_approval:
        return []
    return [
        iam.PolicyStatement(
            sid="AskForChangesByHand",
            actions=["dynamodb:UpdateItem"],
            resources=[launches],
            conditions={**own, **touching(*BY_HAND)},
        )
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
