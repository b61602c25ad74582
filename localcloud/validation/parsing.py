"""Reads the parameters of a call from an HTTP request: the reverse of what botocore's serializers write.

Texts, numbers, lists and maps are read; times and bytes stay as they were sent, and so does what is not of its type.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import BaseCBORParser

from localcloud.sdk_names import Value
from localcloud.validation.routing import Called
from localcloud.wire import Request, from_wire

Params = dict[str, Any]


class MalformedError(Exception):
    """The body is not what the protocol says."""


def parameters(called: Called, request: Request) -> Params:
    """The parameters of a call by their names in the model.

    Raises MalformedError for a body that cannot be read.
    """
    shape = called.operation.input_shape
    if shape is None:
        return {}
    return _READERS[called.protocol](called, request, shape)


# --- JSON and CBOR -------------------------------------------------------------------------------------------------
def _json_body(body: bytes) -> Value:
    try:
        return json.loads(body or b"{}")
    except ValueError as wrong:
        raise MalformedError(f"The body is not JSON: {wrong}") from wrong


def _json(_called: Called, request: Request, shape: StructureShape) -> Params:
    return _object(from_wire(_json_body(request.body), shape))


def _cbor(_called: Called, request: Request, shape: StructureShape) -> Params:
    if not request.body:
        return {}
    try:
        parser = BaseCBORParser()
        body = parser.parse_data_item(parser.get_peekable_stream_from_bytes(request.body))
    except Exception as wrong:  # whatever the parser raises on bytes that are no CBOR
        raise MalformedError(f"The body is not CBOR: {wrong}") from wrong
    return _object(from_wire(body, shape))


def _object(value: Value) -> Params:
    if not isinstance(value, dict):
        raise MalformedError("The body is not an object.")
    return value


# --- Forms ---------------------------------------------------------------------------------------------------------
class _Form:
    """The fields of a `query` or `ec2` request: names such as `Tags.member.1.Key`."""

    def __init__(self, fields: Mapping[str, str], *, is_ec2: bool) -> None:
        self._fields = fields
        self._is_ec2 = is_ec2
        # Every prefix that is there, so that looking for one does not search all fields.
        self._there = {
            ".".join(parts[:length])
            for name in fields
            for parts in [name.split(".")]
            for length in range(len(parts) + 1)
        }

    def structure(self, shape: StructureShape, prefix: str) -> Value:
        found = {}
        for name, member in shape.members.items():
            value = self._value(member, self._join(prefix, self._name(member, name)))
            if value is not None:
                found[name] = value
        return found

    def _value(self, shape: Shape, prefix: str) -> Value:
        if isinstance(shape, ListShape) and shape.serialization.get("flattened") and not self._is_ec2:
            return self._list(shape, prefix) or None  # its items need not have the list's own name
        if prefix not in self._there:
            return None
        if isinstance(shape, StructureShape):
            return self.structure(shape, prefix)
        if isinstance(shape, ListShape):
            return self._list(shape, prefix)
        if isinstance(shape, MapShape):
            return self._map(shape, prefix)
        return read_text(self._fields.get(prefix, ""), shape)

    def _list(self, shape: ListShape, prefix: str) -> list[Value]:
        if not self._is_ec2:
            own = shape.member.serialization.get("name")
            if not shape.serialization.get("flattened"):
                prefix = f"{prefix}.{own or 'member'}"
            elif own:
                prefix = ".".join([*prefix.split(".")[:-1], own])
        return [self._value(shape.member, f"{prefix}.{number}") for number in self._numbers(prefix)]

    def _map(self, shape: MapShape, prefix: str) -> dict[str, Value]:
        prefix = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        key, value = (self._name(part, name) for part, name in ((shape.key, "key"), (shape.value, "value")))
        return {
            self._fields.get(f"{prefix}.{number}.{key}", ""): self._value(shape.value, f"{prefix}.{number}.{value}")
            for number in self._numbers(prefix)
        }

    def _numbers(self, prefix: str) -> list[int]:
        number = 1
        while f"{prefix}.{number}" in self._there:
            number += 1
        return list(range(1, number))

    def _name(self, shape: Shape, name: str) -> str:
        if not self._is_ec2:
            return str(shape.serialization.get("name", name))
        written = shape.serialization.get("queryName")
        if written:
            return str(written)
        own = str(shape.serialization.get("name", name))
        return own[:1].upper() + own[1:]

    @staticmethod
    def _join(prefix: str, name: str) -> str:
        return f"{prefix}.{name}" if prefix else name


def _query(called: Called, _request: Request, shape: StructureShape) -> Params:
    return _object(_Form(called.form, is_ec2=False).structure(shape, ""))


def _ec2(called: Called, _request: Request, shape: StructureShape) -> Params:
    return _object(_Form(called.form, is_ec2=True).structure(shape, ""))


# --- REST ----------------------------------------------------------------------------------------------------------
def _rest(called: Called, request: Request, shape: StructureShape, body_of: Callable[..., Value]) -> Params:
    params: Params = {}
    payload = shape.serialization.get("payload")
    if payload is None:
        if any("location" not in member.serialization for member in shape.members.values()):
            params |= _object(body_of(request.body, shape))
    elif isinstance(shape.members[payload], StructureShape):
        if request.body:
            params[payload] = body_of(request.body, shape.members[payload])
    elif request.body:
        is_text = shape.members[payload].type_name == "string"
        params[payload] = request.body.decode("utf-8", "replace") if is_text else request.body
    for name, member in shape.members.items():
        value = _located(called, request, name, member)
        if value is not None:
            params[name] = value
    return params


def _located(called: Called, request: Request, name: str, member: Shape) -> Value:
    location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
    if location == "uri":
        return read_text(unquote(called.path[wire_name]), member) if wire_name in called.path else None
    if location == "header":
        text = request.headers.get(wire_name.lower())
        if text is not None and isinstance(member, ListShape):
            return [read_text(part.strip(), member.member) for part in text.split(",")]
        return None if text is None else read_text(text, member)
    if location == "headers":
        prefix = wire_name.lower()
        return {key[len(prefix) :]: text for key, text in request.headers.items() if key.startswith(prefix)} or None
    if location == "querystring":
        if isinstance(member, MapShape):
            return {key: values[0] for key, values in request.query.items()}
        values = request.query.get(wire_name)
        if values is not None and isinstance(member, ListShape):
            return [read_text(value, member.member) for value in values]
        return read_text(values[0], member) if values else None
    return None


def _rest_json(called: Called, request: Request, shape: StructureShape) -> Params:
    return _rest(called, request, shape, lambda body, member: from_wire(_json_body(body), member))


def _rest_xml(called: Called, request: Request, shape: StructureShape) -> Params:
    return _rest(called, request, shape, _xml_body)


def _xml_body(body: bytes, shape: StructureShape) -> Value:
    if not body:
        return {}
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - a developer's own requests to a server on the loopback interface
    except ElementTree.ParseError as wrong:
        raise MalformedError(f"The body is not XML: {wrong}") from wrong
    return _from_xml(root, shape)


def _from_xml(node: ElementTree.Element, shape: Shape) -> Value:
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            value = _member_from_xml(node, name, member)
            if value is not None:
                found[name] = value
        return found
    if isinstance(shape, ListShape):
        return [_from_xml(item, shape.member) for item in node]
    if isinstance(shape, MapShape):
        return {(entry.findtext("{*}key") or ""): entry.findtext("{*}value") for entry in node}
    return read_text(node.text or "", shape)


def _member_from_xml(node: ElementTree.Element, name: str, member: Shape) -> Value:
    wire_name = member.serialization.get("name", name)
    if member.serialization.get("xmlAttribute"):
        own = wire_name.rpartition(":")[2]
        return next((text for key, text in node.attrib.items() if key.rpartition("}")[2] == own), None)
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        own = member.member.serialization.get("name", wire_name)
        return [_from_xml(item, member.member) for item in node.findall(f"{{*}}{own}")] or None
    child = node.find(f"{{*}}{wire_name}")
    return None if child is None else _from_xml(child, member)


# --- Text ----------------------------------------------------------------------------------------------------------
_INTEGER: Final = re.compile(r"[+-]?\d+")


def read_text(text: str, shape: Shape) -> Value:
    """A value that was written as text; text that is not of the shape's type stays text."""
    if shape.type_name in ("integer", "long", "short", "byte"):
        return int(text) if _INTEGER.fullmatch(text) else text
    if shape.type_name in ("float", "double"):
        try:
            return float(text)
        except ValueError:
            return text
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


_READERS: Final[Mapping[str, Callable[[Called, Request, StructureShape], Params]]] = {
    "json": _json,
    "smithy-rpc-v2-cbor": _cbor,
    "query": _query,
    "ec2": _ec2,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}
