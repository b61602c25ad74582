"""Elastic compute: in each zone a Spot and an On-Demand environment, each behind a queue of high and of low priority.

A launch's file system lives in one zone, so everything here is made per zone and a launch takes one zone's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Tags
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract import PROJECT, TAG_PROJECT, TAG_STAGE, ComputeService, Parameter, Priority
from stacks.config import StageSettings
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.stage_stack import StageStack
from stacks.network import NetworkStack

FILE_SYSTEMS_FOLDER: Final = "/genolaunch"
"""On an instance, `<folder>/<file-system id>_<mount name>` is that file system, mounted when it is first entered."""

_SET_UP: Final = Path(__file__).parent / "host" / "set_up.sh"

_QUEUE_PRIORITIES: Final = {Priority.HIGH: 100, Priority.LOW: 1}
"""Where queues share an environment, Batch serves the higher number first."""

# The reasons for which Batch can be told to give up on a job; each is in the job's statusReason afterwards.
_STUCK: Final = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where one launch can run: a zone, its subnet and its queues (`batch-spot/high` -> ARN)."""

    zone: str
    subnet_id: str
    queues: dict[str, str]


class ComputeStack(StageStack):
    """Compute environments, queues, and the log group of all jobs."""

    def __init__(
        self, scope: Construct, *, settings: StageSettings, network: NetworkStack, monitoring: Monitoring
    ) -> None:
        super().__init__(scope, "compute", settings=settings, description="Batch compute of Genolaunch")
        self._network = network
        self.job_logs = monitoring.log_group(self, "JobLogs", name=f"/{PROJECT}/{settings.name}/jobs")
        self._instance_profile = self._make_instance_profile()
        self._launch_template = self._make_launch_template()
        # A queue made without a policy is first in, first out for ever.
        self._fair_share = batch.CfnSchedulingPolicy(
            self,
            "FairShare",
            # Launches have equal shares; what one used counts for an hour, so a small launch overtakes a large one.
            fairshare_policy=batch.CfnSchedulingPolicy.FairsharePolicyProperty(share_decay_seconds=3600),
        )
        self.placements = tuple(self._make_placement(zone) for zone in settings.zones)
        self.publish(Parameter.JOB_QUEUES, self.to_json_string(self.queue_arns))
        self.publish(Parameter.JOB_LOG_GROUP, self.job_logs.log_group_name)

    @property
    def queue_arns(self) -> list[str]:
        """All queues of all zones."""
        return [arn for placement in self.placements for arn in placement.queues.values()]

    @property
    def queue_pattern(self) -> list[dict[str, str]]:
        """What the ARN of a queue of this stage matches in an event's pattern, and no other stage's does.

        A prefix a zone, not the ARNs: a pattern has at most 2,048 characters (Amazon EventBridge quotas, "Event pattern
        size").
        """
        return [
            {"prefix": self.format_arn(service="batch", resource="job-queue", resource_name=self._queue_names(zone))}
            for zone in self.settings.zones
        ]

    @property
    def placements_setting(self) -> str:
        """Value of the functions' setting PLACEMENTS."""
        return self.to_json_string(
            [{"zone": place.zone, "subnetId": place.subnet_id, "queues": place.queues} for place in self.placements]
        )

    def _make_instance_profile(self) -> iam.CfnInstanceProfile:
        role = iam.Role(
            self,
            "InstanceRole",
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
                # Batch makes one cluster for each environment and chooses its name.
                resources=[
                    self.format_arn(service="ecs", resource="cluster", resource_name="*"),
                    self.format_arn(service="ecs", resource="container-instance", resource_name="*"),
                ],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="RegisterWithTags",
                # Demanded of an agent that registers its instance with tags; nothing that exists can be tagged.
                actions=["ecs:TagResource"],
                resources=[self.format_arn(service="ecs", resource="container-instance", resource_name="*")],
                conditions={"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}},
            )
        )
        return iam.CfnInstanceProfile(self, "InstanceProfile", roles=[role.role_name])

    def _make_launch_template(self) -> ec2.LaunchTemplate:
        script = _SET_UP.read_text(encoding="utf-8")
        script = script.replace("@FSX_DOMAIN@", f"fsx.{self.region}.{self.url_suffix}")
        script = script.replace("@FOLDER@", FILE_SYSTEMS_FOLDER)
        # MIME multi-part, since Batch adds a part of its own and marks an environment INVALID otherwise.
        user_data = ec2.MultipartUserData()
        user_data.add_part(
            ec2.MultipartBody.from_raw_body(content_type='text/x-shellscript; charset="us-ascii"', body=script)
        )
        template = ec2.LaunchTemplate(
            self,
            "Instance",
            require_imdsv2=True,
            http_put_response_hop_limit=1,  # the host only: a container has its job role, not the instance's
            user_data=user_data,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        self.settings.batch.volume_gib,
                        # With EC2's own key: a customer key would need grants for every service that starts instances.
                        encrypted=True,
                        volume_type=ec2.EbsDeviceVolumeType.GP3,
                        delete_on_termination=True,
                    ),
                )
            ],
        )
        Tags.of(template).add("Name", f"{self.settings.prefix}-job-host")
        return template

    def _make_placement(self, zone: str) -> Placement:
        subnet = self._network.zone_subnet(zone)
        queues: dict[str, str] = {}
        for service in (ComputeService.BATCH_SPOT, ComputeService.BATCH_ON_DEMAND):
            environment = self._make_environment(zone, service, subnet)
            for priority in Priority:
                queues[f"{service}/{priority}"] = self._make_queue(zone, service, priority, environment)
        return Placement(zone=zone, subnet_id=subnet.subnet_id, queues=queues)

    def _make_environment(self, zone: str, service: ComputeService, subnet: ec2.ISubnet) -> batch.CfnComputeEnvironment:
        limits = self.settings.batch
        spot = service is ComputeService.BATCH_SPOT
        return batch.CfnComputeEnvironment(
            self,
            _id(service, zone),
            type="MANAGED",
            state="ENABLED",
            # Changes of these properties then replace instances, and not the environment with its queues.
            replace_compute_environment=False,
            update_policy=batch.CfnComputeEnvironment.UpdatePolicyProperty(
                terminate_jobs_on_update=False, job_execution_timeout_minutes=7200
            ),
            compute_resources=batch.CfnComputeEnvironment.ComputeResourcesProperty(
                type="SPOT" if spot else "EC2",
                allocation_strategy="SPOT_PRICE_CAPACITY_OPTIMIZED" if spot else "BEST_FIT_PROGRESSIVE",
                bid_percentage=limits.spot_price_percent if spot else None,
                minv_cpus=0,
                maxv_cpus=limits.max_vcpus,
                instance_types=list(limits.instance_types),
                instance_role=self._instance_profile.attr_arn,
                ec2_configuration=[batch.CfnComputeEnvironment.Ec2ConfigurationObjectProperty(image_type="ECS_AL2023")],
                update_to_latest_image_version=True,
                launch_template=batch.CfnComputeEnvironment.LaunchTemplateSpecificationProperty(
                    launch_template_id=self._launch_template.launch_template_id,
                    version=self._launch_template.latest_version_number,
                ),
                subnets=[subnet.subnet_id],
                security_group_ids=[self._network.compute_group.security_group_id],
                # The environment's own tags do not reach its instances.
                tags={TAG_PROJECT: PROJECT, TAG_STAGE: self.settings.name, "Name": f"{self.settings.prefix}-{service}"},
            ),
        )

    def _make_queue(
        self, zone: str, service: ComputeService, priority: Priority, environment: batch.CfnComputeEnvironment
    ) -> str:
        """The ARN of a queue with one environment.

        Batch would let On-Demand follow Spot in one queue. Then a launch that asked for Spot could silently pay three
        times as much, and its estimate would be wrong: moving to On-Demand is the launch's decision, not the queue's.
        """
        queue = batch.CfnJobQueue(
            self,
            _id(service, zone, priority),
            job_queue_name=f"{self._queue_names(zone)}{service}-{priority}",
            priority=_QUEUE_PRIORITIES[priority],
            state="ENABLED",
            scheduling_policy_arn=self._fair_share.attr_arn,
            compute_environment_order=[
                batch.CfnJobQueue.ComputeEnvironmentOrderProperty(
                    compute_environment=environment.attr_compute_environment_arn, order=1
                )
            ],
            # A job that cannot start fails and says why, instead of waiting for ever.
            job_state_time_limit_actions=[
                batch.CfnJobQueue.JobStateTimeLimitActionProperty(
                    action="CANCEL",
                    state="RUNNABLE",
                    reason=reason,
                    max_time_seconds=60 * self.settings.batch.stuck_minutes,
                )
                for reason in _STUCK
            ],
        )
        return queue.attr_job_queue_arn

    def _queue_names(self, zone: str) -> str:
        """With which the names of a zone's queues begin."""
        return f"{self.settings.prefix}-{zone}-"


def _id(*words: str) -> str:
    return "".join(part.capitalize() for word in words for part in word.split("-"))
