"""The gate before every service: what AWS would refuse goes no further."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from botocore.model import StructureShape

from localcloud import limits
from localcloud.sdk_names import UnknownNameError, operation_model, service_model
from localcloud.service import ServiceError
from localcloud.validation import refusal
from localcloud.validation.constraints import Constraints, WrongTypeError, message
from localcloud.validation.parsing import MalformedError, parameters
from localcloud.validation.routing import Called, find_operation
from localcloud.wire import Answer, Request

BOTOCORE_NAMES: Final[Mapping[str, str]] = {
    "airflow": "mwaa",
    "documentdb": "docdb",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's names of services that ministack calls otherwise."""

WITHOUT_MODEL: Final = frozenset({"appsync-events", "ecs-metadata", "imds"})
"""What ministack serves and botocore has no model of: none of them is called by an SDK."""


def check_request(service: str, request: Request) -> Answer | None:
    """The answer to a request for a service (ministack's name) that AWS would refuse; None if it would not.

    A request for an operation that the model does not have is left to the service.
    """
    name = BOTOCORE_NAMES.get(service, service)
    if service in WITHOUT_MODEL or not _has_model(name):
        return None
    called = find_operation(name, request)
    if called is None:
        return None
    try:
        check_call(name, called.operation.name, _read(name, called, request))
    except ServiceError as refused:
        return refusal.answer(name, called.protocol, refused)
    return None


def refuse_keys(service: str, request: Request) -> Answer:
    """How a service (ministack's name) answers keys that it does not know."""
    name = BOTOCORE_NAMES.get(service, service)
    if service in WITHOUT_MODEL or not _has_model(name):
        name = "s3"
    protocol = (
        request.headers.get("smithy-protocol", "").removeprefix("smithy-") or service_model(name).resolved_protocol
    )
    return refusal.unknown_keys(name, "smithy-rpc-v2-cbor" if protocol == "rpc-v2-cbor" else protocol)


def check_call(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise ServiceError for a call that AWS would refuse, names being botocore's."""
    shape = _input(service, operation)
    if shape is not None:
        try:
            violations = constraints_of(service).violations(params, shape)
        except WrongTypeError as wrong:
            raise refusal.malformed(service, str(wrong)) from wrong
        if violations:
            raise refusal.invalid(service, message(violations))
    limits.check(service, operation, params)


def _read(service: str, called: Called, request: Request) -> dict[str, Any]:
    try:
        return parameters(called, request)
    except MalformedError as wrong:
        raise refusal.malformed(service, str(wrong)) from wrong


@cache
def constraints_of(service: str) -> Constraints:
    """The constraints of a service's model."""
    return Constraints(service)


@cache
def _input(service: str, operation: str) -> StructureShape | None:
    shape: StructureShape | None = operation_model(service, operation).input_shape
    return shape


@cache
def _has_model(service: str) -> bool:
    try:
        service_model(service)
    except UnknownNameError:
        return False
    return True
