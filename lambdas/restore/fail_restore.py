"""Ends a launch whose restore could not even begin: its prefix cannot be listed, or the platform failed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdas.restore.ending import Endings
from lambdas.restore.restore_config import parts_of_key
from lambdas.restore.restore_model import OpenRestore
from lambdas.shared.failure import failure
from lambdas.shared.function import function
from lambdas.shared.kept_errors import in_full
from lambdas.shared.settings import settings_of

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


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, str]:
    """`{key, error: {Error, Cause}}` of a restore config -> `{launchId}`."""
    launch_id, attempt = parts_of_key(event["key"])
    restore = OpenRestore(launch_id, attempt, event["key"], "")
    Endings.at(settings()).end(restore, in_full(settings().task_table, launch_id, failure(event["error"])))
    return {"launchId": launch_id}
