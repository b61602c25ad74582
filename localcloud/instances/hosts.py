"""Puts Batch's jobs on instances of the fleet, as their compute environments say."""

import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from localcloud.batch.definitions import resource
from localcloud.batch.job import Job
from localcloud.instances.fleet import Fleet, HostSettings, Instance

_DEFAULT_VOLUME_GIB: Final = 30
"""Of the ECS-optimised Amazon Linux image, when no launch template says otherwise."""


class FleetHosts:
    """Implements localcloud.batch.hosts.Hosts."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        environment_of: Callable[[str], Mapping[str, Any] | None],
        ec2: Callable[[], Any],
    ) -> None:
        """`environment_of` a queue's ARN: its compute environment. `ec2`: a client of this cloud, made at first use."""
        self._fleet = fleet
        self._environment_of = environment_of
        self._ec2 = ec2
        self._settings: dict[str, HostSettings] = {}
        self._lock = threading.Lock()
        self._hosts: dict[str, Instance] = {}

    def place(self, job: Job) -> str:
        """ARN of the container instance on which the job's next attempt runs."""
        environment = self._environment_of(job.spec.queue_arn) or {}
        instance = self._fleet.place(self._settings_of(environment), *_needs(job))
        with self._lock:
            self._hosts[instance.arn] = instance
        return instance.arn

    def release(self, job: Job, container_instance_arn: str, *, lost: bool) -> None:
        """The attempt has ended; `lost`: its Spot instance was taken back."""
        instance = self._hosts[container_instance_arn]
        if lost:
            self._fleet.take_back(instance)
        self._fleet.release(instance, *_needs(job))

    def _settings_of(self, environment: Mapping[str, Any]) -> HostSettings:
        arn = environment.get("computeEnvironmentArn", "")
        known = self._settings.get(arn)
        if known is None:
            known = self._settings[arn] = self._read_settings(environment)
        return known

    def _read_settings(self, environment: Mapping[str, Any]) -> HostSettings:
        resources = environment.get("computeResources", {})
        return HostSettings(
            cluster=environment.get("ecsClusterArn", "localcloud").rpartition("/")[2],
            types=tuple(resources.get("instanceTypes", ("optimal",))),
            is_spot=resources.get("type") == "SPOT",
            zone=self._zone(resources.get("subnets", ())),
            tags=dict(resources.get("tags", {})),
            volume_gib=self._volume_gib(resources.get("launchTemplate", {}).get("launchTemplateId")),
        )

    def _zone(self, subnets: "list[str]") -> str:
        found = self._ec2().describe_subnets(SubnetIds=[subnets[0]])["Subnets"]
        return str(found[0]["AvailabilityZone"])

    def _volume_gib(self, template: str | None) -> int:
        if template is None:
            return _DEFAULT_VOLUME_GIB
        versions = self._ec2().describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        sizes = [each["Ebs"].get("VolumeSize") for each in data.get("BlockDeviceMappings", ()) if "Ebs" in each]
        return int(next((size for size in sizes if size), _DEFAULT_VOLUME_GIB))


def _needs(job: Job) -> tuple[Decimal, Decimal]:
    """vCPUs and MiB that the job asks for."""
    container = job.spec.container
    vcpus = resource(container, "VCPU") or container.get("vcpus", 1)
    memory = resource(container, "MEMORY") or container.get("memory", 512)
    return Decimal(str(vcpus)), Decimal(str(memory))
