"""Launchers in the tables: one item of the task table for each attempt, and attributes of the launch's item.

Messages and events come at least once, in any order: each change is one conditional write.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import LaunchField
from genolaunch.contract.launcher import LAUNCHER_TASK_PREFIX, LauncherField, launcher_log_stream
from genolaunch.contract.tasks import LOG_TASK_PREFIX, TASK_RESUBMITTED, TaskField
from genolaunch.shared import aws
from lambdas.shared.attributes import from_item, to_attribute, to_item
from lambdas.shared.clock import timestamp
from lambdas.shared.conditional_writes import is_failed_condition
from lambdas.snakemake.launch_message import LaunchMessage, read_message

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Launcher:
    """The launcher of one attempt."""

    message: LaunchMessage
    starts: int
    """How often a task was asked for."""
    task_arn: str | None
    """Of the newest task; None until ECS has answered."""
    replaces: str | None = None
    """ARN of the task that it was started again for."""


@dataclass(frozen=True, slots=True)
class LauncherRepository:
    """The items about launchers."""

    task_table: str
    launch_table: str = ""

    def get(self, launch_id: str, attempt: int) -> Launcher | None:
        """The attempt's launcher as of now (a consistent read), or None."""
        found = self._client.get_item(TableName=self.task_table, Key=_key(launch_id, attempt), ConsistentRead=True)
        return _launcher(from_item(found["Item"])) if "Item" in found else None

    def ask_for(self, message: LaunchMessage) -> Launcher:
        """Record the first request of a task. If repeated, only the message (with its token) is replaced."""
        answer = self._client.update_item(
            TableName=self.task_table,
            Key=_key(message.launch_id, message.attempt),
            UpdateExpression="SET #message = :message, #starts = if_not_exists(#starts, :one), #updatedAt = :now",
            ExpressionAttributeNames=_names(LauncherField.MESSAGE, LauncherField.STARTS, TaskField.UPDATED_AT),
            ExpressionAttributeValues=_values(message=message.as_json(), one=1, now=timestamp()),
            ReturnValues="ALL_NEW",
        )
        return _launcher(from_item(answer["Attributes"]))

    def ask_again(self, launcher: Launcher, stopped_task: str) -> Launcher | None:
        """Record the request of another task in place of `stopped_task`; None if another call was faster."""
        message = launcher.message
        try:
            answer = self._client.update_item(
                TableName=self.task_table,
                Key=_key(message.launch_id, message.attempt),
                UpdateExpression=(
                    "SET #starts = #starts + :one, #replaces = :stopped, #updatedAt = :now REMOVE #taskArn"
                ),
                ConditionExpression="#taskArn = :stopped",
                ExpressionAttributeNames=_names(
                    LauncherField.STARTS, LauncherField.REPLACES, LauncherField.TASK_ARN, TaskField.UPDATED_AT
                ),
                ExpressionAttributeValues=_values(one=1, stopped=stopped_task, now=timestamp()),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return None
        return _launcher(from_item(answer["Attributes"]))

    def started(self, launcher: Launcher, task_arn: str) -> None:
        """Record the task that ECS made for this start. Ignored for an older start."""
        message = launcher.message
        try:
            self._client.update_item(
                TableName=self.task_table,
                Key=_key(message.launch_id, message.attempt),
                UpdateExpression="SET #taskArn = :taskArn, #updatedAt = :now",
                ConditionExpression="#starts = :starts",
                ExpressionAttributeNames=_names(LauncherField.STARTS, LauncherField.TASK_ARN, TaskField.UPDATED_AT),
                ExpressionAttributeValues=_values(taskArn=task_arn, starts=launcher.starts, now=timestamp()),
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def named_in_log(self, task_arn: str) -> tuple[ErrorType, str] | None:
        """The last error that the log of a launcher's task names, and its line (workflow_manager/parse_log.py)."""
        stream = launcher_log_stream(task_arn)
        key = to_item({TaskField.LAUNCH_ID: stream, TaskField.TASK_ID: LOG_TASK_PREFIX + stream})
        found = from_item(self._client.get_item(TableName=self.task_table, Key=key).get("Item", {}))
        return (ErrorType(found[TaskField.ERROR_TYPE]), found[TaskField.REASON]) if found else None

    def show_task(self, launch_id: str, attempt: int, task_arn: str, log_group: str) -> None:
        """Record in the launch's item where its launcher runs and logs. Ignored for an old attempt."""
        try:
            self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                UpdateExpression="SET #launcherTaskArn = :task, #logGroup = :group, #logStream = :stream",
                ConditionExpression="#attempt = :attempt",
                ExpressionAttributeNames=_names(
                    LaunchField.LAUNCHER_TASK_ARN, LaunchField.LOG_GROUP, LaunchField.LOG_STREAM, LaunchField.ATTEMPT
                ),
                ExpressionAttributeValues=_values(
                    task=task_arn, group=log_group, stream=launcher_log_stream(task_arn), attempt=attempt
                ),
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def show_progress(self, launch_id: str, attempt: int, progress: Mapping[str, int], *, at: int) -> None:
        """Record the progress of the attempt's jobs in the launch's item, unless newer progress than `at` is
        recorded."""
        try:
            self._client.update_item(
                TableName=self.task_table,
                Key=_key(launch_id, attempt),
                UpdateExpression="SET #toldAt = :at",
                # Equal: write again, since the launch's item may not have been written the first time.
                ConditionExpression="attribute_not_exists(#toldAt) OR #toldAt <= :at",
                ExpressionAttributeNames=_names(LauncherField.TOLD_AT),
                ExpressionAttributeValues=_values(at=at),
            )
            self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                UpdateExpression="SET #progress = :progress",
                ConditionExpression="#attempt = :attempt",
                ExpressionAttributeNames=_names(LaunchField.PROGRESS, LaunchField.ATTEMPT),
                ExpressionAttributeValues=_values(progress=dict(progress), attempt=attempt),
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def record_job(self, item: Mapping[str, Any]) -> None:
        """Note a failed submission (LauncherRecord.item). Ignored if the job was resubmitted since."""
        newer: Any = {}
        if item[TaskField.STATUS] != TASK_RESUBMITTED:
            newer = {
                "ConditionExpression": "attribute_not_exists(#status) OR #status <> :resubmitted",
                "ExpressionAttributeNames": _names(TaskField.STATUS),
                "ExpressionAttributeValues": _values(resubmitted=TASK_RESUBMITTED),
            }
        try:
            self._client.put_item(
                TableName=self.task_table, Item=to_item({**item, TaskField.UPDATED_AT: timestamp()}), **newer
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client


def _key(launch_id: str, attempt: int) -> dict[str, Any]:
    return to_item({TaskField.LAUNCH_ID: launch_id, TaskField.TASK_ID: f"{LAUNCHER_TASK_PREFIX}{attempt}"})


def _names(*attributes: str) -> dict[str, str]:
    return {f"#{attribute}": attribute for attribute in attributes}


def _values(**values: object) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _launcher(item: Mapping[str, Any]) -> Launcher:
    return Launcher(
        message=read_message(item[LauncherField.MESSAGE]),
        starts=int(item[LauncherField.STARTS]),
        task_arn=item.get(LauncherField.TASK_ARN),
        replaces=item.get(LauncherField.REPLACES),
    )
