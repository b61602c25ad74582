"""Reports a launch's new status by an event, by a notice if people have to know, and in the answer to its file."""

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
    """Settings of a function that announces statuses."""

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
    """Log a launch's new status, count it, and report it.

    Only a function that may reject or claim a launch needs the permission to change the answer to its file.
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
    """Return whether the launch was REJECTED for its data, and is now tried again."""
    was_rejected = any(event["status"] == Status.REJECTED for event in launch.events or ())
    return was_rejected and launch.status in (Status.QUEUED, Status.RUNNING)


def _count(launch: Launch) -> None:
    """Count the launch by its status (LaunchesFailed, LaunchesCancelRequested, ...).

    Once it is over, also count the type of its error, and whether the platform is at fault.
    """
    count("Launches" + "".join(word.title() for word in launch.status.split("_")), 1, launch.workflow)
    if launch.error and launch.is_final:
        count(f"Error{launch.error['type']}", 1, launch.workflow)
    # Why a launch failed is always known; if it were not, that would be the platform's fault, too.
    error = launch.error or {"type": ErrorType.PLATFORM}
    if launch.status is Status.FAILED and is_platforms_fault(error, launch.workflow):
        count_platform_fault()
