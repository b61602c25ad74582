"""Launches on an existing AWS ParallelCluster with Slurm: scripts on its head node, by Systems Manager."""

from typing import Final

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from genolaunch.contract.settings import Setting
from stacks.config import ParallelClusterSettings, StageSettings
from stacks.constructs.permissions import look_up
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack

SLURM: Final = "slurm"
"""The state machine that runs a phase's jobs on the cluster."""


class ParallelClusterStack(StageStack):
    """The state machine **slurm** and its function. The cluster itself is not part of the stage."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        cluster: ParallelClusterSettings,
        data: DataStack,
        bundling: BundlingTarget,
    ) -> None:
        super().__init__(
            scope, "parallelcluster", settings=settings, description="Genolaunch's launches on a Slurm cluster"
        )
        self._data = data
        self._cluster = cluster
        functions = Capability(self, "regenie", monitoring=data.monitoring, bundling=bundling)
        plan_slurm_jobs = self._make_plan_slurm_jobs(functions)
        slurm = AslStateMachine(
            self,
            SLURM,
            monitoring=data.monitoring,
            failures_are_users=True,
            description="The jobs of one phase of a launch, on a Slurm cluster",
            substitutions={"PlanSlurmJobsFunctionArn": plan_slurm_jobs.function_arn, "ClusterName": cluster.cluster},
        )
        plan_slurm_jobs.grant_invoke(slurm.role)
        slurm.allow(*self._head_node_statements())
        self.machine = slurm.machine

    @property
    def setting(self) -> str:
        """The setting PARALLELCLUSTER of functions (genolaunch.contract.settings.Setting)."""
        return self.to_json_string(
            {
                "shared_folder": self._cluster.shared_folder,
                "user": self._cluster.user,
                "partition": self._cluster.partition,
                "on_demand_partition": self._cluster.on_demand_partition or self._cluster.partition,
                "container": self._cluster.container,
                "most_array_jobs": self._cluster.most_array_jobs,
            }
        )

    def _make_plan_slurm_jobs(self, functions: Capability) -> lambda_.Function:
        function = functions.function(
            "plan_slurm_jobs",
            description="Says what is run on the cluster's head node, at first and after failures",
            timeout=Duration.minutes(1),
            environment={
                Setting.TASK_TABLE: self._data.task_table.table_name,
                Setting.PARALLELCLUSTER: self.setting,
                Setting.JOB_TIMEOUT_HOURS: str(self.settings.job_timeout_hours),
            },
        )
        self._data.allow_items(function, self._data.task_table, "BatchWriteItem", "PutItem")
        return function

    def _head_node_statements(self) -> list[iam.PolicyStatement]:
        return [
            look_up("ec2:DescribeInstances"),
            iam.PolicyStatement(
                sid="CommandTheHeadNode",
                actions=["ssm:SendCommand"],
                resources=[self.format_arn(service="ec2", resource="instance", resource_name="*")],
                # Both tags are ParallelCluster's own: of this cluster's nodes, the head node alone.
                conditions={
                    "StringEquals": {
                        "ssm:resourceTag/parallelcluster:cluster-name": self._cluster.cluster,
                        "ssm:resourceTag/parallelcluster:node-type": "HeadNode",
                    }
                },
            ),
            iam.PolicyStatement(
                sid="ByShellScript",
                actions=["ssm:SendCommand"],
                resources=[
                    self.format_arn(
                        service="ssm",
                        account="",  # a document of AWS
                        resource="document",
                        resource_name="AWS-RunShellScript",
                        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
                    )
                ],
            ),
            iam.PolicyStatement(
                sid="ReadTheAnswer",
                actions=["ssm:GetCommandInvocation"],
                resources=["*"],  # the action knows no resources (Service Authorization Reference)
            ),
        ]
