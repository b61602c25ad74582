"""Checks Step Functions' optimised integrations, whose tasks ministack runs itself, without a request."""

import json
from collections.abc import Mapping
from typing import Any, Final

from localcloud.sdk_names import UnknownNameError, Value, operation_model, service_model, to_botocore
from localcloud.service import ServiceError
from localcloud.validation.gate import check_call

SERVICES: Final[Mapping[str, tuple[str, str]]] = {
    "dynamodb": ("dynamodb", "DynamoDB"),
    "ecs": ("ecs", "ECS"),
    "events": ("events", "EventBridge"),
    "sns": ("sns", "SNS"),
    "sqs": ("sqs", "SQS"),
}
"""botocore's name of each service, and the first part of its error names."""

_JSON_TEXTS: Final = {"sqs": ("MessageBody",), "sns": ("Message",)}
"""Members that a task may give as JSON, and the service gets as text (Developer guide, each service's page)."""


def refusal_of_task(resource: str, arguments: Value) -> tuple[str, str] | None:
    """Return error and cause with which a task `arn:aws:states:::<service>:<operation>` fails; None if AWS takes it."""
    service, _, action = resource.removeprefix("arn:aws:states:::").partition(":")
    if service not in SERVICES or not isinstance(arguments, dict):
        return None
    name, prefix = SERVICES[service]
    operation = operation_model(name, action.split(".")[0])
    given = {key: _as_text(service, key, value) for key, value in arguments.items()}
    if service == "events":
        given["Entries"] = [_with_text_detail(entry) for entry in given.get("Entries", [])]
    try:
        check_call(name, operation.name, to_botocore(given, operation.input_shape, strict=True))
    except UnknownNameError as unknown:
        return "States.Runtime", str(unknown)
    except ServiceError as refused:
        return _error_name(name, prefix, refused.code), refused.message
    return None


def _as_text(service: str, member: str, value: Value) -> Value:
    is_json = member in _JSON_TEXTS.get(service, ()) and not isinstance(value, str)
    return json.dumps(value) if is_json else value


def _with_text_detail(entry: dict[str, Any]) -> dict[str, Any]:
    detail = entry.get("Detail")
    return entry if detail is None or isinstance(detail, str) else {**entry, "Detail": json.dumps(detail)}


def _error_name(service: str, prefix: str, code: str) -> str:
    """Return the modelled exception's name, or else the service's general one (`DynamoDB.AmazonDynamoDBException`).

    Step Functions does not document these names: this one is reported often, and the others are assumed to be similar.
    """
    for shape in service_model(service).error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return f"{prefix}.{shape.name}"
    return f"{prefix}.Amazon{prefix}Exception"
