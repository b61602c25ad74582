"""Rights of a launch that runs its author's programs: policies of the stage that are limited to the launch's own.

Each attempt of a Snakemake launch has roles of its own, made and deleted by the platform (docs/decisions/099). Whoever
makes them may attach these policies and no others, and writes none. What is the launch's they tell by the role's tags,
which IAM puts in for the variables below; without the tag nothing matches (IAM user guide, "IAM policy elements:
Variables and tags").
"""

from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from genolaunch.contract.launcher import LAUNCHER_FOLDER
from genolaunch.contract.project import TAG_ATTEMPT, TAG_LAUNCH_ID
from genolaunch.contract.results import RESULTS_PREFIX, WORK_REPORT
from genolaunch.contract.roles import RightsTag, launch_roles_path
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.permissions import look_up, tagged_for_stage
from stacks.constructs.queues import allow_sending
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack


def own(tag: RightsTag | str) -> str:
    """What the launch's role is tagged with."""
    return f"${{aws:PrincipalTag/{tag}}}"


OWN_LAUNCH: Final = own(TAG_LAUNCH_ID)
OWN_RUN: Final = own(RightsTag.RUN)
OWN_FOLDER: Final = own(RightsTag.DATA_FOLDER)


def launch_roles(stack: StageStack, kind: str = "role") -> str:
    """Pattern of the ARNs of all launches' roles, or instance profiles."""
    path = launch_roles_path(stack.settings.name).strip("/")
    return stack.format_arn(service="iam", region="", resource=kind, resource_name=f"{path}/*")


def launch_policy(scope: StageStack, id_: str, name: str, description: str) -> iam.ManagedPolicy:
    """A policy for launches' roles only. Statements are added as to a role."""
    return iam.ManagedPolicy(
        scope, id_, managed_policy_name=f"{scope.settings.prefix}-launch-{name}", description=description
    )


def pass_launch_roles(stack: StageStack, service: str, *more: iam.IRole) -> iam.PolicyStatement:
    """Hand launches' roles, and these, to one service."""
    return iam.PolicyStatement(
        sid="GiveLaunchesTheirRoles",
        actions=["iam:PassRole"],
        resources=[launch_roles(stack), *(role.role_arn for role in more)],
        conditions={"StringEquals": {"iam:PassedToService": service}},
    )


class LaunchRights(Construct):
    """`files`: for launchers and jobs; `launcher`: besides for launchers; `boundary`: what none of them goes beyond."""

    def __init__(
        self,
        scope: StageStack,
        *,
        settings: StageSettings,
        data: DataStack,
        compute: ComputeStack,
        records: sqs.IQueue,
        readable: Sequence[s3.IBucket],
        writable: Sequence[s3.IBucket],
    ) -> None:
        """`readable` and `writable`: buckets besides the stage's. `records`: the queue of what launchers say."""
        super().__init__(scope, "Rights")
        self._stack = scope
        self._settings = settings
        self._data = data
        self._compute = compute
        self.files = launch_policy(
            scope, "LaunchFiles", "files", "A launch with its author's programs: its own data, and what all may read"
        )
        self.launcher = launch_policy(
            scope, "LaunchLauncher", "launcher", "A launcher: its launch's own files, jobs and their logs"
        )
        self._allow_files(readable)
        self._allow_own_results()
        self._allow_jobs_of_batch()
        allow_sending(self.launcher, records)
        self.boundary = self._make_boundary(records, [*readable], [*writable])

    @property
    def boundary_arn(self) -> str:
        """Of each launch's role: the company's, if it has one, since a role has one boundary; else the stage's own.

        With the company's, the policies that may be attached say what the boundary would, and more narrowly.
        """
        company = self._settings.permissions_boundary
        if company is None:
            return self.boundary.managed_policy_arn
        return self._stack.format_arn(service="iam", region="", resource="policy", resource_name=company)

    # --- Files ------------------------------------------------------------------------------------------------------
    def _allow_files(self, readable: Sequence[s3.IBucket]) -> None:
        self.files.add_statements(
            iam.PolicyStatement(
                sid="OwnData",
                actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
                # The bucket is the stage's, or one of writable_buckets: the boundary knows no other.
                resources=[f"{self._own_bucket()}/{OWN_FOLDER}*"],
            ),
            _list_below(self._own_bucket(), OWN_FOLDER, "ListOwnData"),
        )
        self._data.allow_key_of_files(self.files)
        for bucket in readable:
            self._data.allow_reading(self.files, bucket)

    def _own_bucket(self) -> str:
        return self._stack.format_arn(
            service="s3",
            region="",
            account="",
            resource=own(RightsTag.DATA_BUCKET),
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )

    def _allow_own_results(self) -> None:
        """A launch may write what it says of itself; nobody believes it of another."""
        results = self._data.results_bucket
        own_folder = f"{RESULTS_PREFIX}{OWN_LAUNCH}/{LAUNCHER_FOLDER}"
        self.launcher.add_statements(
            iam.PolicyStatement(
                sid="OwnLauncherFiles",
                actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[results.arn_for_objects(f"{own_folder}*")],
            ),
            iam.PolicyStatement(
                sid="OwnReport",
                actions=["s3:PutObject"],
                resources=[results.arn_for_objects(f"{RESULTS_PREFIX}{OWN_LAUNCH}/{WORK_REPORT}")],
            ),
            _list_below(results.bucket_arn, own_folder, "ListOwnLauncherFiles"),
        )

    # --- Jobs on Batch ----------------------------------------------------------------------------------------------
    def _allow_jobs_of_batch(self) -> None:
        jobs = self._batch("job", "*")
        is_own = {f"aws:ResourceTag/{TAG_LAUNCH_ID}": OWN_LAUNCH, f"aws:ResourceTag/{TAG_ATTEMPT}": own(TAG_ATTEMPT)}
        tagged = {
            **tagged_for_stage(self._stack)["StringEquals"],
            f"aws:RequestTag/{TAG_LAUNCH_ID}": OWN_LAUNCH,
            f"aws:RequestTag/{TAG_ATTEMPT}": own(TAG_ATTEMPT),
        }
        self.launcher.add_statements(
            look_up("batch:DescribeJobs"),
            iam.PolicyStatement(
                sid="SubmitToOwnQueues",
                actions=["batch:SubmitJob"],
                resources=[self._batch("job-queue", own(tag)) for tag in (RightsTag.QUEUE, RightsTag.ON_DEMAND_QUEUE)],
                conditions={"StringEquals": {"batch:ShareIdentifier": own(RightsTag.SHARE)}},
            ),
            iam.PolicyStatement(
                sid="SubmitJobsOfOwnDefinition",
                actions=["batch:SubmitJob"],
                resources=[self._batch("job-definition", f"{OWN_RUN}:*")],
            ),
            iam.PolicyStatement(
                sid="MakeJobsOfOwnLaunch",
                actions=["batch:SubmitJob", "batch:TagResource"],
                resources=[jobs],
                conditions={
                    "StringEquals": tagged,
                    # A job that is there has tags: another launch's cannot be made one's own.
                    "StringEqualsIfExists": is_own,
                },
            ),
            iam.PolicyStatement(
                sid="StopJobsOfOwnLaunch",
                actions=["batch:TerminateJob"],
                resources=[jobs],
                conditions={"StringEquals": is_own},
            ),
            iam.PolicyStatement(
                sid="ReadLogsOfOwnJobs",
                actions=["logs:GetLogEvents"],
                resources=[self._streams(f"{OWN_LAUNCH}/*")],
            ),
        )

    def _batch(self, kind: str, name: str) -> str:
        return self._stack.format_arn(service="batch", resource=kind, resource_name=name)

    def _streams(self, pattern: str) -> str:
        return self._stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{self._compute.snakemake_job_logs.log_group_name}:log-stream:{pattern}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    # --- What none of them goes beyond ------------------------------------------------------------------------------
    def _make_boundary(
        self, records: sqs.IQueue, readable: Sequence[s3.IBucket], writable: Sequence[s3.IBucket]
    ) -> iam.ManagedPolicy:
        """The permissions boundary of launches' roles. It excludes identities, secrets, and the platform's tables,
        topics and parameters, even if another policy allows them."""
        data = self._data
        policy = launch_policy(self._stack, "LaunchBoundary", "boundary", "What no role of a launch goes beyond")
        at_work = [data.data_bucket, data.results_bucket, data.tibanna_logs, *writable]
        keys = [data.key.key_arn, *self._settings.bucket_key_arns]
        policy.add_statements(
            iam.PolicyStatement(
                sid="Files",
                actions=[
                    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListBucket"),
                    *("s3:PutObjectAcl", "s3:PutObjectTagging"),
                ],
                resources=[arn for bucket in at_work for arn in (bucket.bucket_arn, bucket.arn_for_objects("*"))],
            ),
            iam.PolicyStatement(
                sid="Keys",
                # All that DynamoDB asks of whoever uses a table with a customer's key (stacks/data.py, allow_items).
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=keys,
            ),
            iam.PolicyStatement(sid="Records", actions=["sqs:SendMessage"], resources=[records.queue_arn]),
            iam.PolicyStatement(
                sid="Jobs",
                actions=["batch:SubmitJob", "batch:TagResource", "batch:TerminateJob"],
                resources=[
                    *self._compute.snakemake_queue_arns,
                    self._batch("job", "*"),
                    self._batch("job-definition", "*"),
                ],
            ),
            iam.PolicyStatement(sid="JobLogs", actions=["logs:GetLogEvents"], resources=[self._streams("*")]),
            *self._tibannas_bounds(),
        )
        if readable:
            policy.add_statements(
                iam.PolicyStatement(
                    sid="FilesOfOthers",
                    actions=["s3:GetObject", "s3:ListBucket"],
                    resources=[arn for bucket in readable for arn in (bucket.bucket_arn, bucket.arn_for_objects("*"))],
                )
            )
        return policy

    def _tibannas_bounds(self) -> list[iam.PolicyStatement]:
        stack = self._stack
        unicorn = f"tibanna_unicorn_genolaunch_{self._settings.name}"
        return [
            iam.PolicyStatement(
                sid="Unicorn",
                actions=["states:StartExecution", "states:DescribeExecution", "states:StopExecution"],
                resources=[
                    stack.format_arn(
                        service="states",
                        resource=resource,
                        arn_format=ArnFormat.NO_RESOURCE_NAME,
                    )
                    for resource in (
                        f"stateMachine:{unicorn}",
                        f"stateMachine:{unicorn}_costupdater",
                        f"execution:{unicorn}:*",
                    )
                ],
            ),
            iam.PolicyStatement(
                sid="UnicornsTable",
                actions=["dynamodb:DescribeTable", "dynamodb:PutItem"],
                resources=[self._data.tibanna_table.table_arn],
            ),
            iam.PolicyStatement(
                sid="Instances",
                actions=["ec2:TerminateInstances"],
                resources=[stack.format_arn(service="ec2", resource="instance", resource_name="*")],
                conditions={"StringEquals": {"ec2:ResourceTag/Type": "awsem"}},
            ),
            iam.PolicyStatement(
                sid="ImagesAndLookingUp",
                actions=[
                    *("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
                    *("ecr:BatchImportUpstreamImage", "ecr:CreateRepository", "ecr:GetAuthorizationToken"),
                    *("batch:DescribeJobs", "ec2:DescribeInstances", "ec2:DescribeSpotInstanceRequests"),
                    "cloudwatch:PutMetricData",
                ],
                resources=["*"],  # most know no resources; the policies that are attached name the repositories
            ),
        ]


def _list_below(bucket_arn: str, folder: str, sid: str) -> iam.PolicyStatement:
    """Names of what lies in a folder. Without a prefix nothing is listed, so S3 answers 403 for what is missing."""
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucket"],
        resources=[bucket_arn],
        conditions={"StringLike": {"s3:prefix": f"{folder}*"}},
    )


def make_launch_roles(stack: StageStack, boundary: str, policies: Sequence[str]) -> list[iam.PolicyStatement]:
    """Make roles of launches: within the boundary, with these policies and no others, tagged from the beginning."""
    roles, profiles = launch_roles(stack), launch_roles(stack, "instance-profile")
    tagged: dict[str, Any] = tagged_for_stage(stack)
    return [
        iam.PolicyStatement(
            sid="MakeRolesWithinTheBoundary",
            actions=["iam:CreateRole"],
            resources=[roles],
            conditions={"StringEquals": {"iam:PermissionsBoundary": boundary, **tagged["StringEquals"]}},
        ),
        iam.PolicyStatement(
            sid="AttachTheStagesPolicies",
            actions=["iam:AttachRolePolicy"],
            resources=[roles],
            conditions={
                "ArnEquals": {"iam:PolicyARN": list(policies)},
                "StringEquals": {"iam:PermissionsBoundary": boundary},
            },
        ),
        iam.PolicyStatement(sid="TagThemAtBirth", actions=["iam:TagRole"], resources=[roles], conditions=tagged),
        iam.PolicyStatement(sid="LookAtThem", actions=["iam:GetRole"], resources=[roles]),
        iam.PolicyStatement(
            sid="MakeTheirProfiles",
            actions=["iam:CreateInstanceProfile", "iam:GetInstanceProfile", "iam:AddRoleToInstanceProfile"],
            resources=[profiles],
        ),
        iam.PolicyStatement(
            sid="PutThemIntoProfiles",
            # AddRoleToInstanceProfile hands the role to EC2 (IAM user guide, "Using instance profiles").
            actions=["iam:PassRole"],
            resources=[roles],
        ),
    ]


def delete_launch_roles(stack: StageStack) -> list[iam.PolicyStatement]:
    """Delete what make_launch_roles allows to make."""
    return [
        iam.PolicyStatement(
            sid="DeleteRolesOfLaunches",
            actions=["iam:DetachRolePolicy", "iam:DeleteRole"],
            resources=[launch_roles(stack)],
        ),
        iam.PolicyStatement(
            sid="DeleteTheirProfiles",
            actions=["iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"],
            resources=[launch_roles(stack, "instance-profile")],
        ),
    ]
