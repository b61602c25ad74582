"""Indexes what a launch waits for: registers each archived object, and queues the requests for their restore."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.launch import Status
from genolaunch.shared import aws
from lambdas.restore.archive import ArchivedObject
from lambdas.restore.deadlines import check_after, give_up_after
from lambdas.restore.ending import Endings
from lambdas.restore.policy import least_left
from lambdas.restore.request_queue import Request, send
from lambdas.restore.restore_config import RestoreConfig, parts_of_key
from lambdas.restore.restore_items import RestoreItems
from lambdas.restore.restore_model import OpenRestore, WantedObject
from lambdas.restore.scan import Cursor, scan
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client

_LAST_MINUTES: Final = 120_000
"""Milliseconds left when the index is handed to the next invocation: a page of 1,000 objects takes seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    restore_queue: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@function
@keeping_faults(lambda: settings().task_table, lambda event: parts_of_key(event["key"])[0])
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """`{bucket, key, cursor?}` of a restore config -> `{launchId, cursor?}`; with a cursor, ask again with it.

    Raises LaunchInputError when a prefix cannot be listed.
    """
    config = _read(event["bucket"], event["key"])
    endings = Endings.at(settings())
    launch = endings.repository.get(config.launch_id)
    answer: dict[str, Any] = {"launchId": config.launch_id}
    if launch is None or launch.status is not Status.WAITING or launch.attempt != config.attempt:
        logger.info("No launch waits for this restore", extra={"launchId": config.launch_id, "attempt": config.attempt})
        return answer
    assert launch.data_path is not None  # every registered launch has one
    items = endings.items
    restore = items.open(config, launch.data_path)
    needed_until = datetime.now(UTC) + least_left(config.days)
    for page in scan(config.urls, Cursor.read(event.get("cursor"))):
        _index(items, restore, config, (item for item in page.objects if not item.is_readable(needed_until)))
        if page.next and context.get_remaining_time_in_millis() < _LAST_MINUTES:
            return {**answer, "cursor": page.next.as_dict()}
    now = datetime.now(UTC)
    items.close_index(restore, check_at=now + check_after(config.hours), give_up_at=now + give_up_after(config.hours))
    endings.go_on_if_over(restore)
    return answer


def _index(items: RestoreItems, restore: OpenRestore, config: RestoreConfig, objects: Iterable[ArchivedObject]) -> None:
    """Register before anything is asked for: so no completion can come before it is waited for."""
    found = list(objects)
    new = items.register(restore, [WantedObject(item.bucket, item.key, item.size) for item in found])
    metrics.add_metric(name="ObjectsIndexed", unit=MetricUnit.Count, value=new)
    send(settings().restore_queue, config, [Request.of(item) for item in found])


def _read(bucket: str, key: str) -> RestoreConfig:
    client: S3Client = aws.client("s3")
    return RestoreConfig.read(client.get_object(Bucket=bucket, Key=key)["Body"].read())
