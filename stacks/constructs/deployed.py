"""The event that reports a stack's own deployments."""

from aws_cdk import Stack
from aws_cdk import aws_events as events


def deployment_of(stack: Stack) -> events.EventPattern:
    """The stack was made or changed, and nothing of that failed (CloudFormation user guide, "Stack status change")."""
    return events.EventPattern(
        source=["aws.cloudformation"],
        detail_type=["CloudFormation Stack Status Change"],
        detail={
            "stack-id": [stack.stack_id],
            "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
        },
    )
