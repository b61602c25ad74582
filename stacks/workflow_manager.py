"""The workflow manager: dropped files become launches, launches become executions."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.errors import LOG_ERROR_TERMS
from genolaunch.contract.launch import PIPE_STATUSES, LaunchField
from genolaunch.contract.launch_bucket import (
    FEEDBACK_PREFIX,
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    SCHEMA_KEY,
    SNAKEFILES_PREFIX,
)
from genolaunch.contract.settings import Parameter, Setting
from genolaunch.contract.workflow import Workflow
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.deployed import deployment_of
from stacks.constructs.permissions import look_up
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import allow_polling
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine, executions_arn, follow_executions
from stacks.constructs.stream_pipe import StreamPipe
from stacks.data import REGISTRATION_TIMEOUT, REQUEST_TIMEOUT, DataStack
from stacks.pricing import PricingStack
from stacks.restore import RestoreStack
from stacks.workflows import Workflows, substitutions

LAUNCH: Final = "launch"
"""Name of the state machine, and of its file, that takes one request of the launch table's stream."""

_BATCH: Final = 10
"""Dropped files that one invocation registers."""

_CONCURRENCY: Final = 5
"""Ten thousand files dropped at once register within minutes, and do not eat the account's Lambda concurrency."""

_RECONCILE_EVERY: Final = Duration.minutes(15)
"""As the sweep: what an event missed waits that long at the most, once it counts as missed."""


class WorkflowManagerStack(StageStack):
    """Registration, the pipe, and the launch state machine."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        compute: ComputeStack,
        workflows: Workflows,
        restore: RestoreStack,
        pricing: PricingStack,
        has_cluster: bool,
        bundling: BundlingTarget,
    ) -> None:
        """`has_cluster`: launches may choose the stage's Slurm cluster."""
        super().__init__(
            scope, "workflow-manager", settings=settings, description="Registers and starts Genolaunch's launches"
        )
        self._data = data
        self._has_cluster = has_cluster
        self._functions = Capability(self, "workflow_manager", monitoring=data.monitoring, bundling=bundling)
        self._make_register_launch()
        self._make_answer_requests()
        change_status = self._make_status_function(
            "change_status",
            "The one place where a launch's status changes",
            errors_are_users=True,
        )
        self.settle_launch = self._make_status_function(
            "settle_launch", "Makes the launch table tell the truth about an execution that ended"
        )
        self.launch = self._make_launch_machine(change_status, workflows, restore, pricing)
        StreamPipe(
            self,
            "Requests",
            monitoring=data.monitoring,
            table=data.launch_table,
            machine=self.launch,
            pattern={"dynamodb": {"NewImage": {LaunchField.STATUS: {"S": [str(status) for status in PIPE_STATUSES]}}}},
            execution_input={
                LaunchField.LAUNCH_ID: f"<$.dynamodb.NewImage.{LaunchField.LAUNCH_ID}.S>",
                LaunchField.STATUS: f"<$.dynamodb.NewImage.{LaunchField.STATUS}.S>",
            },
        )
        self._reconcile_on_schedule()
        self._explain_blocked_queues(compute)
        self._publish_schema()
        self._read_logs_of_jobs(compute)
        self.publish(Parameter.LAUNCH_STATE_MACHINE, self.launch.state_machine_arn)

    def _make_register_launch(self) -> None:
        data = self._data
        function = self._functions.function(
            "register_launch",
            description="Registers, or rejects, what was dropped into the launch bucket",
            timeout=REGISTRATION_TIMEOUT,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
                Setting.EVENT_BUS: data.bus.event_bus_name,
                **self._claim_setting(),
            },
        )
        data.bus.grant_put_events_to(function)
        for prefix in (LAUNCH_PREFIX, SNAKEFILES_PREFIX):
            data.allow_reading(function, data.launch_bucket, prefix, versions=True)
        # An answer to a later put of the file is read, and stays.
        data.allow_reading(function, data.launch_bucket, FEEDBACK_PREFIX)
        data.allow_writing(function, data.launch_bucket, FEEDBACK_PREFIX)
        for table in (data.launch_table, data.task_table):
            data.allow_items(function, table, "GetItem", "PutItem")
        data.topic.grant_publish(function)
        queue = data.registrations.queue
        allow_polling(function, queue)
        function.add_event_source_mapping(
            "Registrations",
            event_source_arn=queue.queue_arn,
            batch_size=_BATCH,
            max_concurrency=_CONCURRENCY,
            report_batch_item_failures=True,
        )

    def _make_answer_requests(self) -> None:
        data = self._data
        function = self._functions.function(
            "answer_requests",
            description="Does what a person asks of a launch: cancel, retry, approve, edit",
            timeout=REQUEST_TIMEOUT,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                **({Setting.FOUR_EYES_APPROVAL: "required"} if self.settings.four_eyes_approval else {}),
                **self._claim_setting(),
            },
        )
        data.allow_reading(function, data.launch_bucket, REQUESTS_PREFIX, versions=True)
        # What was answered is not done again.
        data.allow_reading(function, data.launch_bucket, FEEDBACK_PREFIX + REQUESTS_PREFIX)
        data.allow_writing(function, data.launch_bucket, FEEDBACK_PREFIX + REQUESTS_PREFIX)
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        queue = data.person_requests.queue
        allow_polling(function, queue)
        function.add_event_source_mapping(
            "Requests",
            event_source_arn=queue.queue_arn,
            batch_size=_BATCH,
            max_concurrency=2,  # the fewest that Lambda takes: people ask for few things
            report_batch_item_failures=True,
        )

    def _claim_setting(self) -> dict[Setting, str]:
        """By which a config is checked again (lambdas/workflow_manager/claiming.py)."""
        services = (
            service for service in ComputeService if self._has_cluster or service is not ComputeService.PARALLELCLUSTER
        )
        return {
            Setting.DATA_BUCKET: self._data.data_bucket.bucket_name,
            Setting.COMPUTE_SERVICES: ",".join(services),
            **({Setting.LAUNCH_BUCKET: self._data.launch_bucket.bucket_name} if self.settings.teams else {}),
            **self._teams_setting(),
        }

    def _teams_setting(self) -> dict[Setting, str]:
        settings = self.settings
        if not settings.teams:
            return {}
        return {
            Setting.TEAMS: ",".join(settings.teams),
            Setting.READABLE_BUCKETS: ",".join(settings.readable_buckets),
        }

    def _read_logs_of_jobs(self, compute: ComputeStack) -> None:
        """Not of users' programs, which could write any launch's name (docs/decisions/089).

        No dead letters: CloudWatch Logs tries again for a day, and what a log names only adds to what Batch says.
        """
        function = self._functions.function(
            "parse_log",
            description="Keeps what the logs of jobs name as errors, while they run",
            timeout=Duration.minutes(1),
            environment={Setting.TASK_TABLE: self._data.task_table.table_name},
        )
        self._data.allow_items(function, self._data.task_table, "BatchWriteItem")
        logs.SubscriptionFilter(
            self,
            "ErrorsInLogs",
            log_group=compute.job_logs,
            destination=destinations.LambdaDestination(function),
            filter_pattern=logs.FilterPattern.any_term(*LOG_ERROR_TERMS),
        )

    def _make_status_function(
        self,
        module: str,
        description: str,
        *,
        errors_are_users: bool = False,
    ) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            module,
            description=description,
            errors_are_users=errors_are_users,
            timeout=Duration.seconds(30),
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
                Setting.EVENT_BUS: data.bus.event_bus_name,
                Setting.LAUNCHES_AT_ONCE: str(self.settings.launches_at_once),
                **self._claim_setting(),
            },
        )
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        self._allow_queue(function)
        data.bus.grant_put_events_to(function)
        data.topic.grant_publish(function)
        # The answer to a file is amended when its launch is rejected later, for its data.
        data.allow_reading(function, data.launch_bucket, FEEDBACK_PREFIX)
        data.allow_writing(function, data.launch_bucket, FEEDBACK_PREFIX)
        return function

    def _allow_queue(self, function: lambda_.Function) -> None:
        """The queue of launches: its ledger, and a place for each that waits."""
        self._data.allow_items(
            function, self._data.task_table, "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"
        )

    def _explain_blocked_queues(self, compute: ComputeStack) -> None:
        data = self._data
        function = self._functions.function(
            "explain_blocked",
            description="Says of a running launch why one of its jobs cannot start",
            timeout=Duration.seconds(30),
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.PLACEMENTS: compute.placements_setting,
            },
        )
        data.allow_items(function, data.launch_table, "UpdateItem")
        function.add_to_role_policy(look_up("batch:DescribeJobs"))  # its name is what a Snakemake job's launcher says
        events.Rule(
            self,
            "QueueBlocked",
            description="A job in one of the stage's queues cannot start",
            event_pattern=events.EventPattern(
                source=["aws.batch"],
                detail_type=["Batch Job Queue Blocked"],
                detail={"jobQueue": compute.queue_pattern},
            ),
            # No dead letters: without the explanation Batch gives the job up all the same, and says why.
            targets=[targets.LambdaFunction(function, retry_attempts=3)],
        )

    def _publish_schema(self) -> None:
        function = self._functions.function(
            "publish_schema",
            description="Puts the launch config's JSON Schema into the launch bucket",
            timeout=Duration.minutes(1),
            environment={Setting.LAUNCH_BUCKET: self._data.launch_bucket.bucket_name},
        )
        self._data.allow_writing(function, self._data.launch_bucket, SCHEMA_KEY)
        events.Rule(
            self,
            "Deployed",
            description="This stack was deployed: its schema of launch configs may be another one",
            # Not a custom resource, whose failure would undo a deployment; and once a day for what the event missed.
            event_pattern=deployment_of(self),
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[targets.LambdaFunction(function, retry_attempts=3)],
        )

    def _reconcile_on_schedule(self) -> None:
        data = self._data
        function = self._functions.function(
            "lost_requests",
            description="Starts what the pipe lost, and mends the queue of launches",
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.LAUNCH_STATE_MACHINE: self.launch.state_machine_arn,
                Setting.LAUNCHES_AT_ONCE: str(self.settings.launches_at_once),
                Setting.SWEEP_GRACE_MINUTES: str(self.settings.sweep_grace_minutes),
            },
        )
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        data.allow_query_by_status(function)
        self._allow_queue(function)
        self.launch.grant_start_execution(function)
        events.Rule(
            self,
            "ReconcileTime",
            description="Looks for requests that nobody heard",
            schedule=events.Schedule.rate(_RECONCILE_EVERY),
            # No dead letters: the next round looks for the same things.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _make_launch_machine(
        self,
        change_status: lambda_.Function,
        workflows: Workflows,
        restore: RestoreStack,
        pricing: PricingStack,
    ) -> sfn.StateMachine:
        data = self._data
        launch = AslStateMachine(
            self,
            LAUNCH,
            monitoring=data.monitoring,
            failures_are_users=True,
            description="Starts, follows or cancels one launch",
            substitutions={
                "LaunchTableName": data.launch_table.table_name,
                "ChangeStatusFunctionArn": change_status.function_arn,
                "EstimateCostFunctionArn": pricing.estimate_cost.function_arn,
                "FindArchivedFunctionArn": restore.find_archived.function_arn,
                **substitutions(workflows),
            },
        )
        called = (
            change_status,
            *(function for parts in workflows.values() for function in parts.functions),
            restore.find_archived,
            pricing.estimate_cost,
        )
        for function in called:
            function.grant_invoke(launch.role)
        data.allow_items(launch.role, data.launch_table, "GetItem")
        for parts in workflows.values():
            parts.machine.grant_start_execution(launch.role)
        launch.allow(
            *follow_executions(self, *Workflow),
            iam.PolicyStatement(
                sid="CancelAnotherLaunch",
                actions=["states:StopExecution"],
                resources=[executions_arn(self, LAUNCH)],
            ),
        )
        return launch.machine
