"""How far the restore of a launch's archived inputs is, as the task table tells it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from genolaunch.contract.project import run_name
from genolaunch.contract.restore import RESTORE_FAILED, RESTORE_SHARDS, RESTORE_TASK_PREFIX, RestoreField, restore_shard
from genolaunch.contract.tasks import TaskField
from genolaunch.launch import Launch
from genolaunch.launch_items import plain, time_of

if TYPE_CHECKING:
    from genolaunch.platform import Platform


@dataclass(frozen=True)
class FailedObject:
    """An object that cannot be restored."""

    uri: str
    reason: str


@dataclass(frozen=True)
class Restore:
    """The newest restore of a launch."""

    launch_id: str
    attempt: int
    tier: str
    objects: int
    bytes: int
    restored: int
    restored_bytes: int
    failed: int
    counted: bool
    """Whether `objects` and `bytes` are all that is waited for; they grow while S3 lists it."""
    expected_at: datetime | None
    """When the last object is usually there."""
    gives_up_at: datetime | None
    """When the launch fails if it is not."""
    failed_objects: tuple[FailedObject, ...] = ()


def restore_of(platform: "Platform", launch: Launch) -> Restore | None:
    """The launch's newest restore, or None if it had none."""
    items = list(_query(platform, launch.launch_id, RESTORE_TASK_PREFIX))
    if not items:
        return None
    item = max(items, key=lambda each: int(each[RestoreField.ATTEMPT]))
    attempt, failed = int(item[RestoreField.ATTEMPT]), int(item[RestoreField.FAILED])
    return Restore(
        launch_id=launch.launch_id,
        attempt=attempt,
        tier=item[RestoreField.TIER],
        objects=int(item[RestoreField.OBJECTS]),
        bytes=int(item[RestoreField.BYTES]),
        restored=int(item[RestoreField.RESTORED]),
        restored_bytes=int(item[RestoreField.RESTORED_BYTES]),
        failed=failed,
        counted=bool(item[RestoreField.INDEXED]),
        expected_at=launch.restore.expected_at if launch.restore and launch.restore.attempt == attempt else None,
        gives_up_at=time_of(item.get(RestoreField.GIVE_UP_AT)),
        failed_objects=tuple(_failed(platform, run_name(launch.launch_id, attempt))) if failed else (),
    )


def _failed(platform: "Platform", run: str) -> Iterator[FailedObject]:
    for shard in range(RESTORE_SHARDS):
        for item in _query(platform, restore_shard(run, shard), RESTORE_TASK_PREFIX):
            if item[TaskField.STATUS] == RESTORE_FAILED:
                uri = f"s3://{item[TaskField.BUCKET]}/{item[TaskField.OBJECT_KEY]}"
                yield FailedObject(uri, item.get(TaskField.REASON, ""))


def _query(platform: "Platform", partition: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    pages = platform.dynamodb.get_paginator("query").paginate(
        TableName=platform.names.task_table,
        KeyConditionExpression="#partition = :partition AND begins_with(#task, :prefix)",
        ExpressionAttributeNames={"#partition": TaskField.LAUNCH_ID, "#task": TaskField.TASK_ID},
        ExpressionAttributeValues={":partition": {"S": partition}, ":prefix": {"S": prefix}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from (plain(item) for item in page["Items"])
