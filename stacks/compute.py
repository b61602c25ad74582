"""Elastic compute: a Spot and an On-Demand environment, each behind a queue of high and of low priority.

A regenie launch's file system lives in one zone, so each zone has these, and a launch takes one zone's. Jobs of
Snakemake launches are their users' programs, and have hosts of their own, in any zone (docs/decisions/082).
"""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from genolaunch.contract.compute import (
    MINUTES_ON_REPLACED_HOSTS,
    SNAKEMAKE_JOBS,
    ComputeService,
    Priority,
    job_queue_name,
)
from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from genolaunch.contract.settings import Parameter
from stacks.config import StageSettings
from stacks.constructs.job_hosts import JobHosts, job_hosts, prepared_image
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.stage_stack import StageStack
from stacks.network import NetworkStack

_QUEUE_PRIORITIES: Final = {Priority.HIGH: 100, Priority.LOW: 1}
"""Where queues share an environment, Batch serves the higher number first."""

_LONGEST_UPDATE_MINUTES: Final = 7200
"""AWS Batch API reference, UpdatePolicy: the most that jobs may still run on hosts that an update replaces."""

# The reasons for which Batch can be told to give up on a job; each is in the job's statusReason afterwards.
_STUCK: Final = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
)


_SERVICES: Final = (ComputeService.BATCH_SPOT, ComputeService.BATCH_ON_DEMAND)


class ComputeStack(StageStack):
    """Compute environments, queues, and the log groups of jobs."""

    def __init__(
        self, scope: Construct, *, settings: StageSettings, network: NetworkStack, monitoring: Monitoring
    ) -> None:
        super().__init__(scope, "compute", settings=settings, description="Batch compute of Genolaunch")
        self._network = network
        self.job_logs = monitoring.log_group(self, "JobLogs")
        """Of regenie's jobs and of launchers: who writes here is believed (lambdas/workflow_manager/parse_log.py)."""
        self.snakemake_job_logs = monitoring.log_group(self, "SnakemakeJobLogs")
        """Of users' programs, which may write to whichever stream of it (docs/decisions/089)."""
        self._prepared_image = prepared_image(self)
        # A queue made without a policy is first in, first out for ever.
        self._fair_share = batch.CfnSchedulingPolicy(
            self,
            "FairShare",
            # Launches have equal shares; what one used counts for an hour, so a small launch overtakes a large one.
            fairshare_policy=batch.CfnSchedulingPolicy.FairsharePolicyProperty(share_decay_seconds=3600),
        )
        self._environments: list[batch.CfnComputeEnvironment] = []
        regenie, snakemake = self._hosts_of_regenie(), self._hosts_of_snakemake()
        self.regenie_queue_arns = [
            arn
            for zone in settings.zones
            for service in _SERVICES
            for arn in self._make_queues(zone, service, regenie, [network.zone_subnet(zone)], _id(service, zone))
        ]
        subnets = [network.zone_subnet(zone) for zone in settings.zones]
        self.snakemake_queue_arns = [
            arn
            for service in _SERVICES
            for arn in self._make_queues(SNAKEMAKE_JOBS, service, snakemake, subnets, _id(SNAKEMAKE_JOBS, service))
        ]
        self._renew_images()
        self.publish(Parameter.JOB_QUEUES, self.to_json_string(self.queue_arns))
        self.publish(Parameter.JOB_LOG_GROUP, self.job_logs.log_group_name)

    @property
    def queue_arns(self) -> list[str]:
        """All queues."""
        return [*self.regenie_queue_arns, *self.snakemake_queue_arns]

    @property
    def queue_pattern(self) -> list[dict[str, str]]:
        """What the ARN of a queue of this stage matches in an event's pattern, and no other stage's does.

        A prefix a place, not the ARNs: a pattern has at most 2,048 characters (Amazon EventBridge quotas, "Event
        pattern size").
        """
        places = (*self.settings.zones, SNAKEMAKE_JOBS)
        return [{"prefix": f"{self._queues_start}-{place}-"} for place in places]

    @property
    def placements_setting(self) -> str:
        """Value of the functions' setting PLACEMENTS."""
        subnets = {zone: self._network.zone_subnet(zone).subnet_id for zone in self.settings.zones}
        return self.to_json_string({"queues": self._queues_start, "zones": subnets})

    @property
    def _queues_start(self) -> str:
        return self.format_arn(service="batch", resource="job-queue", resource_name=self.settings.prefix)

    def _hosts_of_regenie(self) -> JobHosts:
        return job_hosts(
            self,
            "",
            group=self._network.compute_group,
            environments=f"{self.settings.prefix}-{self.settings.region}*",  # their names go on with a zone
            mount_file_systems=True,
        )

    def _hosts_of_snakemake(self) -> JobHosts:
        return job_hosts(
            self,
            SNAKEMAKE_JOBS.capitalize(),
            group=self._network.snakemake_group,
            environments=f"{self.settings.prefix}-{SNAKEMAKE_JOBS}-*",
            mount_file_systems=False,
        )

    def _make_queues(
        self, place: str, service: ComputeService, hosts: JobHosts, subnets: Sequence[ec2.ISubnet], id_: str
    ) -> list[str]:
        """The ARNs of the queues of a new environment, one for each priority."""
        environment = self._make_environment(id_, f"{self.settings.prefix}-{place}-{service}", service, hosts, subnets)
        return [
            self._make_queue(id_, job_queue_name(self.settings.prefix, place, service, priority), priority, environment)
            for priority in Priority
        ]

    def _make_environment(
        self, id_: str, name: str, service: ComputeService, hosts: JobHosts, subnets: Sequence[ec2.ISubnet]
    ) -> batch.CfnComputeEnvironment:
        limits = self.settings.batch
        spot = service is ComputeService.BATCH_SPOT
        environment = batch.CfnComputeEnvironment(
            self,
            id_,
            compute_environment_name=name,
            type="MANAGED",
            state="ENABLED",
            # Changes of these properties then replace instances, and not the environment with its queues.
            replace_compute_environment=False,
            update_policy=batch.CfnComputeEnvironment.UpdatePolicyProperty(
                terminate_jobs_on_update=False, job_execution_timeout_minutes=MINUTES_ON_REPLACED_HOSTS
            ),
            compute_resources=batch.CfnComputeEnvironment.ComputeResourcesProperty(
                type="SPOT" if spot else "EC2",
                allocation_strategy="SPOT_PRICE_CAPACITY_OPTIMIZED" if spot else "BEST_FIT_PROGRESSIVE",
                bid_percentage=limits.spot_price_percent if spot else None,
                minv_cpus=0,
                maxv_cpus=limits.max_vcpus,
                instance_types=list(limits.instance_types),
                instance_role=hosts.profile.attr_arn,
                ec2_configuration=[
                    batch.CfnComputeEnvironment.Ec2ConfigurationObjectProperty(
                        image_type="ECS_AL2023", image_id_override=self._prepared_image
                    )
                ],
                update_to_latest_image_version=True,
                launch_template=batch.CfnComputeEnvironment.LaunchTemplateSpecificationProperty(
                    launch_template_id=hosts.template.launch_template_id,
                    version=hosts.template.latest_version_number,
                ),
                subnets=[subnet.subnet_id for subnet in subnets],
                security_group_ids=[hosts.group.security_group_id],
                # The environment's own tags do not reach its instances.
                tags={TAG_PROJECT: PROJECT, TAG_STAGE: self.settings.name, "Name": f"{self.settings.prefix}-{service}"},
            ),
        )
        self._environments.append(environment)
        return environment

    def _renew_images(self) -> None:
        """Once a week, hosts that start from then on are of the newest image of Batch.

        Batch never does so by itself: `updateToLatestImageVersion` holds for infrastructure updates, and this call is
        one (AWS Batch user guide, "Managing AMI versions in compute environments"). Nobody waits for it, so hosts are
        replaced once the longest job that may run on them is over, or after 120 hours, the longest that Batch waits:
        only a job that has then not ended yet is ended, and tried again from its beginning.
        """
        if self._prepared_image is not None:
            return  # its owner renews it
        role = iam.Role(
            self,
            "RenewalRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com").with_conditions(
                {"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="The schedule that renews the image of Batch's hosts",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="RenewOwnEnvironments",
                actions=["batch:UpdateComputeEnvironment"],
                resources=[each.attr_compute_environment_arn for each in self._environments],
            )
        )
        longest = min(60 * self.settings.job_timeout_hours, _LONGEST_UPDATE_MINUTES)
        for environment in self._environments:
            scheduler.CfnSchedule(
                self,
                f"Renew{environment.node.id}",
                description="Newest machine image for Batch's hosts",
                # In the night from Saturday to Sunday, not all at once.
                schedule_expression="cron(0 3 ? * SUN *)",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                    mode="FLEXIBLE", maximum_window_in_minutes=120
                ),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=f"arn:{self.partition}:scheduler:::aws-sdk:batch:updateComputeEnvironment",
                    role_arn=role.role_arn,
                    input=self.to_json_string(
                        {
                            "ComputeEnvironment": environment.attr_compute_environment_arn,
                            "ComputeResources": {"UpdateToLatestImageVersion": True},
                            "UpdatePolicy": {
                                "TerminateJobsOnUpdate": False,
                                "JobExecutionTimeoutMinutes": longest,
                            },
                        }
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3600 * 12, maximum_retry_attempts=20
                    ),
                ),
            )

    def _make_queue(self, id_: str, name: str, priority: Priority, environment: batch.CfnComputeEnvironment) -> str:
        """The ARN of a queue with one environment.

        Batch would let On-Demand follow Spot in one queue. Then a launch that asked for Spot could silently pay three
        times as much, and its estimate would be wrong: moving to On-Demand is the launch's decision, not the queue's.
        """
        queue = batch.CfnJobQueue(
            self,
            id_ + _id(priority),
            job_queue_name=name,
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


def _id(*words: str) -> str:
    return "".join(part.capitalize() for word in words for part in word.split("-"))
