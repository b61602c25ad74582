"""Tells of a launch's new status: other systems by the stage's bus, and people if it is news to them."""

from typing import Protocol

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import put_event
from lambdas.shared.notifications import notify
from lambdas.shared.observability import logger, metrics


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
    """Log, count and tell of a launch's status."""
    logger.info("Status changed", extra={"launchId": launch.launch_id, "status": launch.status})
    metrics.add_metric(name=f"Launches{launch.status.title()}", unit=MetricUnit.Count, value=1)
    put_event(launch, bus=channels.event_bus, stage=channels.stage)
    notify(launch, topic_arn=channels.notification_topic, stage=channels.stage)
