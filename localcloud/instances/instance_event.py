"""What EC2 tells EventBridge of an instance: its id, and little else."""

from typing import Any

from localcloud.clients import ACCOUNT, REGION


def state_change(instance_id: str, state: str) -> dict[str, Any]:
    """It is in another state (Amazon EC2 user guide, "State change events for your instances")."""
    return {
        "detail-type": "EC2 Instance State-change Notification",
        "resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance_id}"],
        "detail": {"instance-id": instance_id, "state": state},
    }


def interruption_warning(instance_id: str, zone: str) -> dict[str, Any]:
    """EC2 takes it back in two minutes (Amazon EC2 user guide, "Spot Instance interruption notices").

    The ARN has the zone in place of the region and the account, there alone.
    """
    return {
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "resources": [f"arn:aws:ec2:{zone}:instance/{instance_id}"],
        "detail": {"instance-id": instance_id, "instance-action": "terminate"},
    }
