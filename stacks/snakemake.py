"""The Snakemake workflow: the launcher (an ECS task), the queue that it is asked for by, and what follows it."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Annotations, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract import (
    LAUNCHER_COMMAND,
    LAUNCHER_CONTAINER,
    LAUNCHER_FOLDER,
    LAUNCHER_HOME,
    LAUNCHER_STOP_SECONDS,
    LAUNCHER_USER,
    NETWORK_FAULTS,
    RESULTS_PREFIX,
    SNAKEFILES_PREFIX,
    SOURCES_PREFIX,
    TASK_NEVER_RAN,
    Setting,
    SnakemakeEngine,
    Workflow,
)
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.container_image import image_uri
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import DeadLetterQueue, QueueWithDeadLetters
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack
from stacks.network import NetworkStack
from stacks.tibanna import TibannaStack

_BROKER_TIMEOUT: Final = Duration.minutes(2)
"""Ten messages, each with some calls of RunTask and pauses between them."""
_BROKER_CONCURRENCY: Final = 5
"""Five brokers ask for some 20 tasks a second together, which is what Fargate grants (AWS Fargate service quotas)."""
_BROKER_RECEIVES: Final = 50
"""The broker itself gives a message up after 30 deliveries. This is for one that kills it every time."""

_NOTIFIER_TIMEOUT: Final = Duration.minutes(1)
_NOTIFIER_CONCURRENCY: Final = 5

_WATCH_EVERY: Final = Duration.minutes(5)
_LOST: Final = Duration.hours(24)
_TRIES: Final = 185
"""EventBridge's own most, within a day."""

_LAUNCHER_OBJECTS: Final = f"{RESULTS_PREFIX}*/{LAUNCHER_FOLDER}"


class SnakemakeStack(StageStack):
    """Everything of `workflow: snakemake` that is not an engine's.

    `task_role` is what the launcher may do in AWS: an engine's stack adds what the launcher needs of it.
    """

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
        self._readable = self._buckets("Readable", settings.readable_buckets)
        self._writable = self._buckets("Writable", settings.writable_buckets)
        self._engines: dict[SnakemakeEngine, Mapping[str, Any]] = {}
        self._security_group = self._make_security_group(network)
        self._execution_role = self._make_role("ExecutionRole", "ECS agent, for a launcher: its image and its log")
        compute.job_logs.grant_write(self._execution_role)
        self.image = image_uri(
            self,
            "Image",
            settings.snakemake.image,
            folder="snakemake",
            pullers=[self._execution_role, tibanna.instance_role],
        )
        self.task_role = self._make_task_role()
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            cluster_name=f"{settings.prefix}-launchers",
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self._task_definition = self._make_task_definition()
        self._launches = self._make_queue(
            "Launches", "a launcher that was not started", _BROKER_TIMEOUT, Duration.hours(1), _BROKER_RECEIVES
        )
        self._endings = self._make_queue(
            "TaskEvents", "a change of a launcher's task that its launch was not told of", _NOTIFIER_TIMEOUT
        )
        self._functions = Capability(self, "snakemake", monitoring=data.monitoring, bundling=bundling)
        self._prepare = self._make_prepare()
        self.workflow = self._make_workflow(network)
        self.machine = self.workflow.machine
        self._make_broker()
        self._make_notifier()
        self._make_watch()
        self._listen()
        tibanna.allow_client(self.task_role)
        self.add_engine(
            SnakemakeEngine.TIBANNA,
            {
                "containerImage": self.image,  # the launcher's own: a job runs in the same Snakemake
                "stateMachineArn": tibanna.machine.state_machine_arn,
                "logBucket": tibanna.log_bucket.bucket_name,
            },
        )

    def add_engine(self, engine: SnakemakeEngine, run_sheet: Mapping[str, Any]) -> None:
        """Let launches run on an engine; `run_sheet` is what the launcher must know of it, the same for every launch.

        `containerImage` in it is the image of jobs for which the launch names none.
        """
        self._engines[engine] = run_sheet
        self._prepare.add_environment(Setting.ENGINES, self.to_json_string(self._engines))

    # --- The task ---------------------------------------------------------------------------------------------------
    def _make_security_group(self, network: NetworkStack) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "Launchers",
            vpc=network.vpc,
            description="Launchers: out by HTTPS (AWS, images, sources of conda), in from nowhere",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and package servers")
        return group

    def _make_role(self, id_: str, description: str) -> iam.Role:
        return iam.Role(self, id_, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"), description=description)

    def _make_task_role(self) -> iam.Role:
        data = self._data
        role = self._make_role("LauncherRole", "Snakemake itself: the workflow's files, and how far the launch is")
        for bucket in self._readable:
            data.allow_reading(role, bucket)
        for bucket in (data.data_bucket, *self._writable):
            data.allow_working(role, bucket)
        data.allow_reading(role, data.results_bucket, RESULTS_PREFIX)
        data.allow_writing(role, data.results_bucket, RESULTS_PREFIX, in_parts=True)
        data.allow_items(role, data.launch_table, "UpdateItem")
        data.allow_items(role, data.task_table, "PutItem", "BatchWriteItem")
        return role

    def _make_task_definition(self) -> ecs.FargateTaskDefinition:
        sizes = self.settings.snakemake
        definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"{self.settings.prefix}-launcher",
            cpu=sizes.cpu,
            memory_limit_mib=sizes.memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=self.task_role,
            execution_role=self._execution_role,
            # Its owner is that of the folder in the image, which declares it as a volume: otherwise it would be root's
            # (Amazon ECS developer guide, "Use bind mounts").
            volumes=[ecs.Volume(name="work")],
        )
        Annotations.of(definition).acknowledge_warning(
            "@aws-cdk/aws-ecs:ecrImageRequiresPolicy", "image_uri lets the execution role pull what the settings name"
        )
        container = definition.add_container(
            LAUNCHER_CONTAINER,
            image=ecs.ContainerImage.from_registry(self.image),
            command=list(LAUNCHER_COMMAND),
            essential=True,
            user=LAUNCHER_USER,
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(LAUNCHER_STOP_SECONDS),
            environment={"HOME": LAUNCHER_HOME, "TMPDIR": LAUNCHER_HOME},
            logging=ecs.LogDrivers.aws_logs(stream_prefix=LAUNCHER_CONTAINER, log_group=self._compute.job_logs),
        )
        container.add_mount_points(ecs.MountPoint(source_volume="work", container_path=LAUNCHER_HOME, read_only=False))
        return definition

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
        function = self._functions.function(
            "prepare_snakemake",
            description="Checks a Snakemake launch, copies its sources and writes its run sheet",
            timeout=Duration.minutes(5),
            memory_mib=512,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name,
                Setting.DATA_BUCKET: data.data_bucket.bucket_name,
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.WRITABLE_BUCKETS: ",".join(self.settings.writable_buckets),
                Setting.ENGINES: "{}",
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_query_by_status(function)
        for prefix in (SNAKEFILES_PREFIX, SOURCES_PREFIX):
            data.allow_reading(function, data.launch_bucket, prefix)
        for bucket in (*self._readable, *self._writable, data.data_bucket):
            data.allow_reading(function, bucket)
        data.allow_writing(function, data.results_bucket, _LAUNCHER_OBJECTS)
        return function

    def _make_workflow(self, network: NetworkStack) -> AslStateMachine:
        workflow = AslStateMachine(
            self,
            Workflow.SNAKEMAKE,
            monitoring=self._data.monitoring,
            description="One attempt of a Snakemake launch",
            substitutions={
                "LaunchTableName": self._data.launch_table.table_name,
                "PrepareSnakemakeFunctionArn": self._prepare.function_arn,
                "LaunchQueueUrl": self._launches.queue.queue_url,
                "SubnetIds": ",".join(subnet.subnet_id for subnet in network.vpc.private_subnets),
                "SecurityGroupId": self._security_group.security_group_id,
                "Container": LAUNCHER_CONTAINER,
            },
        )
        self._prepare.grant_invoke(workflow.role)
        self._data.allow_items(workflow.role, self._data.launch_table, "UpdateItem")
        self._launches.queue.grant_send_messages(workflow.role)
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
                Setting.CLUSTER: self.cluster.cluster_arn,
                Setting.TASK_DEFINITION: self._task_definition.task_definition_arn,
                Setting.LAUNCH_QUEUE: self._launches.queue.queue_url,
                Setting.DEAD_LETTER_QUEUE: self._launches.dead_letters.queue.queue_url,
                Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_items(function, data.task_table, "GetItem", "UpdateItem")
        self._launches.dead_letters.queue.grant_send_messages(function)
        data.topic.grant_publish(function)
        self.machine.grant_task_response(function)
        on_cluster = {"ArnEquals": {"ecs:cluster": self.cluster.cluster_arn}}
        for statement in (
            iam.PolicyStatement(
                sid="RunLaunchers",
                actions=["ecs:RunTask"],
                resources=[self._task_definition.task_definition_arn],
                conditions=on_cluster,
            ),
            iam.PolicyStatement(
                sid="TagThemAtBirth",
                actions=["ecs:TagResource"],
                resources=[self.tasks_arn],
                conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            ),
            iam.PolicyStatement(
                sid="StopCancelledOnes", actions=["ecs:StopTask"], resources=[self.tasks_arn], conditions=on_cluster
            ),
            iam.PolicyStatement(
                sid="GiveLaunchersTheirRoles",
                actions=["iam:PassRole"],
                resources=[self.task_role.role_arn, self._execution_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ):
            function.add_to_role_policy(statement)
        _consume(function, self._launches.queue, _BROKER_CONCURRENCY)

    def _make_notifier(self) -> None:
        function = self._functions.function(
            "follow_launcher",
            description="Tells launches what becomes of their launchers",
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
            environment={**self._follower_environment(), Setting.CLUSTER: self.cluster.cluster_arn},
        )
        self._allow_following(function)
        self._data.allow_query_by_status(function)
        function.add_to_role_policy(
            iam.PolicyStatement(sid="LookAtLaunchers", actions=["ecs:DescribeTasks"], resources=[self.tasks_arn])
        )
        events.Rule(
            self,
            "WatchTime",
            description="Looks for launchers that ended without an event",
            schedule=events.Schedule.rate(_WATCH_EVERY),
            # No dead letters: the next look finds the same.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _follower_environment(self) -> dict[Setting, str]:
        return {
            Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
            Setting.TASK_TABLE: self._data.task_table.table_name,
            Setting.RESULTS_BUCKET: self._data.results_bucket.bucket_name,
            Setting.JOB_LOG_GROUP: self._compute.job_logs.log_group_name,
        }

    def _allow_following(self, function: lambda_.Function) -> None:
        self._data.allow_items(function, self._data.launch_table, "UpdateItem")
        self._data.allow_items(function, self._data.task_table, "GetItem")
        self._data.allow_reading(function, self._data.results_bucket, _LAUNCHER_OBJECTS)
        self.machine.grant_task_response(function)

    # --- Events -----------------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        lost = DeadLetterQueue(
            self,
            "LostEvents",
            monitoring=self._data.monitoring,
            holds="a change of a launcher's task that did not reach its queue",
        )
        self._rule("TaskChanged", {"lastStatus": ["RUNNING", "STOPPED"]}, self._endings.queue, lost)
        self._rule(
            "TaskLackedNetwork",
            {
                "lastStatus": ["STOPPED"],
                "stopCode": [TASK_NEVER_RAN],
                "stoppedReason": [{"wildcard": fault} for fault in NETWORK_FAULTS],
            },
            self._launches.queue,
            lost,
        )

    def _rule(self, id_: str, detail: Mapping[str, Any], queue: sqs.IQueue, lost: DeadLetterQueue) -> None:
        events.Rule(
            self,
            id_,
            description="State changes of launchers' tasks",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"clusterArn": [self.cluster.cluster_arn], **detail},
            ),
            targets=[targets.SqsQueue(queue, dead_letter_queue=lost.queue, retry_attempts=_TRIES, max_event_age=_LOST)],
        )

    @property
    def tasks_arn(self) -> str:
        """Pattern of the ARNs of launchers' tasks."""
        return self.format_arn(service="ecs", resource="task", resource_name=f"{self.cluster.cluster_name}/*")

    def _buckets(self, id_: str, names: tuple[str, ...]) -> list[s3.IBucket]:
        return [s3.Bucket.from_bucket_name(self, f"{id_}{number}", name) for number, name in enumerate(names, start=1)]


def _consume(function: lambda_.Function, queue: sqs.Queue, concurrency: int) -> None:
    """Let a function take a queue's messages, ten at a time, and give back single ones."""
    queue.grant_consume_messages(function)
    function.add_event_source_mapping(
        "Messages",
        event_source_arn=queue.queue_arn,
        batch_size=10,
        max_concurrency=concurrency,
        report_batch_item_failures=True,
    )
