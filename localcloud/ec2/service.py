"""The operations of EC2 that are answered here, or whose answers by ministack are added to."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.etree import ElementTree

from botocore.exceptions import ClientError

from localcloud.ec2.encryption import EncryptionByDefault
from localcloud.ec2.injections import Injections
from localcloud.ec2.machines import Machine, Machines
from localcloud.ec2.user_data import Job, job_of
from localcloud.ec2_query import NAMESPACE, element, listed, members, xml
from localcloud.interceptor import Interceptor, Own
from localcloud.wire import Answer, Request

_TEMPLATE: Final = "LaunchTemplateConfigs.1.LaunchTemplateSpecification"
_OVERRIDES: Final = "LaunchTemplateConfigs.1.Overrides"

_REFUSALS: Final = {
    "InsufficientInstanceCapacity": "There is no Spot capacity available that matches your request.",
    "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded",
    "VcpuLimitExceeded": "You have requested more vCPU capacity than your current vCPU limit allows for the instance "
    "bucket that the specified instance type belongs to.",
}
"""EC2's own words for some of its codes."""


class Ec2Service:
    """Fleets of type `instant`, what becomes of the instances that they start, and encryption by default."""

    def __init__(self, *, machines: Machines, injections: Injections, clients: Callable[[str], Any]) -> None:
        """`clients`: a boto3 client of this cloud by a service's name."""
        self._machines = machines
        self.injections = injections
        self.encryption = EncryptionByDefault()
        self._clients = clients
        self._fleets: dict[str, str] = {}
        self._answers: Mapping[str, Callable[[Mapping[str, str], Own], Answer]] = {
            "CreateFleet": self._create_fleet,
            "DeleteFleets": self._delete_fleets,
            "DescribeInstances": self._describe_instances,
            "TerminateInstances": self._terminate_instances,
        }

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """What is answered here of what ministack is asked for."""
        return (
            Interceptor("ec2", frozenset(self._answers), self._answer),
            Interceptor("ec2", self.encryption.OPERATIONS, self.encryption.answer),
        )

    def _answer(self, request: Request, own: Own) -> Answer:
        given = members(request)
        return self._answers[given["Action"]](given, own)

    def _create_fleet(self, given: Mapping[str, str], _own: Own) -> Answer:
        fleet = f"fleet-{secrets.token_hex(16)}"
        is_spot = given.get("TargetCapacitySpecification.DefaultTargetCapacityType") == "spot"
        lifecycle = "spot" if is_spot else "on-demand"
        template = self._template(given)
        if template is None:
            return _refused(fleet, lifecycle, "InvalidLaunchTemplate", "The launch template does not exist.")
        job = job_of(template.get("UserData", ""), self._clients("s3"))
        code = self.injections.refusal(job.run_name, is_spot=is_spot) if job else None
        if code:
            return _refused(fleet, lifecycle, code, _REFUSALS.get(code, "There is no capacity available."))
        if not self._has_profile(template.get("IamInstanceProfile", {})):
            return _refused(fleet, lifecycle, "InvalidParameterValue", "Invalid IAM Instance Profile ARN")
        instance = self._launch(given, template)
        self._fleets[fleet] = instance["InstanceId"]
        if job:
            role = self._role(template.get("IamInstanceProfile", {}))
            self._machines.start(self._machine(instance, job, is_spot, role))
        body = (
            element("launchTemplateAndOverrides", "")
            + element("lifecycle", lifecycle)
            + f"<instanceIds>{element('item', instance['InstanceId'])}</instanceIds>"
            + element("instanceType", instance["InstanceType"])
        )
        return xml(
            "CreateFleet", f"{element('fleetId', fleet)}<fleetInstanceSet><item>{body}</item></fleetInstanceSet>"
        )

    def _template(self, given: Mapping[str, str]) -> dict[str, Any] | None:
        name = given.get(f"{_TEMPLATE}.LaunchTemplateName", "")
        try:
            versions = self._clients("ec2").describe_launch_template_versions(
                LaunchTemplateName=name, Versions=[given.get(f"{_TEMPLATE}.Version", "$Latest")]
            )
        except ClientError:
            return None
        data: dict[str, Any] = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        return data

    def _launch(self, given: Mapping[str, str], template: Mapping[str, Any]) -> dict[str, Any]:
        """The first override's instance: all of them are to be had here."""
        first = {
            key: given[f"{_OVERRIDES}.1.{key}"]
            for key in ("InstanceType", "SubnetId", "ImageId")
            if f"{_OVERRIDES}.1.{key}" in given
        }
        optional = {
            key: template[key] for key in ("SecurityGroupIds", "UserData", "IamInstanceProfile") if template.get(key)
        }
        launched = self._clients("ec2").run_instances(
            MinCount=1, MaxCount=1, TagSpecifications=template.get("TagSpecifications", []), **optional, **first
        )
        instance: dict[str, Any] = launched["Instances"][0]
        return instance

    def _has_profile(self, profile: Mapping[str, str]) -> bool:
        """Whether the template names none, or one that is there."""
        try:
            self._role(profile)
        except ClientError:
            return False
        return True

    def _role(self, profile: Mapping[str, str]) -> str | None:
        name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
        if not name:
            return None
        roles = self._clients("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return str(roles[0]["Arn"]) if roles else None

    def _machine(self, instance: Mapping[str, Any], job: Job, is_spot: bool, role: str | None) -> Machine:
        return Machine(
            id=instance["InstanceId"],
            instance_type=instance["InstanceType"],
            zone=instance["Placement"]["AvailabilityZone"],
            is_spot=is_spot,
            job=job,
            is_reclaimed=is_spot and self.injections.is_reclaimed(job.run_name),
            role=role,
        )

    def _delete_fleets(self, given: Mapping[str, str], _own: Own) -> Answer:
        # A fleet that got nothing has nothing to be ended, and it is that which Tibanna deletes.
        items = ""
        for fleet in listed(given, "FleetId"):
            instance = self._fleets.pop(fleet, None)
            if instance and given.get("TerminateInstances") == "true":
                self._clients("ec2").terminate_instances(InstanceIds=[instance])
            states = element("currentFleetState", "deleted_terminating") + element("previousFleetState", "active")
            items += f"<item>{element('fleetId', fleet)}{states}</item>"
        return xml("DeleteFleets", f"<successfulFleetDeletionSet>{items}</successfulFleetDeletionSet>")

    def _terminate_instances(self, given: Mapping[str, str], own: Own) -> Answer:
        answer = own()
        if answer[0] == 200:
            for instance in listed(given, "InstanceId"):
                self._machines.end(instance)
        return answer

    def _describe_instances(self, _given: Mapping[str, str], own: Own) -> Answer:
        status, headers, body = own()
        if status != 200:
            return status, headers, body
        ElementTree.register_namespace("", NAMESPACE)
        root = ElementTree.fromstring(body)  # noqa: S314 - written by this very process
        for instance in root.iter(f"{{{NAMESPACE}}}instancesSet"):
            for item in instance:
                self._add_to(item)
        return status, headers, ElementTree.tostring(root)

    def _add_to(self, item: ElementTree.Element) -> None:
        instance_id = item.findtext(f"{{{NAMESPACE}}}instanceId", "")
        market = self._machines.market(instance_id)
        if market:
            ElementTree.SubElement(item, f"{{{NAMESPACE}}}instanceLifecycle").text = market
        state = item.findtext(f"{{{NAMESPACE}}}instanceState/{{{NAMESPACE}}}name", "")
        reason = self._machines.state_reason(instance_id)
        if reason and state == "terminated":
            element = ElementTree.SubElement(item, f"{{{NAMESPACE}}}stateReason")
            ElementTree.SubElement(element, f"{{{NAMESPACE}}}code").text = reason[0]
            ElementTree.SubElement(element, f"{{{NAMESPACE}}}message").text = f"{reason[0]}: {reason[1]}"


def _refused(fleet: str, lifecycle: str, code: str, message: str) -> Answer:
    """A fleet of type `instant` exists even when it got no instance: its errors say why."""
    error = element("lifecycle", lifecycle) + element("errorCode", code) + element("errorMessage", message)
    return xml("CreateFleet", f"{element('fleetId', fleet)}<errorSet><item>{error}</item></errorSet>")
