"""What the functions that change a launch's status share: their settings, and how a change is told of."""

from dataclasses import dataclass
from functools import cache

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.launch import Launch
from lambdas.shared.notifications import notify
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of these functions."""

    stage: str
    launch_table: str
    notification_topic: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


def announce(launch: Launch) -> None:
    """Log a launch's new status, count it, and notify people if it is the end."""
    logger.info(
        "Status changed",
        extra={"launchId": launch.launch_id, "status": launch.status, "attempt": launch.attempt},
    )
    name = "".join(word.title() for word in launch.status.split("_"))
    metrics.add_metric(name=f"Launches{name}", unit=MetricUnit.Count, value=1)
    notify(launch, topic_arn=settings().notification_topic, stage=settings().stage)
