"""CloudFormation resource types that ministack lacks.

Types with behaviour here are made by calling the service; those of SILENT have none on a laptop and are only
recorded in their stack. A type in neither list, nor in ministack, fails the deployment, which names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud import ministack_adapter as ministack
from localcloud.sdk_names import operation_model, sdk_member, to_botocore
from localcloud.service import Service

Attributes = dict[str, Any]
Properties = dict[str, Any]


@dataclass(frozen=True)
class ServiceType:
    """A resource type whose operations are those of a service."""

    noun: str
    """What follows Create, Update and Delete in the operations' names."""
    name: str
    """Member that names the resource when it is made."""
    arn: str
    """Member of the answer with the ARN, which is what Ref gives."""
    key: str
    """Member that says which resource to update or delete."""
    attribute: str
    """What Fn::GetAtt calls the ARN."""
    create: str = "Create"
    update: str = "Update"
    delete: str = "Delete"
    disable_first: bool = False
    """Whether it must be DISABLED before it is deleted."""


BATCH_TYPES: Final[Mapping[str, ServiceType]] = {
    "AWS::Batch::ComputeEnvironment": ServiceType(
        noun="ComputeEnvironment",
        name="computeEnvironmentName",
        arn="computeEnvironmentArn",
        key="computeEnvironment",
        attribute="ComputeEnvironmentArn",
        disable_first=True,
    ),
    "AWS::Batch::JobQueue": ServiceType(
        noun="JobQueue",
        name="jobQueueName",
        arn="jobQueueArn",
        key="jobQueue",
        attribute="JobQueueArn",
        disable_first=True,
    ),
    "AWS::Batch::SchedulingPolicy": ServiceType(
        noun="SchedulingPolicy", name="name", arn="arn", key="arn", attribute="Arn"
    ),
    "AWS::Batch::JobDefinition": ServiceType(
        noun="JobDefinition",
        name="jobDefinitionName",
        arn="jobDefinitionArn",
        key="jobDefinition",
        attribute="JobDefinitionArn",
        create="Register",
        update="Register",  # a new revision
        delete="Deregister",
    ),
}

AttributesOf = Callable[[str], Attributes]


def _id_only(attribute: str) -> AttributesOf:
    return lambda physical_id: {attribute: physical_id}


def _address(physical_id: str) -> Attributes:
    # 192.0.2.0/24 is set aside for examples.
    return {"AllocationId": f"eipalloc-{physical_id}", "PublicIp": "192.0.2.1"}


SILENT: Final[Mapping[str, AttributesOf]] = {
    "AWS::Athena::PreparedStatement": _id_only("StatementName"),
    "AWS::Backup::BackupSelection": _id_only("Id"),
    "AWS::CloudTrail::Trail": _id_only("Arn"),
    "AWS::CodePipeline::Pipeline": _id_only("Version"),
    "AWS::CodeStarNotifications::NotificationRule": _id_only("Arn"),
    "AWS::CloudWatch::AnomalyDetector": _id_only("Id"),
    "AWS::CloudWatch::CompositeAlarm": _id_only("Arn"),
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _id_only("Id"),
    "AWS::EC2::NatGateway": _id_only("NatGatewayId"),
    "AWS::EC2::NetworkAcl": _id_only("Id"),
    "AWS::EC2::NetworkAclEntry": _id_only("Id"),
    "AWS::EC2::SecurityGroupEgress": _id_only("Id"),
    "AWS::EC2::SecurityGroupIngress": _id_only("Id"),
    "AWS::EC2::SubnetNetworkAclAssociation": _id_only("AssociationId"),
    "AWS::ECR::PullThroughCacheRule": _id_only("EcrRepositoryPrefix"),
    "AWS::ECS::ClusterCapacityProviderAssociations": _id_only("Cluster"),
    "AWS::Events::EventBusPolicy": _id_only("Id"),
    "AWS::IAM::ServiceLinkedRole": _id_only("RoleName"),
    "AWS::Logs::QueryDefinition": _id_only("QueryDefinitionId"),
    "AWS::ResourceGroups::Group": _id_only("Arn"),
    "AWS::SQS::QueueInlinePolicy": _id_only("Id"),
    "AWS::XRay::Group": _id_only("GroupARN"),
    "AWS::XRay::SamplingRule": _id_only("RuleARN"),
}
"""Type -> what Fn::GetAtt gives, of a resource's id: accepted and recorded, without behaviour."""


def add_resource_types(batch: Service) -> None:
    """Let templates use all these types. What ministack has by itself stays its own."""
    for resource_type, kind in BATCH_TYPES.items():
        provisioner = _Provisioner(batch, kind)
        ministack.add_resource_type(resource_type, provisioner.create, provisioner.update, provisioner.delete)
    for resource_type, attributes in SILENT.items():
        if not ministack.knows_resource_type(resource_type):
            _add_silent(resource_type, attributes)


def _add_silent(resource_type: str, attributes: AttributesOf) -> None:
    def record(name: str, _properties: Properties) -> tuple[str, Attributes]:
        return name, attributes(name)

    ministack.add_resource_type(resource_type, record, record, lambda _physical_id: None)


class _Provisioner:
    """Makes, changes and deletes resources of one type through their service."""

    def __init__(self, service: Service, kind: ServiceType) -> None:
        self._service = service
        self._kind = kind

    def create(self, name: str, properties: Properties) -> tuple[str, Attributes]:
        kind = self._kind
        answer = self._call(kind.create, {sdk_member(kind.name): name, **properties})
        return self._made(answer[kind.arn])

    def update(self, physical_id: str, properties: Properties) -> tuple[str, Attributes]:
        kind = self._kind
        if kind.update == kind.create:
            return self.create(physical_id.rpartition("/")[2].partition(":")[0], properties)
        self._call(kind.update, {**properties, sdk_member(kind.key): physical_id})
        return self._made(physical_id)

    def delete(self, physical_id: str) -> None:
        key = sdk_member(self._kind.key)
        if self._kind.disable_first:
            self._call("Update", {key: physical_id, "State": "DISABLED"})
        self._call(self._kind.delete, {key: physical_id})

    def _made(self, arn: str) -> tuple[str, Attributes]:
        return arn, {self._kind.attribute: arn}

    def _call(self, verb: str, members: Properties) -> dict[str, Any]:
        operation = operation_model(self._service.name, verb + self._kind.noun)
        return self._service.call(operation.name, to_botocore(members, operation.input_shape))
