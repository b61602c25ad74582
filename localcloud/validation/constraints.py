"""Checks a request's members by the service's model, and says what is wrong in AWS's words.

The texts are those of AWS's own framework: "1 validation error detected: Value '…' at 'clientRequestToken' failed to
satisfy constraint: Member must have length less than or equal to 63". A shape's checks are made once, and a part of a
request for which nothing is to be checked is not walked.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.validation.exempt import is_exempt
from localcloud.validation.patterns import matcher

Rule: TypeAlias = tuple[Callable[[Any], object], str]
"""What tells whether a value is right, and what it must be."""

Check: TypeAlias = Callable[[Any, str, list[str]], None]
"""Takes a value, its place in the request, and the list to which it adds sentences on what is wrong."""


class WrongTypeError(Exception):
    """A member is not of its type: nothing more can be said of the request."""


class Constraints:
    """The constraints of one service's model."""

    def __init__(self, service: str, *, is_whole: bool = True) -> None:
        """`service`: botocore's name of it; not `is_whole`: what is checked may lack required members."""
        self._service = service
        self._is_whole = is_whole
        self._checks: dict[str, Check] = {}

    def violations(self, params: Mapping[str, Any], shape: StructureShape) -> list[str]:
        """What is wrong with an operation's parameters, one sentence for each fault.

        Raises WrongTypeError for a member of another type.
        """
        faults: list[str] = []
        self._check_of(shape)(params, "", faults)
        return faults

    def _check_of(self, shape: Shape) -> Check:
        """A shape's check: by its name, under which the model has it once (but for a member's own marks)."""
        known = self._checks.get(shape.name)
        if known is None:
            self._checks[shape.name] = self._when_needed(shape)  # for shapes that hold themselves
            known = self._checks[shape.name] = self._make(shape)
        return known

    def _when_needed(self, shape: Shape) -> Check:
        return lambda value, place, faults: self._checks[shape.name](value, place, faults)

    def _make(self, shape: Shape) -> Check:
        if isinstance(shape, StructureShape):
            return _anything if getattr(shape, "is_document_type", False) else self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        return self._scalar(shape)

    def _structure(self, shape: StructureShape) -> Check:
        is_whole = self._is_whole and not is_exempt(self._service, shape.name, "required")
        required = list(shape.required_members) if is_whole else []
        members = {name: (lower_first(name), self._check_of(member)) for name, member in shape.members.items()}
        is_union = shape.is_tagged_union

        def check(value: Any, place: str, faults: list[str]) -> None:  # noqa: ANN401 - whatever was sent
            if not isinstance(value, dict):
                raise WrongTypeError(_cannot_be(value, "an object", place))
            prefix = f"{place}." if place else ""
            for name in required:
                if value.get(name) is None:
                    faults.append(_failure("null", prefix + lower_first(name), "Member must not be null"))
            if is_union and sum(item is not None for item in value.values()) != 1:
                faults.append(_failure(_shown(value), place, "Member must have exactly one of its members set"))
            for name, item in value.items():
                if item is not None and name in members:
                    wire_name, check_member = members[name]
                    check_member(item, prefix + wire_name, faults)

        return check

    def _list(self, shape: ListShape) -> Check:
        own = self._rules(shape, len)
        check_member = self._check_of(shape.member)
        is_nested = _is_nested(shape.member)
        wanted = "" if is_nested else _demands(self._rules(shape.member, _length_of(shape.member)))

        def check(value: Any, place: str, faults: list[str]) -> None:  # noqa: ANN401 - whatever was sent
            if not isinstance(value, list | tuple):
                raise WrongTypeError(_cannot_be(value, "a list", place))
            _apply(own, value, place, faults)
            if is_nested:
                for number, item in enumerate(value, 1):
                    if item is not None:
                        check_member(item, f"{place}.{number}.member", faults)
            elif _any_fault(check_member, value, place):
                # AWS names the list of plain values, and all that each of them must be.
                faults.append(_failure(_shown(value), place, f"Member must satisfy constraint: {wanted}"))

        return check

    def _map(self, shape: MapShape) -> Check:
        own = self._rules(shape, len)
        check_key, check_value = self._check_of(shape.key), self._check_of(shape.value)
        is_nested = _is_nested(shape.value)
        wanted_keys = _demands(self._rules(shape.key, len))
        wanted_values = "" if is_nested else _demands(self._rules(shape.value, _length_of(shape.value)))

        def check(value: Any, place: str, faults: list[str]) -> None:  # noqa: ANN401 - whatever was sent
            if not isinstance(value, dict):
                raise WrongTypeError(_cannot_be(value, "a map", place))
            _apply(own, value, place, faults)
            if _any_fault(check_key, value, place):
                faults.append(_failure(_shown(value), place, f"Map keys must satisfy constraint: {wanted_keys}"))
            items = {key: item for key, item in value.items() if item is not None}
            if is_nested:
                for key, item in items.items():
                    check_value(item, f"{place}.{key}.member", faults)
            elif _any_fault(check_value, items.values(), place):
                faults.append(_failure(_shown(value), place, f"Map value must satisfy constraint: {wanted_values}"))

        return check

    def _scalar(self, shape: Shape) -> Check:
        is_right, name = _TYPES.get(shape.type_name, (_is_anything, ""))
        rules = self._rules(shape, _length_of(shape))

        def check(value: Any, place: str, faults: list[str]) -> None:  # noqa: ANN401 - whatever was sent
            if not is_right(value):
                raise WrongTypeError(_cannot_be(value, name, place))
            _apply(rules, value, place, faults)

        return check

    def _rules(self, shape: Shape, length: Callable[[Any], int] | None) -> tuple[Rule, ...]:
        stated = shape.metadata
        rules: list[tuple[str, Callable[[Any], object], str]] = []
        if length:
            rules += _bounds("length", "length", length, stated)
        elif shape.type_name in _NUMBERS:
            rules += _bounds("range", "value", float, stated)
        if stated.get("enum"):
            known = frozenset(stated["enum"])
            rules.append(("enum", known.__contains__, f"enum value set: [{', '.join(stated['enum'])}]"))
        matches = matcher(stated["pattern"]) if shape.type_name == "string" and "pattern" in stated else None
        if matches:
            rules.append(("pattern", matches, f"regular expression pattern: {stated['pattern']}"))
        return tuple(
            (holds, f"Member must {'have' if constraint in ('length', 'range') else 'satisfy'} {demand}")
            for constraint, holds, demand in rules
            if not is_exempt(self._service, shape.name, constraint)
        )


def lower_first(name: str) -> str:
    """A member's name as AWS's messages spell it: `clientRequestToken`."""
    return name[:1].lower() + name[1:]


def message(violations: list[str]) -> str:
    """AWS's message for the faults of a request."""
    errors = "error" if len(violations) == 1 else "errors"
    return f"{len(violations)} validation {errors} detected: {'; '.join(violations)}"


# --- Texts ---------------------------------------------------------------------------------------------------------
_SHOWN_MOST: Final = 1024
"""Characters of a value that a message repeats."""


def _failure(shown: str, place: str, demand: str) -> str:
    value = shown if shown == "null" else f"'{shown}'"
    return f"Value {value} at '{place}' failed to satisfy constraint: {demand}"


def _demands(rules: tuple[Rule, ...]) -> str:
    return f"[{', '.join(demand for _, demand in rules)}]"


def _shown(value: object) -> str:
    if isinstance(value, str):
        text = value
    elif isinstance(value, list | tuple | dict):
        text = json.dumps(value, default=str)
    else:
        text = str(value)
    return text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}…"


def _cannot_be(value: object, wanted: str, place: str) -> str:
    return f"{type(value).__name__} at '{place}' can not be converted to {wanted}"


# --- Rules ---------------------------------------------------------------------------------------------------------
_NUMBERS: Final = frozenset({"integer", "long", "float", "double", "short", "byte"})


def _apply(rules: tuple[Rule, ...], value: Any, place: str, faults: list[str]) -> None:  # noqa: ANN401
    for holds, demand in rules:
        if not holds(value):
            faults.append(_failure(_shown(value), place, demand))


def _any_fault(check: Check, values: Iterable[Any], place: str) -> bool:
    faults: list[str] = []
    for value in values:
        check(value, place, faults)
    return bool(faults)


def _is_nested(shape: Shape) -> bool:
    return isinstance(shape, StructureShape | ListShape | MapShape)


def _bounds(
    constraint: str, measured: str, measure: Callable[[Any], float], stated: Mapping[str, Any]
) -> Iterable[tuple[str, Callable[[Any], object], str]]:
    least, most = stated.get("min"), stated.get("max")
    if least is not None:
        yield constraint, lambda value: measure(value) >= least, f"{measured} greater than or equal to {least}"
    if most is not None:
        yield constraint, lambda value: measure(value) <= most, f"{measured} less than or equal to {most}"


def _length_of(shape: Shape) -> Callable[[Any], int] | None:
    return {"string": len, "blob": _bytes_in}.get(shape.type_name)


def _bytes_in(value: str | bytes) -> int:
    if isinstance(value, str):
        try:
            return len(base64.b64decode(value, validate=False))
        except binascii.Error:
            return len(value)
    return len(value)


def _anything(_value: Any, _place: str, _faults: list[str]) -> None:  # noqa: ANN401 - a document
    """A document may hold whatever JSON can."""


def _is_anything(_value: object) -> bool:
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_integer(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _is_number(value: object) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in _NOT_FINITE


_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")

_TYPES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "string": (_is_text, "a String"),
    "character": (_is_text, "a Character"),
    "boolean": (lambda value: isinstance(value, bool), "a Boolean"),
    "timestamp": (lambda value: isinstance(value, str | int | float | datetime), "a Timestamp"),
    "blob": (lambda value: isinstance(value, str | bytes), "a Blob"),
    **dict.fromkeys(("integer", "long", "short", "byte"), (_is_integer, "an Integer")),
    **dict.fromkeys(("float", "double"), (_is_number, "a Double")),
}
