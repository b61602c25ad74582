"""Which operation of a service a request calls, in whichever protocol it is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import parse_qs

from botocore.model import OperationModel

from localcloud.sdk_names import service_model
from localcloud.wire import Request

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Called:
    """An operation, the protocol in which it is called, and where the request's path has its parameters."""

    operation: OperationModel
    protocol: str
    """`json`, `query`, `ec2`, `rest-json`, `rest-xml` or `smithy-rpc-v2-cbor`."""
    path: Mapping[str, str]
    form: Mapping[str, str]
    """The fields of a `query` or `ec2` request."""


def find_operation(service: str, request: Request) -> Called | None:
    """The operation of a service (botocore's name) that a request calls; None if it is none of the model's."""
    target = request.headers.get("x-amz-target")
    if target:
        return _named(service, target.rpartition(".")[2], "json")
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _named(service, request.path.rpartition("/")[2], "smithy-rpc-v2-cbor")
    protocol = service_model(service).resolved_protocol
    if protocol.startswith("rest-"):
        return _by_path(service, protocol, request)
    form = _form(request)
    return _named(service, form.get("Action", ""), "ec2" if protocol == "ec2" else "query", form)


def _named(service: str, name: str, protocol: str, form: Mapping[str, str] | None = None) -> Called | None:
    model = service_model(service)
    return Called(_operation(service, name), protocol, {}, form or {}) if name in model.operation_names else None


@cache
def _operation(service: str, name: str) -> OperationModel:
    """botocore makes an operation and its shapes anew each time."""
    return service_model(service).operation_model(name)


def _form(request: Request) -> dict[str, str]:
    fields = {name: values[0] for name, values in request.query.items()}
    if request.headers.get("content-type", "").startswith(FORM):
        text = request.body.decode("utf-8", "replace")
        fields |= {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    return fields


# --- REST ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Route:
    """How the requests of an operation look."""

    operation: OperationModel
    method: str
    path: re.Pattern[str]
    literal: int
    """Characters of the path that are no parameter."""
    query: Mapping[str, str]
    """What the query must have, with its value if that counts."""
    required: tuple[tuple[str, str], ...]
    """`header` or `querystring`, and the name of what must be there: it tells UploadPart from PutObject."""


def _by_path(service: str, protocol: str, request: Request) -> Called | None:
    found = []
    for route in _routes(service):
        match = route.path.fullmatch(request.path) if route.method == request.method else None
        if match and all(
            name in request.query and wanted in ("", request.query[name][0]) for name, wanted in route.query.items()
        ):
            there = sum(_has(request, location, name) for location, name in route.required)
            missing = len(route.required) - there
            is_current = not route.operation.deprecated  # GetBucketLifecycleConfiguration has an older twin
            found.append(((-missing, route.literal, len(route.query), there, is_current), route, match))
    if not found:
        return None
    _, route, match = max(found, key=lambda one: one[0])
    return Called(route.operation, protocol, match.groupdict(), {})


def _has(request: Request, location: str, name: str) -> bool:
    return name in request.query if location == "querystring" else name.lower() in request.headers


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    return tuple(_route(_operation(service, name)) for name in service_model(service).operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http.get("requestUri", "/").partition("?")
    required = []
    if operation.input_shape:
        for name in operation.input_shape.required_members:
            where = operation.input_shape.members[name].serialization
            if where.get("location") in ("header", "querystring"):
                required.append((where["location"], where.get("name", name)))
    return _Route(
        operation=operation,
        method=operation.http["method"],
        # A label may hold slashes: ministack has decoded the ARNs in paths. Buckets come before keys.
        path=re.compile(re.sub(r"\\{(\w+)(\\\+)?\\}", _label, re.escape(path)) + "/?"),
        literal=len(re.sub(r"\{[^}]*\}", "", path)),
        query={name: value for name, _, value in (part.partition("=") for part in query.split("&")) if name},
        required=tuple(required),
    )


def _label(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'[^/]+' if match[1] == 'Bucket' else '.+'})"
