"""A template's resources are checked as the calls by which CloudFormation makes them.

The properties of most resource types have the names of the members of the service's own call. What a template writes
otherwise (numbers as text, documents as objects, lists of tags for maps) is read as the call would have it; what does
not fit is left to the resource's own handler.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud import limits
from localcloud.limits.iam import check_inline
from localcloud.limits.sizes import compact
from localcloud.sdk_names import Value, operation_model
from localcloud.validation import refusal
from localcloud.validation.constraints import Constraints, message
from localcloud.validation.parsing import read_text

Properties = Mapping[str, Any]

_CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::Batch::ComputeEnvironment": ("batch", "CreateComputeEnvironment"),
    "AWS::Batch::JobDefinition": ("batch", "RegisterJobDefinition"),
    "AWS::Batch::JobQueue": ("batch", "CreateJobQueue"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "PutMetricAlarm"),
    "AWS::DynamoDB::Table": ("dynamodb", "CreateTable"),
    "AWS::ECS::TaskDefinition": ("ecs", "RegisterTaskDefinition"),
    "AWS::Events::Rule": ("events", "PutRule"),
    "AWS::IAM::ManagedPolicy": ("iam", "CreatePolicy"),
    "AWS::IAM::Policy": ("iam", "PutRolePolicy"),
    "AWS::IAM::Role": ("iam", "CreateRole"),
    "AWS::Lambda::Function": ("lambda", "CreateFunction"),
    "AWS::Logs::LogGroup": ("logs", "CreateLogGroup"),
    "AWS::Pipes::Pipe": ("pipes", "CreatePipe"),
    "AWS::SNS::Topic": ("sns", "CreateTopic"),
    "AWS::SQS::Queue": ("sqs", "CreateQueue"),
    "AWS::SSM::Document": ("ssm", "CreateDocument"),
    "AWS::SSM::Parameter": ("ssm", "PutParameter"),
    "AWS::Scheduler::Schedule": ("scheduler", "CreateSchedule"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "CreateStateMachine"),
}
"""The call by which each type is made."""

_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": "PolicyName"},
    "AWS::StepFunctions::StateMachine": {"StateMachineName": "name", "DefinitionString": "definition"},
}
"""Properties whose member has another name."""


def _with_attributes(properties: Properties) -> dict[str, Any]:
    """A queue's properties are its attributes, but for two."""
    attributes = {name: value for name, value in properties.items() if name not in ("QueueName", "Tags")}
    return {**properties, "Attributes": attributes}


_ARRANGED: Final[Mapping[str, Callable[[Properties], dict[str, Any]]]] = {"AWS::SQS::Queue": _with_attributes}
"""Types whose properties are arranged otherwise."""

CHECKED_TYPES: Final = frozenset(_CALLS)


def check_resource(
    resource_type: str, properties: Properties, inline_policies: Callable[[str], Mapping[str, Any]]
) -> None:
    """Raise ServiceError for a resource whose service would refuse it.

    `inline_policies` gives the documents that a role has so far, by their names.
    """
    service, operation = _CALLS[resource_type]
    arranged = _ARRANGED.get(resource_type, dict)(properties)
    renamed = {_RENAMED.get(resource_type, {}).get(name, name): value for name, value in arranged.items()}
    shape = operation_model(service, operation).input_shape
    assert shape is not None  # each of these calls has parameters
    params = _fitting(renamed, shape) or {}
    violations = _constraints_of(service).violations(params, shape)
    if violations:
        raise refusal.invalid(service, message(violations))
    # Limits look at what the call has by other names, too: a role's policies come with it.
    limits.check(service, operation, {**renamed, **params})
    if resource_type == "AWS::Events::Rule":
        limits.check("events", "PutTargets", properties)
    if resource_type == "AWS::IAM::Policy":
        for role in properties.get("Roles") or []:
            together = {**inline_policies(role), properties.get("PolicyName", ""): properties["PolicyDocument"]}
            check_inline(role, together.values())


@cache
def _constraints_of(service: str) -> Constraints:
    """Names may be left out of a template, and some properties belong to other calls."""
    return Constraints(service, is_whole=False)


def _fitting(value: Value, shape: Shape | None) -> Value:
    """A property as the call's member, None where it is not of its kind."""
    if isinstance(shape, StructureShape):
        return _structure(value, shape)
    if isinstance(shape, ListShape):
        return [_fitting(item, shape.member) for item in value] if isinstance(value, list) else None
    if isinstance(shape, MapShape):
        return {key: _fitting(item, shape.value) for key, item in value.items()} if isinstance(value, dict) else None
    if shape is None:
        return None
    if shape.type_name in ("string", "character"):
        return _text(value)
    if isinstance(value, str):
        return read_text(value, shape)
    return None if isinstance(value, list | dict) else value


def _structure(value: Value, shape: StructureShape) -> Value:
    if not isinstance(value, dict):
        return None
    names = {name.lower(): name for name in shape.members}
    known = {names[key.lower()]: item for key, item in value.items() if key.lower() in names}
    return {name: _fitting(item, shape.members[name]) for name, item in known.items()}


def _text(value: Value) -> Value:
    if isinstance(value, list | dict):
        return compact(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
