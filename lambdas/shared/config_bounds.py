"""What a launch config may hold, whichever format it is written in: text, numbers and sections that all readers take.

YAML and JSON can say more than what becomes of a config: DynamoDB's text is UTF-8, and the config is handed on as
JSON, whose numbers are finite, and are read by programs that know 64 bits.
"""

import math
from collections.abc import Iterator
from typing import Final

Location = tuple[int | str, ...]
"""Keys and list indices from the top of the config down to a value."""

DEEPEST_NESTING: Final = 20
"""Levels; a launch config has 4. Far below what recursion in any reader bears."""

_LARGEST_INTEGER: Final = 2**63 - 1

_PROBLEMS: Final = {
    "key": ("has a key that is not text", "Write each key as a word."),
    "text": ("holds characters that are no text", "Take out the characters that are no text."),
    "float": ("holds a number that is too large", "Write a smaller number, or text in quotes."),
    "integer": (
        f"holds a number that is too large: whole numbers may have 64 bits, up to {_LARGEST_INTEGER}",
        "Write a smaller number, or text in quotes.",
    ),
}


def is_too_deep(values: object) -> bool:
    """Whether more sections and lists are inside each other than any launch config needs."""
    level = [values]
    for _ in range(DEEPEST_NESTING):
        level = [inner for value in level for inner in _inner(value)]
        if not level:
            return False
    return True


def out_of_bounds(values: object) -> Iterator[tuple[Location, str, str]]:
    """Place, problem and remedy of each value (of plain ones, not nested too deeply) that cannot be handed on."""
    waiting: list[tuple[Location, object]] = [((), values)]
    while waiting:
        place, value = waiting.pop()
        kind = _kind_of_problem(value)
        if kind:
            yield (place, *_PROBLEMS[kind])
        if isinstance(value, dict):
            waiting += [((*place, key if isinstance(key, str) else str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*place, number), inner) for number, inner in enumerate(value)]


def is_text(value: str) -> bool:
    """False for halves of surrogate pairs, which JSON and YAML can name and UTF-8 cannot hold."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _kind_of_problem(value: object) -> str | None:
    match value:
        case dict() if not all(isinstance(key, str) for key in value):
            return "key"
        case dict() if not all(map(is_text, value)):
            return "text"
        case str() if not is_text(value):
            return "text"
        case float() if not math.isfinite(value):
            return "float"
        case int() if abs(value) > _LARGEST_INTEGER:
            return "integer"
    return None


def _inner(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
