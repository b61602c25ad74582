"""Estimates of launches before they start, and their budgets while they run."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from genolaunch.contract.settings import Setting
from stacks.compute import ComputeStack
from stacks.constructs.python_function import Capability
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack
from stacks.pricing_grants import PricingGrants

_WATCH_EVERY: Final = Duration.minutes(10)
"""A launch costs some dollars an hour, so it exceeds its budget by no more than the price of minutes."""


class Budgets:
    """The functions for budgets, in the stack of pricing."""

    def __init__(
        self,
        stack: StageStack,
        *,
        functions: Capability,
        grants: PricingGrants,
        data: DataStack,
        compute: ComputeStack,
        price_table_name: str,
    ) -> None:
        self._stack = stack
        self._functions = functions
        self._grants = grants
        self._data = data
        self._environment = {
            Setting.LAUNCH_TABLE: data.launch_table.table_name,
            Setting.PRICE_TABLE: price_table_name,
            Setting.PLACEMENTS: compute.placements_setting,
            Setting.NOTIFICATION_TOPIC: data.topic.topic_arn,
            Setting.EVENT_BUS: data.bus.event_bus_name,
        }
        self.estimate_cost = self._make_estimate_cost()
        self._watch()

    def _make_estimate_cost(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "estimate_cost",
            description="Estimates what a launch will cost, and holds one above its budget",
            timeout=Duration.minutes(2),
            memory_mib=512,
            environment={**self._environment, Setting.DATA_BUCKET: data.data_bucket.bucket_name},
        )
        readable = (data.data_bucket, *self._stack.import_readable_buckets())
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeHowLargeInputsAre",
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn for bucket in readable],
            )
        )
        data.allow_query_by_status(function)
        self._grants.prices(function)
        self._allow_telling(function)
        return function

    def _watch(self) -> None:
        stack, data = self._stack, self._data
        function = self._functions.function(
            "watch_budgets",
            description="Cancels, or warns of, running launches that passed their budget",
            timeout=Duration.minutes(5),
            memory_mib=512,
            environment={
                **self._environment,
                Setting.USAGE_TABLE: data.usage_table.table_name,
                Setting.JOB_VOLUME_GIB: str(stack.settings.batch.volume_gib),
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
            },
        )
        data.allow_query_by_status(function)
        self._grants.collecting(function, "fsx:DescribeFileSystems")
        self._grants.prices(function)
        self._allow_telling(function)
        events.Rule(
            stack,
            "BudgetTime",
            description="Looks at what running launches have cost so far",
            schedule=events.Schedule.rate(_WATCH_EVERY),
            # No dead-letter queue: the next round looks at the same launches.
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _allow_telling(self, function: lambda_.Function) -> None:
        """Allow to change a launch's status, and to report it."""
        data = self._data
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        data.bus.grant_put_events_to(function)
        data.topic.grant_publish(function)
