"""Restore of archived inputs: detection, the restore state machine, and what hears from S3."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from genolaunch.contract.launch_bucket import FEEDBACK_PREFIX, INPUTS_PREFIX, RESTORES_PREFIX
from genolaunch.contract.settings import Setting
from stacks.config import StageSettings
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import DeadLetterQueue, QueueWithDeadLetters, allow_polling, allow_sending
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack

RESTORE: Final = "restore"

_LONGEST: Final = Duration.minutes(15)
_SHORT: Final = Duration.minutes(1)
_REQUEST_TIMEOUT: Final = Duration.minutes(5)
_COMPLETION_TIMEOUT: Final = Duration.minutes(5)

_REQUESTERS: Final = 5
"""Each asks for some 200 objects a second at the most; S3 takes 1,000 restores a second in an account."""

_COMPLETERS: Final = 2
"""The fewest there can be: they write to one item for each launch, where more would only meet each other."""

_COMPLETIONS: Final = 1000
"""Events of one invocation, ten transactions: objects of one tier come in crowds."""

_GATHER: Final = Duration.seconds(20)
"""How long events are gathered: nothing beside the hours of a restore."""

_LOOK_EVERY: Final = Duration.minutes(15)


class RestoreStack(StageStack):
    """Everything that brings archived inputs back, and lets launches wait for it."""

    def __init__(self, scope: Construct, *, settings: StageSettings, data: DataStack, bundling: BundlingTarget) -> None:
        super().__init__(
            scope, RESTORE, settings=settings, description="Restores archived inputs of Genolaunch's launches"
        )
        self._data = data
        self._readable = (data.data_bucket, *self.import_readable_buckets())
        self._functions = Capability(self, RESTORE, monitoring=data.monitoring, bundling=bundling)
        self._requests = QueueWithDeadLetters(
            self,
            "Requests",
            monitoring=data.monitoring,
            holds="objects that S3 was not asked to restore",
            consumer_timeout=_REQUEST_TIMEOUT,
            # A million objects take some 20 minutes, and what S3 has no time for is put off by a quarter of an hour.
            oldest=Duration.hours(2),
        )
        self._completions = QueueWithDeadLetters(
            self,
            "Completions",
            monitoring=data.monitoring,
            holds="S3's word that an object is restored",
            consumer_timeout=_COMPLETION_TIMEOUT,
            oldest=Duration.minutes(30),
        )
        self.find_archived = self._make_find_archived()
        self.machine = self._make_machine()
        self._start_by_config()
        self._make_request_restores()
        self._make_complete_restores()
        self._hear_of_completions()
        self._make_look_after()

    def _make_find_archived(self) -> lambda_.Function:
        data = self._data
        function = self._function(
            "find_archived",
            "Finds a launch's archived inputs, and lets it wait for them",
            errors_are_users=True,
            timeout=_LONGEST,
            environment={Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name, Setting.RESTORE_POLICY: self._policy()},
            task_actions=("PutItem",),
        )
        data.allow_reading(function, data.launch_bucket, INPUTS_PREFIX)
        data.allow_writing(function, data.launch_bucket, RESTORES_PREFIX)
        self._allow_reading_inputs(function)
        return function

    def _policy(self) -> str:
        settings = self.settings.restore
        return json.dumps(
            {
                "mixedTier": settings.mixed_tier,
                "days": settings.days,
                "mostBytes": settings.approval_above_gib << 30,
                "mostUsd": settings.approval_above_usd,
            }
        )

    def _make_machine(self) -> sfn.StateMachine:
        data = self._data
        index_objects = self._function(
            "index_objects",
            "Registers what a launch waits for, and queues the requests",
            errors_are_users=True,
            timeout=_LONGEST,
            environment={Setting.RESTORE_QUEUE: self._requests.queue.queue_url},
            task_actions=("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
        )
        data.allow_reading(index_objects, data.launch_bucket, RESTORES_PREFIX)
        self._allow_reading_inputs(index_objects)
        allow_sending(index_objects, self._requests.queue)
        fail_restore = self._function(
            "fail_restore",
            "Ends a launch whose restore could not begin",
            task_actions=("GetItem", "DeleteItem"),
        )
        # It is the one that rejects launches, and says so beside their files.
        data.allow_reading(fail_restore, data.launch_bucket, FEEDBACK_PREFIX)
        data.allow_writing(fail_restore, data.launch_bucket, FEEDBACK_PREFIX)
        restore = AslStateMachine(
            self,
            RESTORE,
            monitoring=data.monitoring,
            failures_are_users=True,
            description="Begins the restore of what one launch waits for",
            substitutions={
                "IndexObjectsFunctionArn": index_objects.function_arn,
                "FailRestoreFunctionArn": fail_restore.function_arn,
            },
        )
        index_objects.grant_invoke(restore.role)
        fail_restore.grant_invoke(restore.role)
        return restore.machine

    def _start_by_config(self) -> None:
        dead_letters = DeadLetterQueue(
            self, "LostConfigs", monitoring=self._data.monitoring, holds="a restore config that began no restore"
        )
        events.Rule(
            self,
            "ConfigWritten",
            description="A launch waits for archived inputs",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._data.launch_bucket.bucket_name]},
                    "object": {"key": [{"prefix": RESTORES_PREFIX}]},
                },
            ),
            targets=[targets.SfnStateMachine(self.machine, dead_letter_queue=dead_letters.queue)],
        )

    def _make_request_restores(self) -> None:
        queue = self._requests.queue
        function = self._function(
            "request_restores",
            "Asks S3 to restore objects",
            timeout=_REQUEST_TIMEOUT,
            environment={
                Setting.RESTORE_QUEUE: queue.queue_url,
                Setting.USAGE_TABLE: self._data.usage_table.table_name,
            },
            task_actions=("GetItem", "UpdateItem", "DeleteItem"),
        )
        self._data.allow_items(function, self._data.usage_table, "UpdateItem")
        self._allow_reading_inputs(function)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="RestoreInputs",
                actions=["s3:RestoreObject"],
                resources=[bucket.arn_for_objects("*") for bucket in self._readable],
            )
        )
        allow_sending(function, queue)
        allow_polling(function, queue)
        function.add_event_source_mapping(
            "Requests",
            event_source_arn=queue.queue_arn,
            batch_size=1,  # a message holds up to 100 objects
            max_concurrency=_REQUESTERS,
            report_batch_item_failures=True,
        )

    def _make_complete_restores(self) -> None:
        function = self._function(
            "complete_restores",
            "Hears from S3 which objects are restored",
            timeout=_COMPLETION_TIMEOUT,
            task_actions=("GetItem", "BatchGetItem", "Query", "UpdateItem", "DeleteItem"),
        )
        queue = self._completions.queue
        allow_polling(function, queue)
        function.add_event_source_mapping(
            "Completions",
            event_source_arn=queue.queue_arn,
            batch_size=_COMPLETIONS,
            max_batching_window=_GATHER,
            max_concurrency=_COMPLETERS,
            report_batch_item_failures=True,
        )

    def _hear_of_completions(self) -> None:
        events.Rule(
            self,
            "ObjectRestored",
            description="An archived object can be read",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Restore Completed"],
                detail={"bucket": {"name": [bucket.bucket_name for bucket in self._readable]}},
            ),
            targets=[targets.SqsQueue(self._completions.queue, dead_letter_queue=self._completions.dead_letters.queue)],
        )

    def _make_look_after(self) -> None:
        data = self._data
        function = self._function(
            "look_after",
            "Looks after restores that are late",
            timeout=_LONGEST,
            environment={
                Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name,
                Setting.RESTORE_QUEUE: self._requests.queue.queue_url,
                Setting.RESTORE_STATE_MACHINE: self.machine.state_machine_arn,
            },
            task_actions=("GetItem", "Query", "UpdateItem", "DeleteItem"),
        )
        data.allow_query_by_status(function)
        data.allow_reading(function, data.launch_bucket, RESTORES_PREFIX)
        self._allow_reading_inputs(function)
        allow_sending(function, self._requests.queue)
        self.machine.grant_start_execution(function)
        events.Rule(
            self,
            "LookTime",
            description="Looks for restores that no event moves",
            schedule=events.Schedule.rate(_LOOK_EVERY),
            # No dead letters: the next round looks for the same things.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _function(
        self,
        module: str,
        description: str,
        *,
        timeout: Duration = _SHORT,
        environment: Mapping[Setting, str] | None = None,
        task_actions: Sequence[str] = (),
        errors_are_users: bool = False,
    ) -> lambda_.Function:
        """A function that may change a launch's status, tell of it, and do `task_actions` on the task table."""
        data = self._data
        given = {
            Setting.LAUNCH_TABLE: data.launch_table.table_name,
            Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
            Setting.EVENT_BUS: data.bus.event_bus_name,
            **(environment or {}),
        }
        if task_actions:
            given[Setting.TASK_TABLE] = data.task_table.table_name
        function = self._functions.function(
            module,
            description=description,
            timeout=timeout,
            memory_mib=512,
            environment=given,
            errors_are_users=errors_are_users,
        )
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        if task_actions:
            data.allow_items(function, data.task_table, *task_actions)
        data.topic.grant_publish(function)
        data.bus.grant_put_events_to(function)
        return function

    def _allow_reading_inputs(self, function: lambda_.Function) -> None:
        """Listing, and HeadObject, which is s3:GetObject to IAM."""
        for bucket in self._readable:
            self._data.allow_reading(function, bucket)
