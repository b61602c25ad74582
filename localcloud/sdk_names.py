"""The names that Step Functions' aws-sdk tasks use, which are those of the AWS SDK for Java 2, and botocore's.

Step Functions takes and returns members in PascalCase (`JobName`, `DnsName`), whatever the service's own spelling
(`jobName`, `DNSName`), and names errors `<Service>.<Error>Exception`. The rules are those of the Java SDK's code
generator: a leading run of capitals counts as one word in members, and every word is capitalised in service names.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

Value: TypeAlias = Any
"""What JSON can hold, plus what botocore adds to it: times, bytes and streams."""

# Names that differ from botocore's name of the service by more than hyphens.
_BOTOCORE_SERVICE = {
    "cloudwatchlogs": "logs",
    "costexplorer": "ce",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "sfn": "stepfunctions",
}


class UnknownNameError(Exception):
    """A service, operation or member that AWS does not have. The message is a sentence."""


@cache
def service_model(botocore_name: str) -> ServiceModel:
    """botocore's model of a service.

    Raises UnknownNameError if botocore has none of that name.
    """
    session = _session()
    if botocore_name not in session.get_available_services():
        raise UnknownNameError(f"botocore knows no service named {botocore_name}.")
    return session.get_service_model(botocore_name)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def botocore_service(sdk_service: str) -> str:
    """botocore's name of the service that a task calls `aws-sdk:<sdk_service>`.

    Raises UnknownNameError when there is none.
    """
    wanted = sdk_service.lower()
    if wanted in _BOTOCORE_SERVICE:
        return _BOTOCORE_SERVICE[wanted]
    for name in _session().get_available_services():
        if name.replace("-", "") == wanted:
            return str(name)
    raise UnknownNameError(f"There is no service aws-sdk:{sdk_service}.")


def operation_model(botocore_name: str, action: str) -> OperationModel:
    """The operation that a task calls `<service>:<action>` (`submitJob` is `SubmitJob`).

    Raises UnknownNameError when the service has no such operation.
    """
    model = service_model(botocore_name)
    by_lower_name = {name.lower(): name for name in model.operation_names}
    if action.lower() not in by_lower_name:
        raise UnknownNameError(f"{botocore_name} has no operation {action}.")
    return model.operation_model(by_lower_name[action.lower()])


def sdk_member(name: str) -> str:
    """A member's name as Step Functions spells it: JobName for jobName, DnsName for DNSName."""
    run = re.match(r"[A-Z]+(?![a-z])", name)
    if run:
        name = run.group().lower() + name[run.end() :]
    return name[:1].upper() + name[1:]


def service_prefix(model: ServiceModel) -> str:
    """What precedes the dot in a task's error name: DynamoDb, Sfn, CloudWatchLogs."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][A-Za-z0-9])", " ", model.service_id)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", spaced))


def error_name(model: ServiceModel, code: str) -> str:
    """A refusal's name in Retry and Catch: FSx.FileSystemNotFoundException, Ec2.Ec2Exception for an unmodelled one."""
    prefix = service_prefix(model)
    for shape in model.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return f"{prefix}.{re.sub('(Exception|Fault)$', '', shape.name)}Exception"
    return f"{prefix}.{code}" if code.endswith("Exception") else f"{prefix}.{prefix}Exception"


def to_botocore(value: Value, shape: Shape | None, *, strict: bool = False) -> Value:
    """Rename the members of a task's arguments (or of CloudFormation's properties) to botocore's.

    Case does not matter, as in Step Functions. A member that the shape does not have is left out.
    Raises UnknownNameError for it instead when `strict`.
    """
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return value
        names = {name.lower(): name for name in shape.members}
        renamed = {}
        for key, item in value.items():
            name = names.get(key.lower())
            if name is not None:
                renamed[name] = to_botocore(item, shape.members[name], strict=strict)
            elif strict:
                raise UnknownNameError(f"{shape.name} has no member {key}.")
        return renamed
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_botocore(item, shape.member, strict=strict) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_botocore(item, shape.value, strict=strict) for key, item in value.items()}
    return value


def to_sdk(value: Value, shape: Shape | None) -> Value:
    """Rename the members of an answer as Step Functions returns them; times become ISO 8601, bytes become text."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {sdk_member(key): to_sdk(item, shape.members.get(key)) for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_sdk(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_sdk(item, shape.value) for key, item in value.items()}
    return _scalar(value)


def _scalar(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return _text(value)
    read: Callable[[], bytes] | None = getattr(value, "read", None)
    return _text(read()) if read else value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
