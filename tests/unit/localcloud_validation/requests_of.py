"""Requests as botocore writes them, for every operation of a service."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.serialize import create_serializer

from localcloud.wire import Request

UNCOMPARED = ("timestamp", "blob")
"""Times and bytes stay as they were sent."""


def request_of(operation: OperationModel, params: dict[str, Any], protocol: str) -> Request:
    """What reaches the server when a client calls an operation."""
    written = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    url = urlsplit(written["url_path"])
    query = written.get("query_string") or {}
    text = query if isinstance(query, str) else urlencode(query, doseq=True)
    body = written["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    return Request(
        method=written["method"],
        path=unquote(url.path),
        headers={name.lower(): str(value) for name, value in written["headers"].items()},
        body=body if isinstance(body, bytes) else str(body).encode(),
        query=parse_qs("&".join(part for part in (url.query, text) if part), keep_blank_values=True),
    )


def sample(shape: Shape | None, depth: int = 0) -> Any:
    """A value of a shape with every member down to a depth, the same each time."""
    if isinstance(shape, StructureShape):
        wanted = shape.required_members if depth > 3 else shape.members
        members = [name for name in wanted if shape.members[name].type_name not in UNCOMPARED]
        if shape.is_tagged_union:
            members = members[:1]
        return {name: sample(shape.members[name], depth + 1) for name in members if depth < 6}
    if isinstance(shape, ListShape):
        return [] if shape.member.type_name in UNCOMPARED else [sample(shape.member, depth + 1)]
    if isinstance(shape, MapShape):
        return {} if shape.value.type_name in UNCOMPARED else {"key": sample(shape.value, depth + 1)}
    assert shape is not None
    samples = {"boolean": True, "float": 1.5, "double": 1.5, "string": "text", "character": "c"}
    return samples.get(shape.type_name, 7)


def without_empty(value: Any) -> Any:
    """A value without what protocols do not tell apart from nothing: empty lists, maps and structures."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [], None)}
    if isinstance(value, list):
        return [item for item in map(without_empty, value) if item not in ({}, [], None)]
    return value
