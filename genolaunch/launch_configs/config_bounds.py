"""Limits of the values in a launch config, for YAML and JSON: depth of sections, text, and size of numbers.

YAML and JSON allow values that later readers cannot take. DynamoDB stores text as UTF-8. The config is passed on as
JSON, where numbers are finite, to programs that read integers of 64 bits.
"""

import math
from collections.abc import Iterator
from typing import Final

Location = tuple[int | str, ...]
"""Keys and list indices from the top of the config down to a value."""

DEEPEST_NESTING: Final = 20
"""Levels. A launch config has 4, and 20 is far below the recursion limit of any reader."""

_LARGEST_INTEGER: Final = 2**63 - 1

_PROBLEMS: Final = {
    "key": ("has a key that is not text", "Write each key as a word."),
    "text": ("holds characters that are no text (unpaired surrogates)", "Remove these characters."),
    "float": ("holds a number that is too large", "Write a smaller number, or text in quotes."),
    "integer": (
        f"holds a number that is too large: whole numbers may have 64 bits, up to {_LARGEST_INTEGER}",
        "Write a smaller number, or text in quotes.",
    ),
}


def is_too_deep(values: object) -> bool:
    """Whether sections and lists are nested more deeply than DEEPEST_NESTING."""
    level = [values]
    for _ in range(DEEPEST_NESTING):
        level = [inner for value in level for inner in _inner(value)]
        if not level:
            return False
    return True


def out_of_bounds(values: object) -> Iterator[tuple[Location, str, str]]:
    """Find the values that cannot be passed on.

    Args:
        values: Parsed YAML or JSON that is not nested too deeply (see is_too_deep).

    Yields:
        Place, problem and remedy of each such value.
    """
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
    """Whether UTF-8 can hold the text. It cannot hold unpaired surrogates, which JSON and YAML can express."""
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
