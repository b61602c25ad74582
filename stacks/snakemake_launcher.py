"""The launcher of Snakemake launches: the ECS task, where it runs, and what it may do in AWS."""

from collections.abc import Iterable

from aws_cdk import Annotations, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from genolaunch.contract.launcher import (
    LAUNCHER_COMMAND,
    LAUNCHER_CONTAINER,
    LAUNCHER_HOME,
    LAUNCHER_STOP_SECONDS,
    LAUNCHER_USER,
)
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.container_image import image_uri
from stacks.constructs.stage_stack import StageStack
from stacks.network import NetworkStack


class LauncherTask(Construct):
    """`role` may do nothing: each launch's launcher is started with its launch's own (stacks/launch_rights.py)."""

    def __init__(
        self,
        scope: StageStack,
        *,
        settings: StageSettings,
        network: NetworkStack,
        compute: ComputeStack,
        pullers: Iterable[iam.IGrantable],
    ) -> None:
        """`pullers`: who else runs the launcher's image."""
        super().__init__(scope, "Launcher")
        self._settings = settings
        self.security_group = self._make_security_group(network)
        self.execution_role = self._make_role("ExecutionRole", "ECS agent, for a launcher: its image and its log")
        compute.job_logs.grant_write(self.execution_role)
        self.image = image_uri(
            scope, "Image", settings.snakemake.image, folder="snakemake", pullers=[self.execution_role, *pullers]
        )
        self.role = self._make_role("Role", "A launcher without a launch: nothing")
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            cluster_name=f"{settings.prefix}-launchers",
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self.definition = self._make_definition(compute)
        self.tasks_arn = scope.format_arn(
            service="ecs", resource="task", resource_name=f"{self.cluster.cluster_name}/*"
        )
        """Pattern of the ARNs of launchers' tasks."""

    def _make_security_group(self, network: NetworkStack) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="Launchers: out by HTTPS (AWS, images, sources of conda), in from nowhere",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and package servers")
        return group

    def _make_role(self, id_: str, description: str) -> iam.Role:
        return iam.Role(self, id_, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"), description=description)

    def _credentials(self) -> secretsmanager.ISecret | None:
        """Of the private registry of the launcher's image, if it is in one: the execution role may read them then."""
        registry = self._settings.snakemake.image.partition("/")[0]
        known = self._settings.images.registry_credentials if self._settings.images else {}
        if registry not in known:
            return None
        return secretsmanager.Secret.from_secret_complete_arn(self, "Registry", known[registry])

    def _make_definition(self, compute: ComputeStack) -> ecs.FargateTaskDefinition:
        sizes = self._settings.snakemake
        definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"{self._settings.prefix}-launcher",
            cpu=sizes.cpu,
            memory_limit_mib=sizes.memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=self.role,
            execution_role=self.execution_role,
            # Its owner is that of the folder in the image, which declares it as a volume: otherwise it would be root's
            # (Amazon ECS developer guide, "Use bind mounts").
            volumes=[ecs.Volume(name="work")],
        )
        Annotations.of(definition).acknowledge_warning(
            "@aws-cdk/aws-ecs:ecrImageRequiresPolicy", "image_uri lets the execution role pull what the settings name"
        )
        container = definition.add_container(
            LAUNCHER_CONTAINER,
            image=ecs.ContainerImage.from_registry(self.image, credentials=self._credentials()),
            command=list(LAUNCHER_COMMAND),
            essential=True,
            user=LAUNCHER_USER,
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(LAUNCHER_STOP_SECONDS),
            environment={"HOME": LAUNCHER_HOME, "TMPDIR": LAUNCHER_HOME},
            logging=ecs.LogDrivers.aws_logs(stream_prefix=LAUNCHER_CONTAINER, log_group=compute.job_logs),
        )
        container.add_mount_points(ecs.MountPoint(source_volume="work", container_path=LAUNCHER_HOME, read_only=False))
        return definition
