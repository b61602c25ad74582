"""The restores in the task table: which objects a launch waits for, and how many are left.

An object's item is made and ended in a transaction with the restore's own item, which counts: so that each object
counts once, however often an event or a function is repeated. The counts decide only once all objects are indexed.
"""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.launch import LaunchField
from genolaunch.contract.restore import (
    OPEN_RESTORES,
    RESTORE_DONE,
    RESTORE_FAILED,
    RESTORE_PENDING,
    RESTORE_SHARDS,
    RestoreField,
    restore_shard,
)
from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from lambdas.restore.counted_writes import CountedWrites
from lambdas.restore.restore_config import RestoreConfig
from lambdas.restore.restore_model import Counts, OpenRestore, WantedObject, object_key, open_key, restore_key
from lambdas.shared.attributes import from_item, to_attribute, to_item
from lambdas.shared.clock import timestamp

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_MOST_READ: Final = 100
"""Items of one BatchGetItem."""

_KEPT_SECONDS: Final = 90 * 24 * 3600
"""After that DynamoDB deletes an object's item: long after the launch, for those who ask what was restored."""

_MOST_TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class RestoreItems:
    """Restores in the task table."""

    table: str

    # --- A restore ---------------------------------------------------------------------------------------------------
    def open(self, config: RestoreConfig, data_path: str) -> OpenRestore:
        """Begin a restore, unless it has begun: from now on completions of its objects are looked for."""
        restore = OpenRestore(config.launch_id, config.attempt, config.key, data_path)
        counts = dict.fromkeys((RestoreField.OBJECTS, RestoreField.BYTES, RestoreField.PENDING), 0)
        done = dict.fromkeys((RestoreField.RESTORED, RestoreField.RESTORED_BYTES, RestoreField.FAILED), 0)
        about = {
            RestoreField.ATTEMPT: config.attempt,
            RestoreField.CONFIG_KEY: config.key,
            TaskField.UPDATED_AT: timestamp(),
        }
        facts = {RestoreField.TIER: str(config.tier), RestoreField.INDEXED: False}
        self._put({**restore_key(restore), **about, **facts, **counts, **done}, condition=_ABSENT)
        self._put({**open_key(restore), **about, LaunchField.DATA_PATH: data_path})
        return restore

    def close_index(self, restore: OpenRestore, *, check_at: datetime, give_up_at: datetime) -> None:
        """All objects are registered: from now on the counts decide. Done again, it changes nothing."""
        try:
            self._client.update_item(
                TableName=self.table,
                Key=to_item(restore_key(restore)),
                UpdateExpression="SET #indexed = :true, #check = :check, #giveUp = :giveUp, #at = :at",
                ConditionExpression="#indexed = :false",
                ExpressionAttributeNames={
                    "#indexed": RestoreField.INDEXED,
                    "#check": RestoreField.CHECK_AT,
                    "#giveUp": RestoreField.GIVE_UP_AT,
                    "#at": TaskField.UPDATED_AT,
                },
                ExpressionAttributeValues={
                    ":true": to_attribute(True),
                    ":false": to_attribute(False),
                    ":check": to_attribute(timestamp(check_at)),
                    ":giveUp": to_attribute(timestamp(give_up_at)),
                    ":at": to_attribute(timestamp()),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def check_again_at(self, restore: OpenRestore, moment: datetime) -> None:
        """When S3 is asked next."""
        self._client.update_item(
            TableName=self.table,
            Key=to_item(restore_key(restore)),
            UpdateExpression="SET #check = :check",
            ExpressionAttributeNames={"#check": RestoreField.CHECK_AT},
            ExpressionAttributeValues={":check": to_attribute(timestamp(moment))},
        )

    def counts(self, restore: OpenRestore) -> Counts | None:
        """As of now (a consistent read); None before the restore has begun."""
        answer = self._client.get_item(TableName=self.table, Key=to_item(restore_key(restore)), ConsistentRead=True)
        item = from_item(answer.get("Item", {}))
        if not item:
            return None
        return Counts(
            item[RestoreField.OBJECTS],
            item[RestoreField.PENDING],
            item[RestoreField.RESTORED],
            item[RestoreField.FAILED],
            item[RestoreField.INDEXED],
            item[TaskField.UPDATED_AT],
            item.get(RestoreField.CHECK_AT),
            item.get(RestoreField.GIVE_UP_AT),
        )

    def open_restores(self) -> list[OpenRestore]:
        """All that have begun and are not forgotten."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#id = :open",
            ExpressionAttributeNames={"#id": TaskField.LAUNCH_ID},
            ExpressionAttributeValues={":open": to_attribute(OPEN_RESTORES)},
            ConsistentRead=True,
        )
        items = (from_item(item) for page in pages for item in page["Items"])
        return [
            OpenRestore(
                item[TaskField.TASK_ID],
                item[RestoreField.ATTEMPT],
                item[RestoreField.CONFIG_KEY],
                item[LaunchField.DATA_PATH],
            )
            for item in items
        ]

    def forget(self, restore: OpenRestore) -> None:
        """Nothing waits for its objects any more. A newer attempt's restore stays."""
        try:
            self._client.delete_item(
                TableName=self.table,
                Key=to_item(open_key(restore)),
                ConditionExpression="#attempt = :attempt",
                ExpressionAttributeNames={"#attempt": RestoreField.ATTEMPT},
                ExpressionAttributeValues={":attempt": to_attribute(restore.attempt)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    # --- Its objects -------------------------------------------------------------------------------------------------
    def register(self, restore: OpenRestore, objects: Iterable[WantedObject]) -> int:
        """Add objects that are waited for; how many were new."""
        expires = int(datetime.now(UTC).timestamp()) + _KEPT_SECONDS
        puts = {
            item: {
                "Put": {
                    "TableName": self.table,
                    "Item": to_item(
                        {
                            **object_key(restore.run, item),
                            TaskField.STATUS: RESTORE_PENDING,
                            TaskField.BUCKET: item.bucket,
                            TaskField.OBJECT_KEY: item.key,
                            TaskField.SIZE: item.size,
                            TaskField.EXPIRES_AT: expires,
                        }
                    ),
                    "ConditionExpression": _ABSENT,
                }
            }
            for item in objects
        }
        return CountedWrites(self.table).write(
            restore,
            puts,
            lambda new: {
                RestoreField.OBJECTS: len(new),
                RestoreField.PENDING: len(new),
                RestoreField.BYTES: sum(item.size for item in new),
            },
        )

    def mark_restored(self, restore: OpenRestore, objects: Iterable[WantedObject]) -> int:
        """The objects can be read; how many of them were pending."""
        return CountedWrites(self.table).write(
            restore,
            {item: self._end(restore.run, item, RESTORE_DONE) for item in objects},
            lambda ended: {
                RestoreField.PENDING: -len(ended),
                RestoreField.RESTORED: len(ended),
                RestoreField.RESTORED_BYTES: sum(item.size for item in ended),
            },
        )

    def mark_failed(self, restore: OpenRestore, reasons: Mapping[WantedObject, str]) -> int:
        """The objects cannot be restored; how many of them were pending."""
        return CountedWrites(self.table).write(
            restore,
            {item: self._end(restore.run, item, RESTORE_FAILED, reason) for item, reason in reasons.items()},
            lambda ended: {RestoreField.PENDING: -len(ended), RestoreField.FAILED: len(ended)},
        )

    def pending_among(self, restore: OpenRestore, objects: Sequence[WantedObject]) -> list[WantedObject]:
        """Those of the objects that this restore still waits for."""
        found: list[WantedObject] = []
        for start in range(0, len(objects), _MOST_READ):
            keys = [to_item(object_key(restore.run, item)) for item in objects[start : start + _MOST_READ]]
            found += [_wanted(item) for item in self._get(keys) if item[TaskField.STATUS] == RESTORE_PENDING]
        return found

    def of_status(self, restore: OpenRestore, status: str) -> Iterator[tuple[WantedObject, str]]:
        """Objects of that status, each with its reason (empty without one)."""
        for shard in range(RESTORE_SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="#id = :shard",
                FilterExpression="#status = :status",
                ExpressionAttributeNames={"#id": TaskField.LAUNCH_ID, "#status": TaskField.STATUS},
                ExpressionAttributeValues={
                    ":shard": to_attribute(restore_shard(restore.run, shard)),
                    ":status": to_attribute(status),
                },
                ConsistentRead=True,
            )
            for page in pages:
                for item in map(from_item, page["Items"]):
                    yield _wanted(item), item.get(TaskField.REASON, "")

    # --- How it is written -------------------------------------------------------------------------------------------
    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client

    def _put(self, item: Mapping[str, object], condition: str | None = None) -> None:
        arguments = {"ConditionExpression": condition} if condition else {}
        try:
            self._client.put_item(TableName=self.table, Item=to_item(item), **arguments)  # type: ignore[arg-type]  # a TypedDict's key
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def _end(self, run: str, item: WantedObject, status: str, reason: str | None = None) -> dict[str, Any]:
        values = {TaskField.STATUS: status, TaskField.UPDATED_AT: timestamp()}
        if reason:
            values[TaskField.REASON] = reason
        return {
            "Update": {
                "TableName": self.table,
                "Key": to_item(object_key(run, item)),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
                "ConditionExpression": "#status = :pending",
                "ExpressionAttributeNames": {f"#{name}": name for name in values},
                "ExpressionAttributeValues": {
                    ":pending": to_attribute(RESTORE_PENDING),
                    **{f":{name}": to_attribute(value) for name, value in values.items()},
                },
            }
        }

    def _get(self, keys: list[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for attempt in range(_MOST_TRIES):
            answer = self._client.batch_get_item(RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}})
            found += [from_item(item) for item in answer["Responses"].get(self.table, [])]
            unprocessed: Mapping[str, Any] = answer.get("UnprocessedKeys", {})
            keys = list(unprocessed.get(self.table, {}).get("Keys", []))
            if not keys:
                return found
            time.sleep(random.uniform(0.5, 1) * 0.025 * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise TimeoutError(f"{self.table} did not give {len(keys)} items")


_ABSENT: Final = f"attribute_not_exists({TaskField.LAUNCH_ID})"


def _wanted(item: Mapping[str, Any]) -> WantedObject:
    return WantedObject(item[TaskField.BUCKET], item[TaskField.OBJECT_KEY], item[TaskField.SIZE])
