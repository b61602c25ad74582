"""The instances that carry Batch's jobs: what they may do, how they start, and of which machine image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm

from stacks.constructs.stage_stack import StageStack

FILE_SYSTEMS_FOLDER: Final = "/genolaunch"
"""On an instance, `<folder>/<file-system id>_<mount name>` is that file system, mounted when it is first entered."""

_SET_UP: Final = Path(__file__).parents[1] / "host" / "set_up.sh"


@dataclass(frozen=True, kw_only=True)
class JobHosts:
    """Hosts of one kind of jobs, which share nothing with those of another: role, template, security group."""

    profile: iam.CfnInstanceProfile
    template: ec2.LaunchTemplate
    group: ec2.ISecurityGroup


def job_hosts(
    stack: StageStack, prefix: str, *, group: ec2.ISecurityGroup, environments: str, mount_file_systems: bool
) -> JobHosts:
    """Args: `prefix` of the constructs' ids, `environments`: pattern of the names of their compute environments."""
    return JobHosts(
        profile=_instance_profile(stack, prefix, environments),
        template=_launch_template(stack, prefix, mount_file_systems=mount_file_systems),
        group=group,
    )


def _instance_profile(stack: StageStack, prefix: str, environments: str) -> iam.CfnInstanceProfile:
    """The ECS agent's permissions on the clusters of these environments."""
    # Batch names an environment's cluster AWSBatch-<environment>-<uuid> (managed policy BatchServiceRolePolicy).
    clusters = f"AWSBatch-{environments}"
    role = iam.Role(
        stack,
        f"{prefix}InstanceRole",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        description="ECS agent of Batch instances: images and logs are reached with the jobs' execution role",
    )
    role.add_to_policy(
        iam.PolicyStatement(
            sid="FindTheAgentsEndpoint",
            actions=["ecs:DiscoverPollEndpoint"],
            resources=["*"],  # the action knows no resources
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            sid="BeTheAgentOfAnInstance",
            actions=[
                "ecs:RegisterContainerInstance",
                "ecs:DeregisterContainerInstance",
                "ecs:UpdateContainerInstancesState",
                "ecs:Poll",
                "ecs:StartTelemetrySession",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            # Every job can have these permissions, since Batch gives it the host's network: neither another stage's
            # clusters, nor those of jobs of another kind, nor any other of the account are within them.
            resources=[
                stack.format_arn(service="ecs", resource="cluster", resource_name=clusters),
                stack.format_arn(service="ecs", resource="container-instance", resource_name=f"{clusters}/*"),
            ],
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            sid="RegisterWithTags",
            # Demanded of an agent that registers its instance with tags; nothing that exists can be tagged.
            actions=["ecs:TagResource"],
            resources=[stack.format_arn(service="ecs", resource="container-instance", resource_name=f"{clusters}/*")],
            conditions={"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}},
        )
    )
    if stack.settings.batch.session_manager:
        role.add_to_policy(
            iam.PolicyStatement(
                # What Session Manager takes of the managed policy AmazonSSMManagedInstanceCore, and no more of it:
                # no parameters, no inventory, no documents.
                sid="LetOperatorsLookIntoIt",
                actions=[
                    "ssm:UpdateInstanceInformation",
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                resources=["*"],  # an instance is known to Systems Manager only once it has called
            )
        )
    return iam.CfnInstanceProfile(stack, f"{prefix}InstanceProfile", roles=[role.role_name])


def _launch_template(stack: StageStack, prefix: str, *, mount_file_systems: bool) -> ec2.LaunchTemplate:
    """How a host starts: its set-up, its volume, and its metadata service."""
    script = _SET_UP.read_text(encoding="utf-8")
    script = script.replace("@FSX_DOMAIN@", f"fsx.{stack.region}.{stack.url_suffix}")
    script = script.replace("@FOLDER@", FILE_SYSTEMS_FOLDER)
    script = script.replace("@MOUNTS@", "yes" if mount_file_systems else "no")
    script = script.replace("@MOUNT_SECONDS@", str(3600 * (stack.settings.job_timeout_hours + 1)))
    # MIME multi-part, since Batch adds a part of its own and marks an environment INVALID otherwise.
    user_data = ec2.MultipartUserData()
    user_data.add_part(
        ec2.MultipartBody.from_raw_body(content_type='text/x-shellscript; charset="us-ascii"', body=script)
    )
    template = ec2.LaunchTemplate(
        stack,
        f"{prefix}Instance",
        require_imdsv2=True,
        # Nothing beyond the host. A job is not beyond it: Batch gives it the host's network (docs/security.md).
        http_put_response_hop_limit=1,
        user_data=user_data,
        block_devices=[
            ec2.BlockDevice(
                device_name="/dev/xvda",
                volume=ec2.BlockDeviceVolume.ebs(
                    stack.settings.batch.volume_gib,
                    # With the account's default key for EBS: EC2's own, unless the account has chosen another.
                    # A key of the stage's would need grants for every service that starts instances.
                    encrypted=True,
                    volume_type=ec2.EbsDeviceVolumeType.GP3,
                    delete_on_termination=True,
                ),
            )
        ],
    )
    Tags.of(template).add("Name", f"{stack.settings.prefix}-job-host")
    return template


def prepared_image(stack: StageStack) -> str | None:
    """The AMI that the stage's settings name, directly or by a public or own parameter; None for Batch's own."""
    named = stack.settings.batch.machine_images.get("x86_64")
    if named is None or named.startswith("ami-"):
        return named
    # A parameter of the template: CloudFormation reads it anew at each deployment.
    return ssm.StringParameter.value_for_typed_string_parameter_v2(
        stack, named, ssm.ParameterValueType.AWS_EC2_IMAGE_ID
    )
