"""Whether a statement is about a request: its resources and its conditions, as IAM reads them.

IAM user guide, "IAM JSON policy elements: Condition operators" and "Variables and tags", and "Set operators for
multivalued context keys". What this cloud does not know closes: by an operator or a condition key of which it knows
nothing, nothing is allowed, and what a denial may be about is denied.
"""

import ipaddress
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from localcloud.iam.condition_keys import is_known

logger = logging.getLogger("localcloud.iam")

ValueOf = Callable[[str], Any]
"""From a condition key: its value in the request, a list if it is multivalued; None (or an empty list) without one."""

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_LITERAL: Final = "\ue000"
"""Before a character of a pattern that stands for itself (of Unicode's private use)."""
_WILDCARDS: Final = {"*": _LITERAL + "*", "?": _LITERAL + "?", "$": "$"}


# --- Patterns and variables ----------------------------------------------------------------------------------------
def filled(pattern: str, value_of: ValueOf) -> str | None:
    """A pattern with its policy variables filled in; None if the request has no value for one of them.

    What comes from the request stands for itself: a `*` in it is no wildcard.
    """
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        name = found[1].strip()
        if name in _WILDCARDS:
            return _WILDCARDS[name]
        key, comma, default = (part.strip() for part in name.partition(","))
        value = value_of(key)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None  # a multivalued key is no variable
        if value is None and comma:
            value = default.strip("'")
        missing = missing or value is None
        return "".join(_LITERAL + each if each in "*?" else each for each in str(value))

    text = _VARIABLE.sub(fill, pattern)
    return None if missing else text


def matches(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether a value fits a pattern with `*` and `?`."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


@lru_cache(4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts: list[str] = []
    characters = iter(pattern)
    for each in characters:
        if each == _LITERAL:
            parts.append(re.escape(next(characters, "")))
        else:
            parts.append({"*": ".*", "?": "."}.get(each, re.escape(each)))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _plain(pattern: str) -> str:
    return pattern.replace(_LITERAL, "")


def resources_match(resource: str, patterns: Sequence[str], excluded: Sequence[str], value_of: ValueOf) -> bool:
    """Whether a statement with these `Resource` or `NotResource` elements is about a resource."""
    if patterns:
        return any(matches(resource, each) for pattern in patterns if (each := filled(pattern, value_of)) is not None)
    known = [filled(pattern, value_of) for pattern in excluded]
    return None not in known and not any(matches(resource, each) for each in known if each is not None)


# --- Conditions ----------------------------------------------------------------------------------------------------
def conditions_met(conditions: Mapping[str, Any] | None, value_of: ValueOf, effect: str) -> bool:
    """Whether all of a statement's conditions are met. `effect`: Allow or Deny."""
    return all(
        _is_met(operator, key, _as_list(expected), value_of, effect)
        for operator, block in (conditions or {}).items()
        for key, expected in block.items()
    )


def _is_met(operator: str, key: str, expected: list[str], value_of: ValueOf, effect: str) -> bool:
    if not is_known(key):
        return _closed(f"the condition key {key}", effect)
    name, is_of_all, is_of_any, if_exists = _parts(operator)
    actual = value_of(key)
    if actual == []:
        actual = None  # "ForAllValues … also returns true … if the context key value is an empty string/set"
    if name == "null":
        return (actual is None) == (expected[0].lower() == "true")
    if name not in _OPERATORS:
        return _closed(f"the condition operator {operator}", effect)
    if actual is None:
        return if_exists or is_of_all or (name in _NEGATED and not is_of_any)
    if isinstance(actual, list) and not is_of_all and not is_of_any:
        if len(actual) > 1:
            return _closed(f"{operator} of the multivalued key {key}", effect)
        actual = actual[0]
    values = [str(each) for each in actual] if isinstance(actual, list) else [str(actual)]
    known = [filled(each, value_of) if name.startswith(("string", "arn")) else each for each in expected]
    if None in known and name in _NEGATED and effect == "Allow":
        return False
    patterns = [each for each in known if each is not None]
    combine = any if is_of_any else all
    return combine(_fits(name, value, patterns) for value in values)


def _fits(name: str, value: str, patterns: Sequence[str]) -> bool:
    """One value against all of the policy's: OR, and NOR for the negated operators."""
    if name in _NEGATED:
        return not any(_OPERATORS[_NEGATED[name]](value, each) for each in patterns)
    return any(_OPERATORS[name](value, each) for each in patterns)


def _closed(what: str, effect: str) -> bool:
    logger.warning(
        "This cloud does not know %s: by it nothing is allowed, and all is denied that a denial with it may be about",
        what,
    )
    return effect == "Deny"


def _parts(operator: str) -> tuple[str, bool, bool, bool]:
    """Its name in small letters; ForAllValues; ForAnyValue; …IfExists."""
    name = operator.lower()
    is_of_all, is_of_any = name.startswith("forallvalues:"), name.startswith("foranyvalue:")
    name = name.partition(":")[2] if is_of_all or is_of_any else name
    return name.removesuffix("ifexists"), is_of_all, is_of_any, name.endswith("ifexists")


def _as_list(expected: Any) -> list[str]:  # noqa: ANN401 - a text, a number, a truth, or several
    values = expected if isinstance(expected, list) else [expected]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


# --- Operators -----------------------------------------------------------------------------------------------------
def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(value: str, expected: str) -> bool:
        try:
            return compare(float(value), float(expected))
        except ValueError:
            return False

    return compared


def _dates(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(value: str, expected: str) -> bool:
        try:
            return compare(_seconds(value), _seconds(expected))
        except ValueError:
            return False

    return compared


def _seconds(text: str) -> float:
    """Of a W3C date or seconds since 1970."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _arn_fits(value: str, pattern: str) -> bool:
    """Compare ARNs: "Each of the six colon-delimited components of the ARN is checked separately"."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(matches, parts, patterns))


def _in_network(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda value, expected: value == _plain(expected),
    "stringequalsignorecase": lambda value, expected: value.lower() == _plain(expected).lower(),
    "stringlike": matches,
    "numericequals": _numbers(lambda value, expected: value == expected),
    "numericlessthan": _numbers(lambda value, expected: value < expected),
    "numericlessthanequals": _numbers(lambda value, expected: value <= expected),
    "numericgreaterthan": _numbers(lambda value, expected: value > expected),
    "numericgreaterthanequals": _numbers(lambda value, expected: value >= expected),
    "dateequals": _dates(lambda value, expected: value == expected),
    "datelessthan": _dates(lambda value, expected: value < expected),
    "datelessthanequals": _dates(lambda value, expected: value <= expected),
    "dategreaterthan": _dates(lambda value, expected: value > expected),
    "dategreaterthanequals": _dates(lambda value, expected: value >= expected),
    "bool": lambda value, expected: value.lower() == expected.lower(),
    "binaryequals": lambda value, expected: value == expected,
    "ipaddress": _in_network,
    "arnequals": _arn_fits,
    "arnlike": _arn_fits,
    # The negated ones are told by those that they negate.
    **dict.fromkeys(
        (
            *("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "numericnotequals", "datenotequals"),
            *("notipaddress", "arnnotequals", "arnnotlike"),
        ),
        lambda _value, _expected: False,
    ),
}
_NEGATED: Final = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
