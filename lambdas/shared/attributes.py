"""DynamoDB's attribute values to and from plain Python values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_attribute(value: object) -> dict[str, Any]:
    """A plain value (None, text, number, list, mapping with text keys) as an attribute value."""
    return dict(_serializer.serialize(_with_decimals(value)))


def to_item(values: Mapping[str, object]) -> dict[str, Any]:
    """A mapping as an item; None is left out, since an absent attribute says the same and can be an index key."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as a mapping: numbers are int where they are whole, else float."""
    return {name: _without_decimals(_deserializer.deserialize(value)) for name, value in item.items()}


def _with_decimals(value: object) -> object:
    match value:
        case float():
            return Decimal(str(value))
        case Mapping():
            return {key: _with_decimals(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_with_decimals(inner) for inner in value]
        case str():
            return str(value)
    return value


def _without_decimals(value: Any) -> Any:  # noqa: ANN401 - an attribute holds any plain value
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {key: _without_decimals(inner) for key, inner in value.items()}
        case list():
            return [_without_decimals(inner) for inner in value]
    return value
