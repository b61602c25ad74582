"""Hears from S3 which objects are restored, and lets launches go on that wait for nothing else."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.restore.ending import Endings
from lambdas.restore.restore_model import WantedObject
from lambdas.shared.function import function
from lambdas.shared.observability import logger, metrics
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
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of “Object Restore Completed” events -> the messages to deliver again."""
    messages, failed = _read(event["Records"])
    try:
        marked = complete(messages)
    except Exception:
        # What was marked stays so: delivered again, only the rest is new.
        logger.exception("Completions could not be recorded")
        failed = [record["messageId"] for record in event["Records"]]
    else:
        metrics.add_metric(name="ObjectsRestored", unit=MetricUnit.Count, value=marked)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def complete(restored: Iterable[WantedObject]) -> int:
    """Mark objects as restored wherever they are waited for; how often one was."""
    endings = Endings.at(settings())
    items = endings.items
    objects = list(restored)
    marked = 0
    for restore in items.open_restores():
        covered = [item for item in objects if restore.covers(item)]
        pending = items.pending_among(restore, covered)
        marked += items.mark_restored(restore, pending)
        if covered:  # also if none was pending: an earlier delivery may have marked the last one, and no more
            endings.go_on_if_over(restore)
    return marked


def _read(records: Iterable[Mapping[str, Any]]) -> tuple[set[WantedObject], list[str]]:
    """The objects of the events, each once, and the messages that are no such events."""
    objects: set[WantedObject] = set()
    failed: list[str] = []
    for record in records:
        try:
            detail = json.loads(record["body"])["detail"]
            objects.add(WantedObject(detail["bucket"]["name"], detail["object"]["key"]))
        except (KeyError, TypeError, ValueError):
            logger.exception("This is no event of a restore", extra={"messageId": record["messageId"]})
            failed.append(record["messageId"])
    return objects, failed
