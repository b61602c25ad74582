"""Benchmarking: what launches use is recorded while they run, and priced and described when they are over."""

from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from genolaunch.contract.cost import PRICED_PREFIX, PRICED_STATUSES, CostStatus
from genolaunch.contract.launch import LaunchField
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.settings import Parameter, Setting
from genolaunch.contract.workflow import Workflow
from stacks.compute import ComputeStack
from stacks.config import PricingSource, StageSettings
from stacks.constructs.permissions import look_up
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.queues import QueueWithDeadLetters, allow_polling
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine, executions_arn
from stacks.constructs.stream_pipe import StreamPipe
from stacks.data import DataStack
from stacks.pricing_budgets import Budgets
from stacks.pricing_grants import PricingGrants
from stacks.provenance import Provenance
from stacks.snakemake import SnakemakeStack

BENCHMARK: Final = "benchmark"
"""What stack, state machine and functions are called in AWS: deployed stages keep their names."""

_RECORDING_TIMEOUT: Final = Duration.minutes(2)

_EVENTS_AT_ONCE: Final = 100
"""Events for which ECS or EC2 is asked together, so that an array of 10,000 jobs needs about a hundred calls."""

_WAIT_FOR_MORE: Final = Duration.seconds(10)

_RECORDERS: Final = 4
"""Invocations at once: look-ups share the account's limits with Batch itself."""

_RETRY_EVERY: Final = Duration.hours(1)
"""The cause is either short (throttling) or needs people (a permission), so an hour is enough."""


class PricingStack(StageStack):
    """Pricing: recorder, pipe, state machine, and the cache of unit prices."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        compute: ComputeStack,
        snakemake: SnakemakeStack,
        bundling: BundlingTarget,
    ) -> None:
        super().__init__(scope, BENCHMARK, settings=settings, description="Tells what Genolaunch's launches cost")
        self._data = data
        self._compute = compute
        self._functions = Capability(
            self, "pricing", monitoring=data.monitoring, bundling=bundling, deployed_as=BENCHMARK
        )
        self._price_table = self._make_price_table()
        self._grants = PricingGrants(self, data=data, snakemake=snakemake, price_table=self._price_table)
        self.estimate_cost = Budgets(
            self,
            functions=self._functions,
            grants=self._grants,
            data=data,
            compute=compute,
            price_table_name=self._price_table.table_name,
        ).estimate_cost
        self._record_usage()
        describe_run = Provenance(self, data=data, bundling=bundling).describe_run
        pricing = self._make_machine(self._make_collect_usage(), self._make_price_launch(), describe_run)
        self.machine = pricing.machine
        StreamPipe(
            self,
            "Ended",
            monitoring=data.monitoring,
            table=data.launch_table,
            machine=self.machine,
            pattern=ENDED_AND_NOT_PRICED,
            execution_input={
                LaunchField.LAUNCH_ID: f"<$.dynamodb.NewImage.{LaunchField.LAUNCH_ID}.S>",
                LaunchField.ATTEMPT: f"<$.dynamodb.NewImage.{LaunchField.ATTEMPT}.N>",
            },
        )
        self._retry_on_schedule()
        self.publish(Parameter.BENCHMARK_STATE_MACHINE, self.machine.state_machine_arn)

    def _make_price_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "UnitPrices",
            partition_key=dynamodb.Attribute(name="product", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiresAt",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._data.key,
            # A cache: what is lost is read again.
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=self.removal,
        )

    # --- Recording ---------------------------------------------------------------------------------------------------
    def _record_usage(self) -> None:
        queue = QueueWithDeadLetters(
            self,
            "UsageEvents",
            monitoring=self._data.monitoring,
            holds="an event that tells what a launch uses",
            consumer_timeout=_RECORDING_TIMEOUT,
            oldest=Duration.minutes(15),
        )
        function = self._make_record_usage()
        allow_polling(function, queue.queue)
        function.add_event_source_mapping(
            "Events",
            event_source_arn=queue.queue.queue_arn,
            batch_size=_EVENTS_AT_ONCE,
            max_batching_window=_WAIT_FOR_MORE,
            max_concurrency=_RECORDERS,
            report_batch_item_failures=True,
        )
        for id_, description, pattern in self._usage_events():
            events.Rule(
                self,
                id_,
                description=description,
                event_pattern=pattern,
                # What EventBridge cannot hand over within a day is looked up when the launch is priced.
                targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters.queue)],
            )

    def _usage_events(self) -> Sequence[tuple[str, str, events.EventPattern]]:
        # Down to the hyphen: another stage's name may begin with this one's.
        clusters: dict[str, Any] = {
            "prefix": self.format_arn(service="ecs", resource="cluster", resource_name=f"{self.settings.prefix}-")
        }
        return (
            (
                "JobRuns",
                "Jobs of the stage that run or have ended",
                events.EventPattern(
                    source=["aws.batch"],
                    detail_type=["Batch Job State Change"],
                    detail={"jobQueue": self._compute.queue_pattern, "status": ["RUNNING", "SUCCEEDED", "FAILED"]},
                ),
            ),
            (
                "TaskRuns",
                "Fargate tasks of the stage that run or have ended",
                events.EventPattern(
                    source=["aws.ecs"],
                    detail_type=["ECS Task State Change"],
                    detail={
                        "clusterArn": [clusters],
                        "launchType": ["FARGATE"],
                        "lastStatus": ["RUNNING", "STOPPED"],
                    },
                ),
            ),
            (
                "InstanceRuns",
                # These events have no tags: the recorder passes over what is no launch's.
                "Instances that run or end",
                events.EventPattern(
                    source=["aws.ec2"],
                    detail_type=["EC2 Instance State-change Notification"],
                    detail={"state": ["running", "shutting-down", "terminated"]},
                ),
            ),
            (
                "InstancesTakenBack",
                "Spot instances that EC2 takes back",
                events.EventPattern(source=["aws.ec2"], detail_type=["EC2 Spot Instance Interruption Warning"]),
            ),
        )

    def _make_record_usage(self) -> lambda_.Function:
        function = self._functions.function(
            "record_usage",
            description="Records what launches use, while AWS still has the details",
            timeout=_RECORDING_TIMEOUT,
            environment={Setting.USAGE_TABLE: self._data.usage_table.table_name},
        )
        self._grants.recording(function)
        return function

    # --- Pricing -----------------------------------------------------------------------------------------------------
    def _make_collect_usage(self) -> lambda_.Function:
        function = self._functions.function(
            "collect_usage",
            description="Completes what a launch used, and says whether it is over",
            timeout=Duration.minutes(10),
            memory_mib=512,
            environment={
                Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
                Setting.USAGE_TABLE: self._data.usage_table.table_name,
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.RESULTS_BUCKET: self._data.results_bucket.bucket_name,
            },
        )
        self._data.allow_items(function, self._data.launch_table, "GetItem")
        self._grants.collecting(function)
        return function

    def _make_price_launch(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "price_launch",
            description="Makes the bill of a launch that is over",
            timeout=Duration.minutes(5),
            memory_mib=512,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.USAGE_TABLE: data.usage_table.table_name,
                Setting.PRICE_TABLE: self._price_table.table_name,
                Setting.JOB_VOLUME_GIB: str(self.settings.batch.volume_gib),
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.ANALYTICS_BUCKET: data.analytics_bucket.bucket_name,
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        self._grants.reading_usage(function)
        self._grants.prices(function)
        data.allow_writing(function, data.results_bucket, RESULTS_PREFIX)
        data.allow_writing(function, data.analytics_bucket, PRICED_PREFIX)
        # The report, which gets its section about the cost.
        data.allow_reading(function, data.results_bucket, RESULTS_PREFIX)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="ReadHowLongStepsTook",
                actions=["states:GetExecutionHistory"],
                resources=[executions_arn(self, workflow) for workflow in Workflow],
            )
        )
        return function

    def _make_machine(
        self, collect_usage: lambda_.Function, price_launch: lambda_.Function, describe_run: lambda_.Function
    ) -> AslStateMachine:
        reconcile = self._make_reconcile() if self.settings.pricing is PricingSource.COST_EXPLORER else None
        pricing = AslStateMachine(
            self,
            BENCHMARK,
            monitoring=self._data.monitoring,
            description="Prices a launch that is over",
            substitutions={
                "LaunchTableName": self._data.launch_table.table_name,
                "CollectUsageFunctionArn": collect_usage.function_arn,
                "PriceLaunchFunctionArn": price_launch.function_arn,
                "DescribeRunFunctionArn": describe_run.function_arn,
                # Never invoked where nothing is reconciled.
                "ReconcileFunctionArn": reconcile.function_arn if reconcile else "none",
                "PricedStatus": str(CostStatus.PENDING if reconcile else CostStatus.PRICED),
            },
        )
        for function in (collect_usage, price_launch, describe_run, *([reconcile] if reconcile else [])):
            function.grant_invoke(pricing.role)
        self._data.allow_items(pricing.role, self._data.launch_table, "UpdateItem")
        return pricing

    def _make_reconcile(self) -> lambda_.Function:
        function = self._functions.function(
            "reconcile",
            description="Compares what launches cost by their bills with what AWS billed the stage",
            timeout=Duration.minutes(4),
            environment={Setting.LAUNCH_TABLE: self._data.launch_table.table_name},
        )
        self._data.allow_items(function, self._data.launch_table, "GetItem")
        self._data.allow_query_by_status(function)
        function.add_to_role_policy(look_up("ce:GetCostAndUsage"))
        return function

    def _retry_on_schedule(self) -> None:
        function = self._functions.function(
            "retry_pricing",
            description="Prices launches again whose price is unknown",
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: self._data.launch_table.table_name,
                Setting.BENCHMARK_STATE_MACHINE: self.machine.state_machine_arn,
            },
        )
        self._data.allow_query_by_status(function)
        self._data.allow_items(function, self._data.launch_table, "UpdateItem")
        self.machine.grant_start_execution(function)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhetherPricingRuns",
                actions=["states:DescribeExecution"],
                resources=[executions_arn(self, BENCHMARK)],
            )
        )
        events.Rule(
            self,
            "RetryTime",
            description="Prices again what could not be priced",
            schedule=events.Schedule.rate(_RETRY_EVERY),
            # No dead letters: the next round looks for the same launches.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )


def _absent() -> dict[str, Any]:
    # `exists` works on leaves only: the attribute's value, not the attribute.
    return {"S": [{"exists": False}]}


ENDED_AND_NOT_PRICED: Final[dict[str, Any]] = {
    "dynamodb": {
        "NewImage": {
            LaunchField.STATUS: {"S": [str(status) for status in PRICED_STATUSES]},
            LaunchField.TOTAL_COST: _absent(),
            LaunchField.COST_STATUS: _absent(),
        }
    }
}
"""Pipe filter: a launch that is over and has no price. Everything that **benchmark** writes has a costStatus, so that
the pipe ignores its writes."""
