"""Policy statements that several roles need, with what limits them."""

from aws_cdk import aws_iam as iam

from contract import PROJECT, TAG_PROJECT, TAG_STAGE
from stacks.constructs.stage_stack import StageStack


def made_by_stage(stack: StageStack) -> dict[str, dict[str, str]]:
    """Condition: the resource carries this stage's tags."""
    return _tags("ResourceTag", stack)


def tagged_for_stage(stack: StageStack) -> dict[str, dict[str, str]]:
    """Condition: the request tags what it makes with this stage's tags."""
    return _tags("RequestTag", stack)


def _tags(kind: str, stack: StageStack) -> dict[str, dict[str, str]]:
    return {
        "StringEquals": {f"aws:{kind}/{TAG_PROJECT}": PROJECT, f"aws:{kind}/{TAG_STAGE}": stack.settings.name},
    }


def managed_rule(stack: StageStack, name: str) -> iam.PolicyStatement:
    """Step Functions hears of the end of a `.sync` task by a rule of its own, which the role lets it keep."""
    return iam.PolicyStatement(
        sid="BeToldOfTheEnd",
        actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        resources=[stack.format_arn(service="events", resource="rule", resource_name=name)],
    )


def read_batch_jobs() -> iam.PolicyStatement:
    """Look up jobs and their definitions."""
    return iam.PolicyStatement(
        sid="LookUpJobs",
        actions=["batch:ListJobs", "batch:DescribeJobs", "batch:DescribeJobDefinitions"],
        resources=["*"],  # these actions know no resources
    )


def read_file_systems() -> iam.PolicyStatement:
    """Look up file systems, their links with S3 and their exports."""
    return iam.PolicyStatement(
        sid="LookUpFileSystems",
        actions=[
            "fsx:DescribeFileSystems",
            "fsx:DescribeDataRepositoryAssociations",
            "fsx:DescribeDataRepositoryTasks",
        ],
        resources=["*"],  # each lists all of the account's, whatever is asked for
    )
