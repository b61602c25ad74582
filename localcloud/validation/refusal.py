"""A refusal as each protocol writes it, with the code that the service gives to a request of the wrong form."""

import json
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from localcloud.sdk_names import service_model
from localcloud.service import ServiceError
from localcloud.wire import Answer

_CODES: Final[Mapping[str, str]] = {
    # Each service's API reference, "Errors" (or "Common errors") of the operation.
    "batch": "ClientException",
    "cloudtrail": "InvalidParameterCombinationException",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "fsx": "ValidationException",
    "logs": "InvalidParameterException",
    "athena": "InvalidRequestException",
    "glue": "InvalidInputException",
    "resourcegroupstaggingapi": "InvalidParameterException",
    "codebuild": "InvalidInputException",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "s3": "InvalidArgument",
    "ec2": "InvalidParameterValue",
}
_CODES_BY_PROTOCOL: Final = {"query": "ValidationError", "ec2": "InvalidParameterValue", "rest-xml": "InvalidRequest"}


def invalid(service: str, message: str) -> ServiceError:
    """The error by which a service (botocore's name) answers a request that breaks its model's constraints."""
    model = service_model(service)
    code = _CODES.get(service) or _CODES_BY_PROTOCOL.get(model.resolved_protocol, "ValidationException")
    return ServiceError(code, message)


def malformed(service: str, message: str) -> ServiceError:
    """The error for a request that cannot be read, or has a member of another type."""
    protocol = service_model(service).resolved_protocol
    code = {"query": "MalformedInput", "ec2": "InvalidParameterValue", "rest-xml": "MalformedXML"}
    return ServiceError(code.get(protocol, "SerializationException"), message)


_UNKNOWN_KEYS: Final = {
    # API references, "Common Errors" ("Error responses" of S3, "Error codes" of EC2).
    "query": ("InvalidClientTokenId", 403, "The security token included in the request is invalid."),
    "ec2": ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
    "rest-xml": (
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
}
_UNKNOWN_KEY: Final = ("UnrecognizedClientException", 403, "The security token included in the request is invalid.")


def unknown_keys(service: str, protocol: str) -> Answer:
    """The HTTP answer to a request that is signed with keys that nobody has, or not signed."""
    code, status, message = _UNKNOWN_KEYS.get(protocol, _UNKNOWN_KEY)
    return answer(service, protocol, ServiceError(code, message, status))


def answer(service: str, protocol: str, refusal: ServiceError) -> Answer:
    """The HTTP answer of a refusal in the protocol of the request."""
    if protocol in ("json", "rest-json"):
        return _json(service, refusal)
    if protocol == "smithy-rpc-v2-cbor":
        return _cbor(refusal)
    return refusal.status, {"Content-Type": "text/xml"}, _XML[protocol](refusal).encode()


def _json(service: str, refusal: ServiceError) -> Answer:
    version = service_model(service).metadata.get("jsonVersion")
    headers = {
        "Content-Type": f"application/x-amz-json-{version}" if version else "application/json",
        "x-amzn-errortype": refusal.code,
    }
    if service_model(service).metadata.get("awsQueryCompatible") is not None:
        headers["x-amzn-query-error"] = f"{refusal.code};Sender"
    body = {"__type": refusal.code, "message": refusal.message, "Message": refusal.message}
    return refusal.status, headers, json.dumps(body).encode()


def _cbor(refusal: ServiceError) -> Answer:
    """A map of two texts, by RFC 8949: 0xA2, and each text as 0x7A, four bytes of its length, and UTF-8."""
    body = b"\xa2"
    for text in ("__type", refusal.code, "message", refusal.message):
        body += b"\x7a" + len(text.encode()).to_bytes(4, "big") + text.encode()
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    return refusal.status, headers, body


def _query_xml(refusal: ServiceError) -> str:
    error = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
    return f"<ErrorResponse><Error>{error}</Error><RequestId>local</RequestId></ErrorResponse>"


def _ec2_xml(refusal: ServiceError) -> str:
    error = f"<Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
    return f"<Response><Errors><Error>{error}</Error></Errors><RequestID>local</RequestID></Response>"


def _s3_xml(refusal: ServiceError) -> str:
    return f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"


_XML: Final = {"query": _query_xml, "ec2": _ec2_xml, "rest-xml": _s3_xml}
