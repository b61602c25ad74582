"""Tells of a launch's new status: other systems, people if it is news to them, and whoever dropped its file."""

from typing import Protocol

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from contract import Status
from lambdas.shared.feedback import amend_feedback
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
    """Log a launch's new status, count it, and tell of it.

    Only a function that may reject a launch, or claim it, needs to be allowed to amend feedback.
    """
    logger.info(
        "Status changed",
        extra={"launchId": launch.launch_id, "status": launch.status, "attempt": launch.attempt},
    )
    _count(launch, channels.stage)
    put_event(launch, bus=channels.event_bus, stage=channels.stage)
    notify(launch, topic_arn=channels.notification_topic, stage=channels.stage)
    if launch.status is Status.REJECTED or (launch.status is Status.RUNNING and launch.attempt > 1):
        amend_feedback(launch)


def _count(launch: Launch, stage: str) -> None:
    """Add to the metrics of the launch's status (LaunchesFailed, LaunchesCancelRequested, ...) and of its error's type.

    They have the workflow as a dimension, beside stage and service.
    """
    names = ["Launches" + "".join(word.title() for word in launch.status.split("_"))]
    if launch.error and launch.is_final:
        names.append(f"Error{launch.error['type']}")
    # Not the function's own metrics: those have no workflow, and a batch may end launches of several.
    dimensions = {"stage": stage, "service": metrics.service, "workflow": launch.workflow or "none"}
    for name in names:
        with single_metric(name, MetricUnit.Count, 1, namespace=metrics.namespace, default_dimensions=dict(dimensions)):
            pass
