"""What the functions that change a launch's status share: their settings, and how a change is told of."""

from dataclasses import dataclass
from functools import cache

from aws_lambda_powertools.metrics import MetricUnit

from contract import Status
from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import put_event
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.notifications import notify
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import read_settings
from lambdas.workflow_manager.feedback import amend_feedback
from lambdas.workflow_manager.launch_queue import LaunchQueue


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of these functions."""

    stage: str
    launch_table: str
    task_table: str
    notification_topic: str
    event_bus: str
    launches_at_once: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


def launch_queue(given: Settings) -> LaunchQueue:
    """The stage's slots and queue, with its repository."""
    return LaunchQueue(LaunchRepository(given.launch_table, given.task_table), int(given.launches_at_once))


def announce(launch: Launch) -> None:
    """Log a launch's new status, count it, tell other systems, people, and whoever dropped its file."""
    logger.info(
        "Status changed",
        extra={"launchId": launch.launch_id, "status": launch.status, "attempt": launch.attempt},
    )
    count(launch)
    put_event(launch, bus=settings().event_bus, stage=settings().stage)
    notify(launch, topic_arn=settings().notification_topic, stage=settings().stage)
    if launch.status is Status.REJECTED or (launch.status is Status.RUNNING and launch.attempt > 1):
        amend_feedback(launch)


def count(launch: Launch) -> None:
    """Add to the metrics of the launch's status (LaunchesFailed, LaunchesCancelRequested, ...) and of its error's type.

    They have the workflow as a dimension, beside stage and service.
    """
    metrics.add_dimension(name="workflow", value=launch.workflow or "none")
    name = "".join(word.title() for word in launch.status.split("_"))
    metrics.add_metric(name=f"Launches{name}", unit=MetricUnit.Count, value=1)
    if launch.error and launch.is_final:
        metrics.add_metric(name=f"Error{launch.error['type']}", unit=MetricUnit.Count, value=1)
