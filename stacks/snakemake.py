"""The Snakemake workflow: what prepares a launch, the queue that its launcher is asked for by, and what follows it."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from genolaunch.contract.launch_bucket import SNAKEFILES_PREFIX, SOURCES_PREFIX
from genolaunch.contract.launcher import LAUNCHER_CONTAINER, LAUNCHER_FOLDER, TASK_NEVER_RAN
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.settings import Setting
from genolaunch.contract.workflow import SnakemakeEngine, Workflow
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.permissions import look_up
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import DeadLetterQueue, QueueWithDeadLetters, allow_polling, allow_sending
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack
from stacks.launch_rights import LaunchRights, make_launch_roles, pass_launch_roles
from stacks.network import NetworkStack
from stacks.snakemake_launcher import LauncherTask
from stacks.tibanna import TibannaStack
from stacks.workflows import WorkflowParts

_BROKER_TIMEOUT: Final = Duration.minutes(2)
"""Ten messages, each with some calls of RunTask and pauses between them."""
_BROKER_CONCURRENCY: Final = 5
"""Five brokers ask for some 20 tasks a second together, which is what Fargate grants (AWS Fargate service quotas)."""
_BROKER_RECEIVES: Final = 50
"""The broker itself gives a message up after 30 deliveries. This is for one that kills it every time."""

_NOTIFIER_TIMEOUT: Final = Duration.minutes(1)
_NOTIFIER_CONCURRENCY: Final = 5

_RECORDER_TIMEOUT: Final = Duration.minutes(1)
_RECORDER_CONCURRENCY: Final = 5

_WATCH_EVERY: Final = Duration.minutes(5)
_LOST: Final = Duration.hours(24)
_TRIES: Final = 185
"""EventBridge's own most, within a day."""

_LAUNCHER_OBJECTS: Final = f"{RESULTS_PREFIX}*/{LAUNCHER_FOLDER}"


class SnakemakeStack(StageStack):
    """Everything of `workflow: snakemake` that is not an engine's. An engine's stack calls `add_engine`."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        network: NetworkStack,
        compute: ComputeStack,
        tibanna: TibannaStack,
        bundling: BundlingTarget,
    ) -> None:
        super().__init__(scope, "snakemake", settings=settings, description="The Snakemake workflow of Genolaunch")
        self._data = data
        self._compute = compute
        self._tibanna = tibanna
        self._readable = self._buckets("Readable", settings.readable_buckets)
        self._writable = self._buckets("Writable", settings.writable_buckets)
        self._engines: dict[SnakemakeEngine, Mapping[str, Any]] = {}
        self.launcher = LauncherTask(
            self,
            settings=settings,
            network=network,
            compute=compute,
            pullers=[tibanna.instance_policy],
        )
        self._launches = self._make_queue(
            "Launches", "a launcher that was not started", _BROKER_TIMEOUT, Duration.hours(1), _BROKER_RECEIVES
        )
        self._endings = self._make_queue(
            "TaskEvents", "a change of a launcher's task that its launch was not told of", _NOTIFIER_TIMEOUT
        )
        self._records = self._make_queue("Records", "what a launcher said of its jobs", _RECORDER_TIMEOUT)
        self.rights = LaunchRights(
            self,
            settings=settings,
            data=data,
            compute=compute,
            records=self._records.queue,
            readable=self._readable,
            writable=self._writable,
        )
        self._functions = Capability(self, "snakemake", monitoring=data.monitoring, bundling=bundling)
        self._make_roles = self._make_role_maker(tibanna)
        self.prepare = self._make_prepare()
        self.workflow = self._make_workflow(network)
        self.machine = self.workflow.machine
        self._make_broker()
        self._make_notifier()
        self._make_watch()
        self._make_recorder()
        self._listen()
        tibanna.allow_client(self.rights.launcher)
        self.add_engine(
            SnakemakeEngine.TIBANNA,
            {
                "containerImage": self.launcher.image,  # the launcher's own: a job runs in the same Snakemake
                "stateMachineArn": tibanna.machine.state_machine_arn,
                "logBucket": tibanna.log_bucket.bucket_name,
            },
        )

    @property
    def workflow_parts(self) -> WorkflowParts:
        """What other stacks need of this workflow."""
        return WorkflowParts(
            machine=self.machine, check=self.prepare, further_machines={"tibanna": self._tibanna.machine}
        )

    def add_engine(self, engine: SnakemakeEngine, run_sheet: Mapping[str, Any]) -> None:
        """Let launches run on an engine; `run_sheet` is what the launcher must know of it, the same for every launch.

        `containerImage` in it is the image of jobs for which the launch names none.
        """
        self._engines[engine] = run_sheet
        self.prepare.add_environment(Setting.ENGINES, self.to_json_string(self._engines))

    # --- Functions and state machine --------------------------------------------------------------------------------
    def _make_queue(
        self,
        id_: str,
        holds: str,
        consumer_timeout: Duration,
        oldest: Duration = Duration.minutes(15),  # noqa: B008 - a constant
        receives: int = 5,
    ) -> QueueWithDeadLetters:
        return QueueWithDeadLetters(
            self,
            id_,
            monitoring=self._data.monitoring,
            holds=holds,
            consumer_timeout=consumer_timeout,
            oldest=oldest,
            receives=receives,
        )

    def _make_prepare(self) -> lambda_.Function:
        data = self._data
        needs_encryption = self.settings.tibanna.require_encrypted_volumes
        function = self._functions.function(
            "prepare_snakemake",
            description="Checks a Snakemake launch, copies its sources and writes its run sheet",
            errors_are_users=True,
            timeout=Duration.minutes(5),
            memory_mib=512,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name,
                Setting.DATA_BUCKET: data.data_bucket.bucket_name,
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.WRITABLE_BUCKETS: ",".join(self.settings.writable_buckets),
                Setting.ENGINES: "{}",
                **({Setting.ENCRYPTED_VOLUMES: "required"} if needs_encryption else {}),
            },
        )
        if needs_encryption:
            function.add_to_role_policy(look_up("ec2:GetEbsEncryptionByDefault"))
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_items(function, data.task_table, "PutItem")
        data.allow_query_by_status(function)
        for prefix in (SNAKEFILES_PREFIX, SOURCES_PREFIX):
            data.allow_reading(function, data.launch_bucket, prefix)
        for bucket in (*self._readable, *self._writable, data.data_bucket):
            data.allow_reading(function, bucket)
        data.allow_writing(function, data.results_bucket, _LAUNCHER_OBJECTS)
        return function

    def _make_role_maker(self, tibanna: TibannaStack) -> lambda_.Function:
        rights = self.rights
        files, launcher, instance = (
            policy.managed_policy_arn for policy in (rights.files, rights.launcher, tibanna.instance_policy)
        )
        policies = {
            "boundary": rights.boundary_arn,
            "launcher": [files, launcher],
            "jobs": {SnakemakeEngine.TIBANNA: [files, instance], SnakemakeEngine.AWS_BATCH: [files]},
        }
        function = self._functions.function(
            "make_roles",
            description="Makes the roles of a launch: of its launcher, and of its jobs",
            errors_are_users=True,
            timeout=Duration.minutes(1),
            environment={Setting.LAUNCH_POLICIES: self.to_json_string(policies)},
        )
        for statement in make_launch_roles(self, rights.boundary_arn, [files, launcher, instance]):
            function.add_to_role_policy(statement)
        return function

    def _make_workflow(self, network: NetworkStack) -> AslStateMachine:
        workflow = AslStateMachine(
            self,
            Workflow.SNAKEMAKE,
            monitoring=self._data.monitoring,
            failures_are_users=True,
            description="One attempt of a Snakemake launch",
            substitutions={
                "LaunchTableName": self._data.launch_table.table_name,
                "PrepareSnakemakeFunctionArn": self.prepare.function_arn,
                "MakeRolesFunctionArn": self._make_roles.function_arn,
                "LaunchQueueUrl": self._launches.queue.queue_url,
                "SubnetIds": ",".join(subnet.subnet_id for subnet in network.vpc.private_subnets),
                "SecurityGroupId": self.launcher.security_group.security_group_id,
                "Container": LAUNCHER_CONTAINER,
            },
        )
        self.prepare.grant_invoke(workflow.role)
        self._make_roles.grant_invoke(workflow.role)
        self._data.allow_items(workflow.role, self._data.launch_table, "UpdateItem")
        allow_sending(workflow.role, self._launches.queue)
        return workflow

    def _make_broker(self) -> None:
        data = self._data
        function = self._functions.function(
            "start_launcher",
            description="Has ECS start the launchers that the queue asks for",
            timeout=_BROKER_TIMEOUT,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.CLUSTER: self.launcher.cluster.cluster_arn,
                Setting.TASK_DEFINITION: self.launcher.definition.task_definition_arn,
                Setting.LAUNCH_QUEUE: self._launches.queue.queue_url,
                Setting.RECORD_QUEUE: self._records.queue.queue_url,
                Setting.DEAD_LETTER_QUEUE: self._launches.dead_letters.queue.queue_url,
                Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_items(function, data.task_table, "GetItem", "UpdateItem")
        allow_sending(function, self._launches.dead_letters.queue)
        # What ECS has no capacity for comes back later than the queue would give it back.
        self._launches.queue.grant(function, "sqs:ChangeMessageVisibility")
        data.topic.grant_publish(function)
        self.machine.grant(function, "states:SendTaskFailure")
        on_cluster = {"ArnEquals": {"ecs:cluster": self.launcher.cluster.cluster_arn}}
        for statement in (
            iam.PolicyStatement(
                sid="RunLaunchers",
                actions=["ecs:RunTask"],
                resources=[self.launcher.definition.task_definition_arn],
                conditions=on_cluster,
            ),
            iam.PolicyStatement(
                sid="TagThemAtBirth",
                actions=["ecs:TagResource"],
                resources=[self.launcher.tasks_arn],
                conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            ),
            iam.PolicyStatement(
                sid="StopCancelledOnes",
                actions=["ecs:StopTask"],
                resources=[self.launcher.tasks_arn],
                conditions=on_cluster,
            ),
            # The definition's own roles, too: whether ECS asks for the one that is replaced is not documented.
            pass_launch_roles(self, "ecs-tasks.amazonaws.com", self.launcher.role, self.launcher.execution_role),
        ):
            function.add_to_role_policy(statement)
        _consume(function, self._launches.queue, _BROKER_CONCURRENCY)

    def _make_notifier(self) -> None:
        function = self._functions.function(
            "follow_launcher",
            description="Reports launchers' ends to their launches",
            timeout=_NOTIFIER_TIMEOUT,
            environment=self._follower_environment(),
        )
        self._allow_following(function)
        _consume(function, self._endings.queue, _NOTIFIER_CONCURRENCY)

    def _make_watch(self) -> None:
        function = self._functions.function(
            "watch_launchers",
            description="Looks for launchers that ended unheard",
            timeout=Duration.minutes(2),
            environment={**self._follower_environment(), Setting.CLUSTER: self.launcher.cluster.cluster_arn},
        )
        self._allow_following(function)
        self._data.allow_query_by_status(function)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="LookAtLaunchers", actions=["ecs:DescribeTasks"], resources=[self.launcher.tasks_arn]
            )
        )
        events.Rule(
            self,
            "WatchTime",
            description="Looks for launchers that ended without an event",
            schedule=events.Schedule.rate(_WATCH_EVERY),
            # No dead letters: the next look finds the same.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _make_recorder(self) -> None:
        """The launcher itself writes into no table: its user's program has its rights."""
        data = self._data
        function = self._functions.function(
            "record_jobs",
            description="Writes what launchers say of their jobs into the tables, each about its own launch",
            timeout=_RECORDER_TIMEOUT,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
            },
        )
        data.allow_items(function, data.launch_table, "UpdateItem")
        data.allow_items(function, data.task_table, "GetItem", "UpdateItem", "PutItem")
        _consume(function, self._records.queue, _RECORDER_CONCURRENCY)

    def _follower_environment(self) -> dict[Setting, str]:
        return {
            Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
            Setting.TASK_TABLE: self._data.task_table.table_name,
            Setting.RESULTS_BUCKET: self._data.results_bucket.bucket_name,
            Setting.JOB_LOG_GROUP: self._compute.job_logs.log_group_name,
        }

    def _allow_following(self, function: lambda_.Function) -> None:
        self._data.allow_items(function, self._data.launch_table, "UpdateItem")
        self._data.allow_items(function, self._data.task_table, "GetItem", "PutItem")
        self._data.allow_reading(function, self._data.results_bucket, _LAUNCHER_OBJECTS)
        self.machine.grant(function, "states:SendTaskSuccess", "states:SendTaskFailure")

    # --- Events -----------------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        lost = DeadLetterQueue(
            self,
            "LostEvents",
            monitoring=self._data.monitoring,
            holds="a change of a launcher's task that did not reach its queue",
        )
        self._rule("TaskChanged", {"lastStatus": ["RUNNING", "STOPPED"]}, self._endings.queue, lost)
        # For want of network or for another reason: the broker tells them apart, since EventBridge refuses a pattern
        # with so many wildcards.
        self._rule(
            "TaskNeverRan", {"lastStatus": ["STOPPED"], "stopCode": [TASK_NEVER_RAN]}, self._launches.queue, lost
        )

    def _rule(self, id_: str, detail: Mapping[str, Any], queue: sqs.IQueue, lost: DeadLetterQueue) -> None:
        events.Rule(
            self,
            id_,
            description="State changes of launchers' tasks",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"clusterArn": [self.launcher.cluster.cluster_arn], **detail},
            ),
            targets=[targets.SqsQueue(queue, dead_letter_queue=lost.queue, retry_attempts=_TRIES, max_event_age=_LOST)],
        )

    def _buckets(self, id_: str, names: tuple[str, ...]) -> list[s3.IBucket]:
        return [s3.Bucket.from_bucket_name(self, f"{id_}{number}", name) for number, name in enumerate(names, start=1)]


def _consume(function: lambda_.Function, queue: sqs.Queue, concurrency: int) -> None:
    """Let a function take a queue's messages, ten at a time, and give back single ones."""
    allow_polling(function, queue)
    function.add_event_source_mapping(
        "Messages",
        event_source_arn=queue.queue_arn,
        batch_size=10,
        max_concurrency=concurrency,
        report_batch_item_failures=True,
    )
