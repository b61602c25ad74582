"""Provenance: what a launch ran, read and wrote is described when it is over."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from genolaunch.contract.launch_bucket import LAUNCH_PREFIX, SNAKEFILES_PREFIX
from genolaunch.contract.provenance import CRATE, CRATE_FOLDER
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.settings import Setting
from genolaunch.contract.workflow import Workflow
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import executions_arn
from stacks.data import DataStack

_LAUNCH: Final = "launch"
"""The state machine that starts the workflows'."""


class Provenance(Construct):
    """The function `describe_run`, in the stack of pricing, whose state machine invokes it."""

    def __init__(self, stack: StageStack, *, data: DataStack, bundling: BundlingTarget) -> None:
        super().__init__(stack, "Provenance")
        self._stack = stack
        self._data = data
        self.describe_run = self._make(Capability(self, "provenance", monitoring=data.monitoring, bundling=bundling))

    def _make(self, functions: Capability) -> lambda_.Function:
        data = self._data
        function = functions.function(
            "describe_run",
            description="Describes a launch that is over as an RO-Crate",
            timeout=Duration.minutes(10),  # a million objects are a thousand pages of S3's listing
            memory_mib=512,
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name,
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_reading(function, data.results_bucket, RESULTS_PREFIX)
        for path in (CRATE, CRATE_FOLDER):
            data.allow_writing(function, data.results_bucket, f"{RESULTS_PREFIX}*/{path}")
        for prefix in (LAUNCH_PREFIX, SNAKEFILES_PREFIX):
            data.allow_reading(function, data.launch_bucket, prefix)
        # Where launches work that write beside their inputs; what others read, their planning recorded.
        for bucket in (data.data_bucket, *self._writable_buckets()):
            data.allow_listing(function, bucket)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="ReadTheWorkflowThatRan",
                actions=["states:DescribeStateMachineForExecution"],
                resources=[executions_arn(self._stack, workflow) for workflow in (*Workflow, _LAUNCH)],
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhichImageATagIs",
                actions=["ecr:DescribeImages"],
                # Launches name images with their tools themselves.
                resources=[self._stack.format_arn(service="ecr", resource="repository", resource_name="*")],
            )
        )
        return function

    def _writable_buckets(self) -> list[s3.IBucket]:
        names = self._stack.settings.writable_buckets
        return [s3.Bucket.from_bucket_name(self, f"Writable{n}", name) for n, name in enumerate(names, start=1)]
