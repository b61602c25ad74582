"""Clean-up: deletes the resources of a launch after every end; a sweep finds those that were missed."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from genolaunch.contract.metrics import Metric
from genolaunch.contract.project import PROJECT, TAG_LAUNCH_ID
from genolaunch.contract.settings import Setting
from genolaunch.contract.workflow import Workflow
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.permissions import look_up, made_by_stage
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import DeadLetterQueue
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine, executions_arn, follow_executions
from stacks.data import DataStack
from stacks.launch_rights import delete_launch_roles, launch_roles
from stacks.parallelcluster import SLURM, ParallelClusterStack
from stacks.regenie import JOBS, RegenieStack
from stacks.snakemake import SnakemakeStack
from stacks.tibanna import TibannaStack
from stacks.workflow_manager import LAUNCH, WorkflowManagerStack
from stacks.workflows import Workflows

CLEANUP: Final = "cleanup"

_ENDINGS: Final = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")

_SWEEP_EVERY: Final = Duration.minutes(15)
"""A forgotten file system of 1.2 TiB costs 6 cents in that time."""


class CleanupStack(StageStack):
    """The clean-up state machine and what starts it."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        compute: ComputeStack,
        workflow_manager: WorkflowManagerStack,
        workflows: Workflows,
        regenie: RegenieStack,
        snakemake: SnakemakeStack,
        tibanna: TibannaStack,
        cluster: ParallelClusterStack | None,
        bundling: BundlingTarget,
    ) -> None:
        super().__init__(scope, "cleanup", settings=settings, description="Deletes what Genolaunch's launches made")
        self._data = data
        self._compute = compute
        self._workflows = workflows
        self._regenie = regenie
        self._snakemake = snakemake
        self._tibanna = tibanna
        self._cluster = cluster
        self._functions = Capability(self, "cleanup", monitoring=data.monitoring, bundling=bundling)
        find_leftovers = self._make_find_leftovers()
        self.machine = self._make_machine(workflow_manager.settle_launch, find_leftovers)
        self._clean_up_after(workflow_manager.launch)
        self._sweep_on_schedule()

    def _make_find_leftovers(self) -> lambda_.Function:
        function = self._functions.function(
            "find_leftovers",
            description="Finds what the ended attempts of a launch left",
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.WORKFLOW_STATE_MACHINES: self.to_json_string(
                    {name: parts.machine.state_machine_arn for name, parts in self._workflows.items()}
                ),
                Setting.JOBS_STATE_MACHINE: self._regenie.jobs_machine.state_machine_arn,
                Setting.CLUSTER: self._snakemake.launcher.cluster.cluster_arn,
                Setting.TIBANNA_STATE_MACHINE: self._tibanna.machine.state_machine_arn,
                Setting.RESULTS_BUCKET: self._data.results_bucket.bucket_name,
                **({Setting.SLURM_STATE_MACHINE: self._cluster.machine.state_machine_arn} if self._cluster else {}),
            },
        )
        self._data.allow_items(function, self._data.launch_table, "GetItem")
        function.add_to_role_policy(
            look_up(
                "batch:ListJobs",
                "batch:DescribeJobs",
                "batch:DescribeJobDefinitions",
                "fsx:DescribeFileSystems",
                "fsx:DescribeDataRepositoryAssociations",
                "fsx:DescribeDataRepositoryTasks",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribeInstances",
                "iam:ListRoles",
                "iam:ListInstanceProfiles",
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhatLaunchesRolesHave",
                actions=["iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"],
                resources=[launch_roles(self)],
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhetherWorkflowsRun",
                actions=["states:DescribeExecution"],
                resources=[executions_arn(self, workflow) for workflow in Workflow],
            )
        )
        self._look_at_launchers(function)
        machines = [self._regenie.jobs_machine, self._tibanna.machine]
        for machine in [*machines, self._cluster.machine] if self._cluster else machines:
            machine.grant(function, "states:ListExecutions")
        return function

    def _look_at_launchers(self, function: lambda_.Function) -> None:
        for statement in (
            iam.PolicyStatement(
                sid="ListLaunchers",
                actions=["ecs:ListTasks"],
                resources=["*"],  # knows container instances only, which Fargate has none of: the cluster limits it
                conditions={"ArnEquals": {"ecs:cluster": self._snakemake.launcher.cluster.cluster_arn}},
            ),
            iam.PolicyStatement(
                sid="LookAtLaunchers", actions=["ecs:DescribeTasks"], resources=[self._snakemake.launcher.tasks_arn]
            ),
        ):
            function.add_to_role_policy(statement)

    def _make_sweep(self) -> lambda_.Function:
        function = self._functions.function(
            "sweep",
            description="Starts the clean-up of launches that are over and left resources behind; ends jobs "
            "that cannot start",
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
                Setting.CLEANUP_STATE_MACHINE: self.machine.state_machine_arn,
                Setting.SWEEP_GRACE_MINUTES: str(self.settings.sweep_grace_minutes),
                Setting.STUCK_MINUTES: str(self.settings.batch.stuck_minutes),
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.CLUSTER: self._snakemake.launcher.cluster.cluster_arn,
                Setting.NOTIFICATION_TOPIC: self._data.topic.topic_arn,
            },
        )
        self._data.allow_items(function, self._data.launch_table, "GetItem", "UpdateItem")
        function.add_to_role_policy(self._stop_jobs())
        function.add_to_role_policy(
            look_up(
                "batch:ListJobs",
                "batch:DescribeJobs",
                "batch:DescribeJobDefinitions",
                "fsx:DescribeFileSystems",
                "fsx:DescribeDataRepositoryAssociations",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribeInstances",
                "iam:ListRoles",
                "iam:ListInstanceProfiles",
            )
        )
        self._look_at_launchers(function)
        self.machine.grant_start_execution(function)
        self._data.topic.grant_publish(function)
        self._watch_what_stays()
        return function

    def _watch_what_stays(self) -> None:
        self._data.monitoring.alarm(
            self,
            "LeftoversStay",
            metric=cloudwatch.Metric(
                namespace=PROJECT,
                metric_name=Metric.LEFTOVERS_OVERDUE,
                dimensions_map={"stage": self.settings.name, "service": f"{CLEANUP}.sweep"},
                # What every sweep of an hour found has outlived the clean-up that the first of them started.
                period=Duration.hours(1),
                statistic="Minimum",
            ),
            threshold=1,
            description="Launches that are over have left resources behind that clean-up does not get rid of, "
            "and that may"
            " cost money. The sweep's notices say what it is.",
        )

    def _make_lost_endings(self) -> lambda_.Function:
        function = self._functions.function(
            "lost_endings",
            description="Starts the clean-up of launches whose execution ended without an event",
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
                Setting.CLEANUP_STATE_MACHINE: self.machine.state_machine_arn,
                Setting.SWEEP_GRACE_MINUTES: str(self.settings.sweep_grace_minutes),
            },
        )
        self._data.allow_query_by_status(function)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhetherLaunchesRun",
                actions=["states:DescribeExecution"],
                resources=[executions_arn(self, LAUNCH)],
            )
        )
        self.machine.grant_start_execution(function)
        return function

    def _make_machine(self, settle_launch: lambda_.Function, find_leftovers: lambda_.Function) -> sfn.StateMachine:
        cleanup = AslStateMachine(
            self,
            CLEANUP,
            monitoring=self._data.monitoring,
            description="Deletes what an ended attempt of a launch left",
            substitutions={
                "SettleLaunchFunctionArn": settle_launch.function_arn,
                "FindLeftoversFunctionArn": find_leftovers.function_arn,
                "ClusterArn": self._snakemake.launcher.cluster.cluster_arn,
                "UsageTableName": self._data.usage_table.table_name,
            },
        )
        self._data.allow_items(cleanup.role, self._data.usage_table, "PutItem")
        settle_launch.grant_invoke(cleanup.role)
        find_leftovers.grant_invoke(cleanup.role)
        if self._cluster:
            self._cluster.machine.grant_start_execution(cleanup.role)
            cleanup.allow(*follow_executions(self, SLURM))
        cleanup.allow(
            iam.PolicyStatement(
                sid="StopWorkflows",
                actions=["states:StopExecution"],
                resources=[
                    *(executions_arn(self, workflow) for workflow in (*Workflow, JOBS)),
                    *([executions_arn(self, SLURM)] if self._cluster else []),
                    self._tibanna.executions(),
                ],
            ),
            self._tibanna.end_instances(),
            iam.PolicyStatement(
                sid="StopLaunchers",
                actions=["ecs:StopTask"],
                resources=[self._snakemake.launcher.tasks_arn],
                conditions={"ArnEquals": {"ecs:cluster": self._snakemake.launcher.cluster.cluster_arn}},
            ),
            self._stop_jobs(),
            *delete_launch_roles(self),
            iam.PolicyStatement(
                sid="RetireJobDefinitions",
                actions=["batch:DeregisterJobDefinition"],
                resources=[self.format_arn(service="batch", resource="job-definition", resource_name="*")],
                conditions=made_by_stage(self),
            ),
            iam.PolicyStatement(
                sid="DeleteLaunchTemplates",
                actions=["ec2:DeleteLaunchTemplate"],
                resources=[self.format_arn(service="ec2", resource="launch-template", resource_name="*")],
                # The stage's own template has its tags too, but names no launch.
                conditions={**made_by_stage(self), "Null": {f"aws:ResourceTag/{TAG_LAUNCH_ID}": "false"}},
            ),
            iam.PolicyStatement(
                sid="ExportUnlinkAndDeleteFileSystems",
                actions=[
                    "fsx:CreateDataRepositoryTask",
                    "fsx:DeleteDataRepositoryAssociation",
                    "fsx:DeleteFileSystem",
                ],
                resources=[
                    self.format_arn(service="fsx", resource="file-system", resource_name="*"),
                    self.format_arn(service="fsx", resource="association", resource_name="*"),
                ],
                conditions=made_by_stage(self),
            ),
            iam.PolicyStatement(
                sid="MakeExports",
                # The new export has no tags yet; the file system that it belongs to must have them (above).
                actions=["fsx:CreateDataRepositoryTask"],
                resources=[self.format_arn(service="fsx", resource="task", resource_name="*")],
            ),
        )
        return cleanup.machine

    def _stop_jobs(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="StopJobs",
            actions=["batch:TerminateJob"],
            resources=[self.format_arn(service="batch", resource="job", resource_name="*")],
            conditions=made_by_stage(self),
        )

    def _clean_up_after(self, launch: sfn.StateMachine) -> None:
        dead_letters = DeadLetterQueue(
            self,
            "LostEndings",
            monitoring=self._data.monitoring,
            holds="the end of a launch that nothing was cleaned up after",
        )
        events.Rule(
            self,
            "LaunchEnded",
            description="Every ending of a launch execution, also those that no Catch sees",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [launch.state_machine_arn], "status": list(_ENDINGS)},
            ),
            targets=[
                targets.SfnStateMachine(
                    self.machine,
                    dead_letter_queue=dead_letters.queue,
                    retry_attempts=185,  # EventBridge's own most, within a day
                    max_event_age=Duration.hours(24),
                )
            ],
        )

    def _sweep_on_schedule(self) -> None:
        events.Rule(
            self,
            "SweepTime",
            description="Looks for what the clean-up missed",
            schedule=events.Schedule.rate(_SWEEP_EVERY),
            # No dead letters: the next round looks for the same things.
            targets=[
                targets.LambdaFunction(function, retry_attempts=0)
                for function in (self._make_sweep(), self._make_lost_endings())
            ],
        )
