"""Engine `aws-batch` of Snakemake launches: with what ECS starts its jobs, which have their launch's own role."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from genolaunch.contract.workflow import SnakemakeEngine
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.container_image import PULL, PULL_THROUGH, cache_repositories, image_uri, private_registries
from stacks.constructs.job_permissions import define_jobs
from stacks.constructs.stage_stack import StageStack
from stacks.launch_rights import launch_roles
from stacks.snakemake import SnakemakeStack


class SnakemakeBatchStack(StageStack):
    """The jobs' execution role and image. Their queues and hosts are of their own (stacks/compute.py)."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        compute: ComputeStack,
        snakemake: SnakemakeStack,
    ) -> None:
        super().__init__(
            scope, "snakemake-batch", settings=settings, description="Snakemake launches of Genolaunch on AWS Batch"
        )
        self._compute = compute
        self._execution_role = self._make_execution_role()
        image = image_uri(
            self,
            "Image",
            settings.snakemake.batch_image,
            folder="snakemake",
            target="snakemake9",
            pullers=[self._execution_role],
        )
        snakemake.workflow.allow(*self._definition_statements())
        snakemake.add_engine(
            SnakemakeEngine.AWS_BATCH,
            {
                "containerImage": image,
                "executionRoleArn": self._execution_role.role_arn,
                "jobLogGroup": compute.snakemake_job_logs.log_group_name,
                "registryCredentials": private_registries(self, self._execution_role),
            },
        )

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

    def _definition_statements(self) -> list[iam.PolicyStatement]:
        """For the state machine: one definition an attempt, never a privileged one."""
        # Of any image: a launch may name one, which holds its rules' tools.
        return define_jobs(self, "DefineSnakemakeJobs", [self._execution_role.role_arn, launch_roles(self)])
