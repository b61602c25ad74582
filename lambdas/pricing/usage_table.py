"""Writes the usage table while launches run, with events in any order, and reads it when launches are over."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.usage import (
    USAGE_EXCLUSIVE_PREFIX,
    USAGE_FILE_SYSTEM_PREFIX,
    USAGE_INDEX,
    USAGE_INSTANCE,
    USAGE_JOB_PREFIX,
    USAGE_KEPT_DAYS,
    USAGE_OF_INSTANCE,
    USAGE_OF_TIBANNA_JOB,
    USAGE_RESTORE_PREFIX,
    USAGE_TASK_PREFIX,
    UsageField,
)
from genolaunch.shared import aws
from lambdas.pricing.usage import FargateUse, FileSystemUse, InstanceUse, JobUse, RestoreUse, Volume
from lambdas.shared.attributes import from_item, to_attribute
from lambdas.shared.clock import timestamp

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

KEPT: Final = timedelta(days=USAGE_KEPT_DAYS)

_GET_LIMIT: Final = 100
"""Most keys of one BatchGetItem (Amazon DynamoDB API reference)."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AttemptUsage:
    """The table's items of one attempt of a launch, without the instances of its Batch jobs."""

    jobs: Sequence[JobUse]
    tasks: Sequence[FargateUse]
    file_systems: Sequence[FileSystemUse]
    exclusive: Mapping[str, str]
    """Instances that only this launch uses: their ids -> the engine's job."""


@dataclass(frozen=True, slots=True)
class UsageTable:
    """Reads and writes of the table `name`."""

    name: str

    def record(self, owner: str, usage_id: str, values: Values) -> None:
        """Add values to an item. Repeated calls, and another order of calls, give the same item.

        Of two stop times the earlier one is kept, since an instance is billed until it begins to shut down.
        """
        known = {name: value for name, value in values.items() if value is not None and name != UsageField.STOPPED_AT}
        expires = datetime.now(UTC) + KEPT
        self._set(owner, usage_id, {**known, UsageField.EXPIRES_AT: int(expires.timestamp())})
        if values.get(UsageField.STOPPED_AT):
            self._set_stop(owner, usage_id, values[UsageField.STOPPED_AT])

    def attempt(self, launch_id: str, attempt: int) -> AttemptUsage:
        """Return all usage of one attempt of a launch."""
        items = [item for item in self._of(launch_id) if int(item.get(UsageField.ATTEMPT, 0)) == attempt]

        def of(prefix: str) -> Iterator[Values]:
            return (item for item in items if item[UsageField.USAGE_ID].startswith(prefix))

        return AttemptUsage(
            jobs=[_job(item) for item in of(USAGE_JOB_PREFIX)],
            tasks=[_task(item) for item in of(USAGE_TASK_PREFIX) if UsageField.STARTED_AT in item],
            file_systems=[_file_system(item) for item in of(USAGE_FILE_SYSTEM_PREFIX)],
            exclusive={item[UsageField.INSTANCE_ID]: item[UsageField.JOB_ID] for item in of(USAGE_EXCLUSIVE_PREFIX)},
        )

    def restores(self, launch_id: str, attempts: Container[int]) -> list[RestoreUse]:
        """Return the restores of some attempts of a launch."""
        items = [item for item in self._of(launch_id) if item[UsageField.USAGE_ID].startswith(USAGE_RESTORE_PREFIX)]
        return [_restore(item) for item in items if int(item[UsageField.ATTEMPT]) in attempts]

    def instances(self, ids: Iterable[str]) -> dict[str, InstanceUse]:
        """Return instances by id, if the table has their type and launch."""
        items = self._get(USAGE_OF_INSTANCE + id_ for id_ in ids)
        found = (_instance(item) for item in items if UsageField.TYPE in item)
        return {instance.id: instance for instance in found}

    def instances_of_tibanna(self, job_ids: Iterable[str]) -> dict[str, str]:
        """Return Tibanna's jobs -> ids of their instances, if an event reported them."""
        items = self._get(USAGE_OF_TIBANNA_JOB + id_ for id_ in job_ids)
        return {
            item[UsageField.OWNER].removeprefix(USAGE_OF_TIBANNA_JOB): item[UsageField.INSTANCE_ID] for item in items
        }

    def jobs_on(self, instance_id: str) -> list[JobUse]:
        """Return all attempts of jobs, of any launch, that ran on an instance. The index lags a moment behind."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.name,
            IndexName=USAGE_INDEX,
            KeyConditionExpression="#instance = :instance AND begins_with(#usage, :job)",
            ExpressionAttributeNames={"#instance": UsageField.INSTANCE_ID, "#usage": UsageField.USAGE_ID},
            ExpressionAttributeValues={
                ":instance": to_attribute(instance_id),
                ":job": to_attribute(USAGE_JOB_PREFIX),
            },
        )
        return [_job(from_item(item)) for page in pages for item in page["Items"]]

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client

    def _of(self, launch_id: str) -> Iterator[Values]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": UsageField.OWNER},
            ExpressionAttributeValues={":owner": to_attribute(launch_id)},
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(from_item, page["Items"])

    def _get(self, owners: Iterable[str]) -> Iterator[Values]:
        """Items whose usageId is USAGE_INSTANCE."""
        wanted = sorted(set(owners))
        for start in range(0, len(wanted), _GET_LIMIT):
            keys = [_key(owner, USAGE_INSTANCE) for owner in wanted[start : start + _GET_LIMIT]]
            request: Any = {self.name: {"Keys": keys, "ConsistentRead": True}}
            while request:
                answer = self._client.batch_get_item(RequestItems=request)
                yield from map(from_item, answer["Responses"].get(self.name, []))
                request = answer.get("UnprocessedKeys")

    def _set(self, owner: str, usage_id: str, values: Values) -> None:
        self._client.update_item(
            TableName=self.name,
            Key=_key(owner, usage_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": to_attribute(value) for name, value in values.items()},
        )

    def _set_stop(self, owner: str, usage_id: str, at: str) -> None:
        try:
            self._client.update_item(
                TableName=self.name,
                Key=_key(owner, usage_id),
                UpdateExpression="SET #stop = :stop",
                ConditionExpression="attribute_not_exists(#stop) OR #stop > :stop",
                ExpressionAttributeNames={"#stop": UsageField.STOPPED_AT},
                ExpressionAttributeValues={":stop": to_attribute(at)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def instance_values(instance: InstanceUse) -> dict[str, object]:
    """An instance's own item, to be recorded."""
    return {
        UsageField.TYPE: instance.type,
        UsageField.ZONE: instance.zone,
        UsageField.IS_SPOT: instance.is_spot,
        UsageField.IS_INTERRUPTED: True if instance.is_interrupted else None,
        UsageField.VCPUS: str(instance.vcpus),
        UsageField.MEMORY_MIB: str(instance.memory_mib) if instance.memory_mib else None,
        UsageField.STARTED_AT: timestamp(instance.launched_at),
        UsageField.STOPPED_AT: timestamp(instance.stopped_at) if instance.stopped_at else None,
        UsageField.VOLUMES: [_volume_values(volume) for volume in instance.volumes] or None,
    }


def _volume_values(volume: Volume) -> dict[str, object]:
    return {
        "id": volume.id,
        "type": volume.type,
        "sizeGib": volume.size_gib,
        "iops": volume.iops,
        "throughputMibps": volume.throughput_mibps,
    }


def _key(owner: str, usage_id: str) -> dict[str, Any]:
    return {UsageField.OWNER: to_attribute(owner), UsageField.USAGE_ID: to_attribute(usage_id)}


def _job(item: Values) -> JobUse:
    return JobUse(
        task=item[UsageField.USAGE_ID].removeprefix(USAGE_JOB_PREFIX),
        launch_id=item[UsageField.OWNER],
        attempt=int(item[UsageField.ATTEMPT]),
        job_name=item[UsageField.JOB_NAME],
        job_id=item[UsageField.JOB_ID],
        vcpus=Decimal(str(item[UsageField.VCPUS])),
        memory_mib=Decimal(str(item[UsageField.MEMORY_MIB])),
        started_at=_time(item.get(UsageField.STARTED_AT)),
        stopped_at=_time(item.get(UsageField.STOPPED_AT)),
        container_instance=item.get(UsageField.CONTAINER_INSTANCE),
        instance_id=item.get(UsageField.INSTANCE_ID),
    )


def _instance(item: Values) -> InstanceUse:
    return InstanceUse(
        id=item[UsageField.OWNER].removeprefix(USAGE_OF_INSTANCE),
        type=item[UsageField.TYPE],
        zone=item[UsageField.ZONE],
        is_spot=item[UsageField.IS_SPOT],
        vcpus=Decimal(str(item[UsageField.VCPUS])),
        memory_mib=Decimal(str(item.get(UsageField.MEMORY_MIB, 0))),
        launched_at=_known_time(item[UsageField.STARTED_AT]),
        stopped_at=_time(item.get(UsageField.STOPPED_AT)),
        is_interrupted=item.get(UsageField.IS_INTERRUPTED, False),
        volumes=tuple(
            Volume(each["id"], each["type"], each["sizeGib"], each["iops"], each["throughputMibps"])
            for each in item.get(UsageField.VOLUMES, ())
        ),
    )


def _task(item: Values) -> FargateUse:
    return FargateUse(
        task=item[UsageField.USAGE_ID].removeprefix(USAGE_TASK_PREFIX),
        name=item[UsageField.JOB_NAME],
        region=item[UsageField.REGION],
        is_arm=item[UsageField.IS_ARM],
        vcpus=Decimal(str(item[UsageField.VCPUS])),
        memory_gib=Decimal(str(item[UsageField.MEMORY_MIB])) / 1024,
        storage_gib=int(item[UsageField.STORAGE_GIB]),
        started_at=_known_time(item[UsageField.STARTED_AT]),
        stopped_at=_time(item.get(UsageField.STOPPED_AT)),
    )


def _file_system(item: Values) -> FileSystemUse:
    return FileSystemUse(
        id=item[UsageField.USAGE_ID].removeprefix(USAGE_FILE_SYSTEM_PREFIX),
        region=item[UsageField.REGION],
        deployment_type=item[UsageField.TYPE],
        throughput_mbps_per_tib=int(item[UsageField.THROUGHPUT]) if UsageField.THROUGHPUT in item else None,
        capacity_gib=int(item[UsageField.CAPACITY_GIB]),
        created_at=_known_time(item[UsageField.STARTED_AT]),
        deleted_at=_time(item.get(UsageField.STOPPED_AT)),
    )


def _restore(item: Values) -> RestoreUse:
    return RestoreUse(
        attempt=int(item[UsageField.ATTEMPT]),
        archive=item[UsageField.ARCHIVE],
        tier=item[UsageField.TIER],
        days=int(item[UsageField.DAYS]),
        requests=int(item[UsageField.REQUESTS]),
        retrieved_bytes=int(item[UsageField.RETRIEVED_BYTES]),
        copied_bytes=int(item[UsageField.COPIED_BYTES]),
    )


def _known_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
