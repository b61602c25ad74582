"""Engine `aws-batch` of Snakemake launches: what its jobs may do in AWS, and what a launcher may do with them."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from contract import TAG_WORKFLOW, SnakemakeEngine, Workflow
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.container_image import PULL, PULL_THROUGH, cache_repositories, image_uri, private_registries
from stacks.constructs.job_permissions import define_jobs, job_definitions, make_tagged_jobs
from stacks.constructs.permissions import look_up, made_by_stage
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack
from stacks.snakemake import SnakemakeStack


class SnakemakeBatchStack(StageStack):
    """The jobs' roles and image. Their queues and hosts are of their own (stacks/compute.py)."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        compute: ComputeStack,
        snakemake: SnakemakeStack,
    ) -> None:
        super().__init__(
            scope, "snakemake-batch", settings=settings, description="Snakemake launches of Genolaunch on AWS Batch"
        )
        self._data = data
        self._compute = compute
        self._job_role = self._make_job_role()
        self._execution_role = self._make_execution_role()
        image = image_uri(
            self,
            "Image",
            settings.snakemake.batch_image,
            folder="snakemake",
            target="snakemake9",
            pullers=[self._execution_role],
        )
        for statement in self._launcher_statements():
            snakemake.launcher.role.add_to_policy(statement)
        snakemake.workflow.allow(*self._definition_statements())
        snakemake.add_engine(
            SnakemakeEngine.AWS_BATCH,
            {
                "containerImage": image,
                "jobRoleArn": self._job_role.role_arn,
                "executionRoleArn": self._execution_role.role_arn,
                "jobLogGroup": compute.snakemake_job_logs.log_group_name,
                "registryCredentials": private_registries(self, self._execution_role),
            },
        )

    def _make_job_role(self) -> iam.Role:
        """A job is a call of Snakemake: it needs what the S3 storage plugin asks (docs/decisions/011)."""
        role = self._make_role("JobRole", "A Snakemake job: the workflow's files in S3")
        settings = self.settings
        for bucket in self._buckets("Readable", settings.readable_buckets):
            self._data.allow_reading(role, bucket)
        for bucket in (self._data.data_bucket, *self._buckets("Writable", settings.writable_buckets)):
            self._data.allow_working(role, bucket)
        return role

    def _make_execution_role(self) -> iam.Role:
        role = self._make_role("ExecutionRole", "ECS agent, for a Snakemake job: its image and its log")
        self._compute.snakemake_job_logs.grant_write(role)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="PullImagesOfThisAccount",
                actions=list(PULL),
                # Launches name the image with their rules' tools themselves, so which repository is not known here.
                resources=[self.format_arn(service="ecr", resource="repository", resource_name="*")],
            )
        )
        if caches := cache_repositories(self):
            role.add_to_policy(
                iam.PolicyStatement(sid="PullThroughTheCaches", actions=list(PULL_THROUGH), resources=caches)
            )
        role.add_to_policy(
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])  # knows no resources
        )
        return role

    def _make_role(self, id_: str, description: str) -> iam.Role:
        return iam.Role(self, id_, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"), description=description)

    def _buckets(self, id_: str, names: tuple[str, ...]) -> list[s3.IBucket]:
        return [s3.Bucket.from_bucket_name(self, f"{id_}{number}", name) for number, name in enumerate(names, start=1)]

    def _launcher_statements(self) -> list[iam.PolicyStatement]:
        """A launcher runs its user's own Python: it may submit jobs of definitions for Snakemake, and define none."""
        jobs = self.format_arn(service="batch", resource="job", resource_name="*")
        of_snakemake = {f"aws:ResourceTag/{TAG_WORKFLOW}": Workflow.SNAKEMAKE.value}
        return [
            look_up("batch:DescribeJobs"),
            iam.PolicyStatement(
                sid="SubmitToOwnQueues", actions=["batch:SubmitJob"], resources=self._compute.snakemake_queue_arns
            ),
            iam.PolicyStatement(
                sid="SubmitJobsOfSnakemakesDefinitions",
                actions=["batch:SubmitJob"],
                resources=[job_definitions(self)],
                conditions={"StringEquals": {**made_by_stage(self)["StringEquals"], **of_snakemake}},
            ),
            make_tagged_jobs(self),
            iam.PolicyStatement(
                sid="StopSnakemakesJobs",
                actions=["batch:TerminateJob"],
                resources=[jobs],
                conditions={"StringEquals": {**made_by_stage(self)["StringEquals"], **of_snakemake}},
            ),
            iam.PolicyStatement(
                sid="ReadJobLogs",
                actions=["logs:GetLogEvents"],
                resources=[self._compute.snakemake_job_logs.log_group_arn],
            ),
        ]

    def _definition_statements(self) -> list[iam.PolicyStatement]:
        """For the state machine: one definition an attempt, never a privileged one."""
        # Of any image: a launch may name one, which holds its rules' tools.
        return define_jobs(self, "DefineSnakemakeJobs", [self._job_role, self._execution_role])
