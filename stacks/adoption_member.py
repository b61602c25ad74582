"""What an account adds to the statistics of stacks/adoption.py: a rule that forwards its events, and its role."""

from aws_cdk import ArnFormat, Environment, Stack, Tags
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from genolaunch.contract.project import PROJECT, TAG_PROJECT
from stacks.adoption import BUS, PATTERN
from stacks.config import GovernanceSettings


class AdoptionMemberStack(Stack):
    """Service Catalog's events of one account, sent to the bus of all accounts in the same region.

    A rule whose target is another account's bus needs a role (Amazon EventBridge user guide, "Sending and receiving
    events between AWS accounts"); the bus lets the account in by its own policy.
    """

    def __init__(self, scope: Construct, *, account: str, settings: GovernanceSettings) -> None:
        super().__init__(
            scope,
            f"{PROJECT}-adoption-{account}",
            stack_name=f"{PROJECT}-adoption-events",
            env=Environment(account=account, region=settings.region),
            description="Tells the account that counts them of this account's deployments of Genolaunch's product",
        )
        bus_arn = self.format_arn(
            service="events",
            account=settings.account,
            resource="event-bus",
            resource_name=BUS,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="Sends events about Genolaunch's product to the account that counts them",
        )
        role.add_to_policy(iam.PolicyStatement(sid="PutEvents", actions=["events:PutEvents"], resources=[bus_arn]))
        rule = events.CfnRule(
            self,
            "Rule",
            description="Calls of Service Catalog that deploy, update or delete a product",
            event_pattern=PATTERN,
            targets=[events.CfnRule.TargetProperty(id="Bus", arn=bus_arn, role_arn=role.role_arn)],
        )
        rule.node.add_dependency(role)
        Tags.of(self).add(TAG_PROJECT, PROJECT)
