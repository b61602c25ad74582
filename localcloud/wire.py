"""One HTTP request and its answer, and members' names between a service's model and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.sdk_names import Value

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


def from_wire(value: Value, shape: Shape | None) -> Value:
    """Rename the members of a request from their names on the wire to botocore's."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            names[key]: from_wire(item, shape.members[names[key]])
            for key, item in value.items()
            if key in names and item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: from_wire(item, shape.value) for key, item in value.items()}
    return value


def to_wire(value: Value, shape: Shape | None) -> Value:
    """Rename the members of an answer from botocore's names to those on the wire."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            shape.members[key].serialization.get("name", key): to_wire(item, shape.members[key])
            for key, item in value.items()
            if key in shape.members and item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [to_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_wire(item, shape.value) for key, item in value.items()}
    return value
