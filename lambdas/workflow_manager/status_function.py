"""What the functions that change a launch's status share: their settings, and how a change is told of."""

from dataclasses import dataclass

from lambdas.shared import announcement
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.settings import settings_of
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
    data_bucket: str
    compute_services: str
    teams: str = ""
    launch_bucket: str = ""
    readable_buckets: str = ""


settings = settings_of(Settings)


def launch_queue(given: Settings) -> LaunchQueue:
    """The stage's slots and queue, with its repository."""
    return LaunchQueue(LaunchRepository(given.launch_table, given.task_table), int(given.launches_at_once))


def announce(launch: Launch) -> None:
    """Tell of a launch's new status."""
    announcement.announce(launch, settings())
