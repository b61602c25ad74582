"""Policy statements that several roles need, with what limits them."""

from aws_cdk import aws_iam as iam

from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
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


def look_up(*actions: str) -> iam.PolicyStatement:
    """Reading calls of Batch, FSx and EC2: they list what the account has, and know no resources to be limited to."""
    # A role may look up things in several services, and a statement's id is its own within a policy.
    services = sorted({action.partition(":")[0].title() for action in actions})
    return iam.PolicyStatement(sid="LookUp" + "".join(services), actions=list(actions), resources=["*"])
