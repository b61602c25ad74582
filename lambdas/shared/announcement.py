"""Tells of a launch's new status: other systems, people if it is news to them, and whoever dropped its file."""

from typing import Protocol

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from lambdas.shared.failure import is_platforms_fault
from lambdas.shared.feedback import amend_feedback
from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import put_event
from lambdas.shared.notifications import notify
from lambdas.shared.observability import count, count_platform_fault, logger


class Channels(Protocol):
    """Settings of a function that tells."""

    @property
    def stage(self) -> str:
        """The stage's name."""

    @property
    def event_bus(self) -> str:
        """The stage's own bus."""

    @property
    def notification_topic(self) -> str:
        """ARN of the topic that people subscribe to."""


def announce(launch: Launch, channels: Channels) -> None:
    """Log a launch's new status, count it, and tell of it.

    Only a function that may reject a launch, or claim it, needs to be allowed to amend feedback.
    """
    logger.info(
        "Status changed",
        extra={"launchId": launch.launch_id, "status": launch.status, "attempt": launch.attempt},
    )
    _count(launch)
    put_event(launch, bus=channels.event_bus, stage=channels.stage)
    notify(launch, topic_arn=channels.notification_topic, stage=channels.stage)
    if launch.status is Status.REJECTED or _is_taken_up_again(launch):
        amend_feedback(launch)


def _is_taken_up_again(launch: Launch) -> bool:
    """It was REJECTED for its data, and is tried again."""
    was_rejected = any(event["status"] == Status.REJECTED for event in launch.events or ())
    return was_rejected and launch.status in (Status.QUEUED, Status.RUNNING)


def _count(launch: Launch) -> None:
    """By status (LaunchesFailed, LaunchesCancelRequested, ...), and by the type of error and whose it is, once over."""
    count("Launches" + "".join(word.title() for word in launch.status.split("_")), 1, launch.workflow)
    if launch.error and launch.is_final:
        count(f"Error{launch.error['type']}", 1, launch.workflow)
    # Why a launch failed is always known; if it were not, that would be the platform's fault, too.
    error = launch.error or {"type": ErrorType.PLATFORM}
    if launch.status is Status.FAILED and is_platforms_fault(error, launch.workflow):
        count_platform_fault()
