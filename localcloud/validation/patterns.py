"""The patterns of AWS's models: regular expressions of Java, which must match the whole value."""

from collections.abc import Callable
from functools import cache
from typing import Final

import regex

ASTRAL_PAIR: Final = r"\uD800\uDC00-\uDBFF\uDFFF"
"""How Java, whose text is UTF-16, writes the characters beyond U+FFFF."""

UNREADABLE: Final = frozenset({r"([\w!$&()*+,./:;=?@\x{60}-]|%([\dA-Fa-f]{2}|[\dA-Fa-f]?\*))+"})
"""Patterns that are not checked, for `regex` cannot read them: `\\x{60}` (Amazon Location's RefererPattern)."""


def matcher(pattern: str) -> Callable[[str], object] | None:
    """What tells whether a text matches a model's pattern; None for one of UNREADABLE."""
    return None if pattern in UNREADABLE else compiled(pattern)


@cache
def compiled(pattern: str) -> Callable[[str], object]:
    r"""A function that tests whether a text matches a pattern.

    Java's `matches` takes the whole text; its `\w` and `\d` match ASCII only, its `\p{L}` all letters.
    Raises regex.error for what `regex` cannot read.
    """
    flags = 0 if r"\p{" in pattern else regex.ASCII  # the flag narrows \p{L} as well
    readable = pattern.replace(ASTRAL_PAIR, r"\U00010000-\U0010FFFF")
    full_match: Callable[[str], object] = regex.compile(readable, flags).fullmatch
    return full_match
