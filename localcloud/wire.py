"""Serve a plain Python service over HTTP in the protocol that botocore's model says the service speaks."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from localcloud.sdk_names import Value, service_model
from localcloud.service import Service, ServiceError

PROTOCOLS: Final = ("json", "rest-json")

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, header names in lower case, each query parameter with all its values."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, list[str]]


class Endpoint:
    """The HTTP side of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._model = service_model(service.name)
        protocol = self._model.resolved_protocol
        if protocol not in PROTOCOLS:
            raise ValueError(f"{service.name} speaks {protocol}; only {' and '.join(PROTOCOLS)} are served here.")
        self._find = self._by_target if protocol == "json" else self._by_path
        self._routes = [_route(self._model.operation_model(name)) for name in self._model.operation_names]
        version = self._model.metadata.get("jsonVersion", "1.1")
        self._content_type = f"application/x-amz-json-{version}" if protocol == "json" else "application/json"

    @property
    def target_prefix(self) -> str | None:
        """What precedes the dot in X-Amz-Target, for the json protocol."""
        return self._model.metadata.get("targetPrefix")

    def answer(self, request: Request) -> Answer:
        """Answer one request; a refusal becomes the protocol's error."""
        try:
            operation, params = self._find(request)
            result = self._service.call(operation.name, params)
            body = _to_wire(result, operation.output_shape)
        except ServiceError as refusal:
            return refusal.status, self._headers(refusal.code), _json(_refusal(refusal))
        return 200, self._headers(), _json(body)

    def _headers(self, error: str | None = None) -> dict[str, str]:
        headers = {"Content-Type": self._content_type}
        return headers | {"x-amzn-errortype": error} if error else headers

    def _by_target(self, request: Request) -> tuple[OperationModel, dict[str, Any]]:
        name = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if name not in self._model.operation_names:
            raise ServiceError("UnknownOperationException", f"{self._service.name} has no operation {name!r}.")
        operation = self._model.operation_model(name)
        return operation, _from_wire(json.loads(request.body or b"{}"), operation.input_shape) or {}

    def _by_path(self, request: Request) -> tuple[OperationModel, dict[str, Any]]:
        for method, pattern, operation in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return operation, _rest_params(operation, found.groupdict(), request)
        raise ServiceError(
            "UnknownOperationException", f"{self._service.name} has no {request.method} {request.path}.", 404
        )


def _route(operation: OperationModel) -> tuple[str, re.Pattern[str], OperationModel]:
    path = operation.http.get("requestUri", "/").partition("?")[0]
    pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", r"(?P<\1>.+)", re.escape(path))
    return operation.http["method"], re.compile(pattern), operation


def _rest_params(operation: OperationModel, path: Mapping[str, str], request: Request) -> dict[str, Any]:
    params: dict[str, Any] = _from_wire(json.loads(request.body or b"{}"), operation.input_shape) or {}
    members = operation.input_shape.members if operation.input_shape else {}
    for name, shape in members.items():
        wire_name = shape.serialization.get("name", name)
        location = shape.serialization.get("location")
        if location == "uri":
            params[name] = unquote(path[wire_name])
        elif location == "querystring" and wire_name in request.query:
            values = request.query[wire_name]
            params[name] = list(values) if isinstance(shape, ListShape) else values[0]
    return params


def _from_wire(value: Value, shape: Shape | None) -> Value:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            names[key]: _from_wire(item, shape.members[names[key]])
            for key, item in value.items()
            if key in names and item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_wire(item, shape.value) for key, item in value.items()}
    return value


def _to_wire(value: Value, shape: Shape | None) -> Value:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            shape.members[key].serialization.get("name", key): _to_wire(item, shape.members[key])
            for key, item in value.items()
            if key in shape.members and item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [_to_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _to_wire(item, shape.value) for key, item in value.items()}
    return value


def _refusal(refusal: ServiceError) -> dict[str, str]:
    # Both spellings are met in AWS's own models.
    return {"__type": refusal.code, "message": refusal.message, "Message": refusal.message}


def _json(body: Value) -> bytes:
    return json.dumps(body or {}, default=_scalar).encode()


def _scalar(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON.")
