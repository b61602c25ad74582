"""Tells people that a launch is above its budget: by SNS, and in its item."""

from genolaunch.contract.launch import LaunchField
from genolaunch.shared import aws
from lambdas.shared.announcement import Channels
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository

_LONGEST_SUBJECT = 99
"""Characters (Amazon SNS API reference, Publish)."""


def tell_of_budget(repository: LaunchRepository, launch: Launch, reason: str, channels: Channels) -> None:
    """Once for an attempt; told again, it is passed over."""
    if was_told(launch):
        return
    subject = f"Genolaunch {channels.stage}: {launch.name} is above its budget"
    aws.client("sns").publish(
        TopicArn=channels.notification_topic,
        Subject=subject[:_LONGEST_SUBJECT],
        Message=f"Launch {launch.launch_id}: {reason}",
    )
    told = {"attempt": launch.attempt, "reason": reason}
    repository.note(launch.launch_id, launch.attempt, {LaunchField.BUDGET_TOLD: told})


def was_told(launch: Launch) -> bool:
    """Whether people know of this attempt."""
    return launch.budget_told is not None and int(launch.budget_told["attempt"]) == launch.attempt
