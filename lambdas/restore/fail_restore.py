"""Ends a launch whose restore could not even begin: its prefix cannot be listed, or the platform failed."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lambdas.restore.ending import Endings
from lambdas.restore.restore_config import parts_of_key
from lambdas.restore.restore_model import OpenRestore
from lambdas.shared.failure import failure
from lambdas.shared.kept_errors import in_full
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.public_errors import private_errors
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    notification_topic: str
    event_bus: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@private_errors
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """`{key, error: {Error, Cause}}` of a restore config -> `{launchId}`."""
    launch_id, attempt = parts_of_key(event["key"])
    restore = OpenRestore(launch_id, attempt, event["key"], "")
    Endings.at(settings()).end(restore, in_full(settings().task_table, launch_id, failure(event["error"])))
    return {"launchId": launch_id}
