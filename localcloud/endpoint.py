"""Serve a plain Python service over HTTP in the protocol that botocore's model says the service speaks."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from botocore.model import OperationModel

from localcloud.interceptor import Interceptor
from localcloud.sdk_names import Value, service_model
from localcloud.service import Service, ServiceError
from localcloud.validation.parsing import parameters
from localcloud.validation.routing import find_operation
from localcloud.wire import Answer, Request, to_wire

PROTOCOLS: Final = ("json", "rest-json")


class Endpoint:
    """The HTTP side of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._model = service_model(service.name)
        protocol = self._model.resolved_protocol
        if protocol not in PROTOCOLS:
            raise ValueError(f"{service.name} speaks {protocol}; only {' and '.join(PROTOCOLS)} are served here.")
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
            body = to_wire(result, operation.output_shape)
        except ServiceError as refusal:
            return refusal.status, self._headers(refusal.code), _json(_refusal(refusal))
        return 200, self._headers(), _json(body)

    def interceptor(self, operations: Iterable[str]) -> Interceptor:
        """Answer these operations here, and leave the service's others to ministack."""
        return Interceptor(self._service.name, frozenset(operations), lambda request, _own: self.answer(request))

    def _headers(self, error: str | None = None) -> dict[str, str]:
        headers = {"Content-Type": self._content_type}
        return headers | {"x-amzn-errortype": error} if error else headers

    def _find(self, request: Request) -> tuple[OperationModel, dict[str, Any]]:
        called = find_operation(self._service.name, request)
        if called is None:
            wanted = request.headers.get("x-amz-target") or f"{request.method} {request.path}"
            status = 400 if "x-amz-target" in request.headers else 404
            raise ServiceError("UnknownOperationException", f"{self._service.name} has no {wanted}.", status)
        return called.operation, parameters(called, request)


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
