"""The policy with everything that the command line needs, and the role of the test after a deployment."""

from typing import Final

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from genolaunch.contract.launch import STATUS_INDEX
from genolaunch.contract.launch_bucket import (
    FEEDBACK_PREFIX,
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    SNAKEFILES_PREFIX,
    SOURCES_PREFIX,
)
from genolaunch.contract.project import PROJECT
from genolaunch.contract.results import RESULTS_PREFIX
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.permissions import look_up
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack
from stacks.team_access import BY_HAND, CONFIG_BY_HAND, team_files, team_launches, team_logs, touching

SMOKE_TEST: Final = "smoke-test"
"""Ends the names of the role in the stage's account, and of the pipeline's role that takes it on."""


def smoke_test_role_name(stage: str) -> str:
    """Given and not generated: the pipeline's account and the stage's must each name the other's role."""
    return f"{PROJECT}-{stage}-{SMOKE_TEST}"


def smoke_tester_role_name(stage: str) -> str:
    """The role of the pipeline's build that runs a stage's smoke test."""
    return f"{PROJECT}-pipeline-{stage}-{SMOKE_TEST}"


class AccessStack(StageStack):
    """The launchers' policy: attach it to the roles or permission sets of those who launch."""

    def __init__(
        self, scope: Construct, *, settings: StageSettings, data: DataStack, compute: ComputeStack, tester: str | None
    ) -> None:
        """`tester`: the account whose pipeline tries the stage after each deployment, if any does."""
        super().__init__(scope, "access", settings=settings, description="What people need who launch with Genolaunch")
        self._data = data
        self._compute = compute
        self.launchers = iam.ManagedPolicy(
            self,
            "Launchers",
            managed_policy_name=f"{settings.prefix}-launchers",
            description=f"Submit, follow, cancel and retry launches of {settings.prefix}, and fetch their results",
            statements=[*self._of_the_stage(), *(self._of_a_team() if settings.teams else self._of_everybody())],
        )
        if tester is not None:
            self._make_smoke_test_role(tester)

    def _make_smoke_test_role(self, tester: str) -> None:
        builder = f"arn:{self.partition}:iam::{tester}:role/{smoke_tester_role_name(self.settings.name)}"
        iam.Role(
            self,
            "SmokeTest",
            role_name=smoke_test_role_name(self.settings.name),
            description="Launches a tiny GWAS after a deployment",
            # The account and not the role: the role is made after this one, and AWS refuses principals it cannot find.
            assumed_by=iam.AccountPrincipal(tester).with_conditions({"ArnEquals": {"aws:PrincipalArn": builder}}),
            managed_policies=[self.launchers],
            max_session_duration=Duration.hours(2),
        )

    def _of_everybody(self) -> list[iam.PolicyStatement]:
        return [*self._files(), *self._launches(), *self._progress()]

    def _of_a_team(self) -> list[iam.PolicyStatement]:
        return [
            *team_files(self._data),
            *team_launches(self, self._data),
            team_logs(self, self._compute.job_logs.log_group_name),
            # Batch cannot limit them: teams see that there are jobs of others, and their launches' names.
            look_up("batch:ListJobs", "batch:DescribeJobs"),
        ]

    def _of_the_stage(self) -> list[iam.PolicyStatement]:
        parameters = [
            self.format_arn(
                service="ssm",
                resource="parameter",
                resource_name=f"{PROJECT}/{self.settings.name}{below}",
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )
            for below in ("", "/*")
        ]
        return [
            iam.PolicyStatement(sid="FindTheStage", actions=["ssm:GetParametersByPath"], resources=parameters),
            # Of itself it opens nothing: what it encrypts is read and written by the statements that follow.
            iam.PolicyStatement(
                sid="UseTheStagesKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._data.key.key_arn],
            ),
        ]

    def _files(self) -> list[iam.PolicyStatement]:
        data = self._data
        buckets = (data.launch_bucket, data.data_bucket, data.results_bucket)
        return [
            iam.PolicyStatement(
                sid="ListFiles", actions=["s3:ListBucket"], resources=[bucket.bucket_arn for bucket in buckets]
            ),
            iam.PolicyStatement(
                sid="DropLaunchesAndData",
                actions=["s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[
                    *(
                        data.launch_bucket.arn_for_objects(f"{prefix}*")
                        for prefix in (LAUNCH_PREFIX, SNAKEFILES_PREFIX, SOURCES_PREFIX, REQUESTS_PREFIX)
                    ),
                    data.data_bucket.arn_for_objects("*"),
                ],
            ),
            iam.PolicyStatement(
                # S3 has no lesser right to an object's metadata and checksum, by which is known whose project a
                # Snakefile is, and whether a file is in the bucket already (S3 API reference, HeadObject).
                sid="ReadAnswersSourcesDataAndResults",
                actions=["s3:GetObject"],
                resources=[
                    *(
                        data.launch_bucket.arn_for_objects(f"{prefix}*")
                        for prefix in (FEEDBACK_PREFIX, SNAKEFILES_PREFIX, SOURCES_PREFIX)
                    ),
                    data.data_bucket.arn_for_objects("*"),
                    data.results_bucket.arn_for_objects(f"{RESULTS_PREFIX}*"),
                ],
            ),
        ]

    def _named(self, service: str, resource: str, name: str) -> str:
        """ARN of something of a later stack, by its name in this stage."""
        return self.format_arn(
            service=service,
            resource=resource,
            resource_name=f"{self.settings.prefix}-{name}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _launches(self) -> list[iam.PolicyStatement]:
        launches, tasks = self._data.launch_table.table_arn, self._data.task_table.table_arn
        return [
            iam.PolicyStatement(
                sid="SeeLaunches",
                actions=["dynamodb:GetItem", "dynamodb:Query"],
                resources=[launches, f"{launches}/index/{STATUS_INDEX}", tasks],
            ),
            iam.PolicyStatement(
                sid="EstimateLaunches",
                actions=["lambda:InvokeFunction"],
                resources=[self._named("lambda", "function", "benchmark-estimate-cost")],
            ),
            iam.PolicyStatement(
                sid="AskForPricesAgain",
                actions=["states:StartExecution"],
                resources=[self._named("states", "stateMachine", "benchmark")],
            ),
            *self._by_hand(launches),
        ]

    def _by_hand(self, launches: str) -> list[iam.PolicyStatement]:
        """In the table's console, where nobody is told who did it: so not where that decides what is allowed."""
        if self.settings.four_eyes_approval:
            return []
        return [
            iam.PolicyStatement(
                sid="AskForChangesByHand",
                actions=["dynamodb:UpdateItem"],
                resources=[launches],
                conditions=touching(*BY_HAND, CONFIG_BY_HAND),
            )
        ]

    def _progress(self) -> list[iam.PolicyStatement]:
        executions = self.format_arn(
            service="states",
            resource=f"execution:{self.settings.prefix}-*",
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )
        return [
            iam.PolicyStatement(
                sid="SeeSteps",
                actions=["states:DescribeExecution", "states:GetExecutionHistory"],
                resources=[executions],
            ),
            iam.PolicyStatement(
                sid="ReadJobLogs",
                actions=["logs:FilterLogEvents"],
                resources=[
                    self._compute.job_logs.log_group_arn,
                    self._compute.snakemake_job_logs.log_group_arn,
                ],
            ),
            look_up("batch:ListJobs", "batch:DescribeJobs"),
        ]
