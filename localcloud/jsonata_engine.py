"""Makes the embedded cloud's JSONata engine (a Python port) do as the reference of version 2.0.6, which AWS has.

What is mended here are whole functions and operators in which the port differs, or is ahead. Long numbers are not:
beyond 15 digits the two write them differently. `make check-jsonata` compares the engines on the platform's own
expressions.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.tokenizer import Tokenizer

_NEWER_OPERATORS: Final = ("??", "?:")
"""JSONata has them since 2.1."""


def behave_like_reference() -> None:
    """Change the engine, for all of this process."""
    if Tokenizer.create is not _create:
        Tokenizer.create = _create
        functions = jsonata.Jsonata.static_frame
        for name, function in _FUNCTIONS.items():
            native = functions.lookup(name)
            native.method, native.nargs = function, function.__code__.co_argcount
        # Its signature would turn null into nothing.
        functions.bind("count", jsonata.Jsonata.JLambda(_count))


_create_token: Final = Tokenizer.create


def _create(tokenizer: Tokenizer, kind: str | None, value: Any) -> Any:  # noqa: ANN401 - the port's types
    if kind == "operator" and value in _NEWER_OPERATORS:
        raise JException("S0211", tokenizer.position, "?")
    return _create_token(tokenizer, kind, value)


def _eval(_expression: object, _focus: object) -> None:
    raise ValueError("Step Functions has no $eval; $parse reads JSON.")


def _count(values: Any) -> int:  # noqa: ANN401 - any JSON
    """Of null, 1: it is a value."""
    if values is None:
        return 0
    return len(values) if isinstance(values, list) else 1


_own_split: Final = Functions.split


def _split(text: Any, separator: Any, limit: Any) -> Any:  # noqa: ANN401 - any JSON, or a regular expression
    """What the groups of a regular expression match is no part of the result."""
    if isinstance(text, str) and hasattr(separator, "finditer") and (limit is None or limit > 0):
        parts, begin = [], 0
        for found in separator.finditer(text):
            if found.group() == "":
                raise JException("D1004", -1)
            parts.append(text[begin : found.start()])
            begin = found.end()
        return [*parts, text[begin:]][: None if limit is None else _ceil(limit)]
    return _own_split(text, separator, limit)


def _ceil(limit: float) -> int:
    return int(limit) + (limit > int(limit))


_own_format: Final = Functions.format_number


def _format_number(value: Any, picture: str, options: Any) -> Any:  # noqa: ANN401 - any JSON
    """A half is rounded to the even neighbour."""
    plain = isinstance(value, int | float) and not options and not re.search(r"\de\d", picture)
    if plain:
        part = picture.split(";")[0 if value >= 0 else -1]
        digits = len(re.findall(r"[#\d]", part.partition(".")[2])) + (2 if "%" in part else 3 if "‰" in part else 0)
        value = Functions.round(value, digits)
    return _own_format(value, picture, options)


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "eval": _eval,
    "split": _split,
    "formatNumber": _format_number,
}
