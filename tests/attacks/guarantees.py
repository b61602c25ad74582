"""Ties tests to docs/security.md: each names the sentence that it proves, and the sentence must be there."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

_DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
HEADING = "## What an attacker meets"
"""Of the section whose every bullet some test proves (test_guarantees.py)."""

Test = TypeVar("Test", bound=Callable[..., object])


@cache
def document() -> str:
    """docs/security.md with single spaces."""
    return " ".join(_DOCUMENT.read_text(encoding="utf-8").split())


def guarantee(sentence: str) -> Callable[[Test], Test]:
    """Mark a test, or a class of tests, as the proof of a sentence of docs/security.md.

    Raises:
        ValueError: the document has no such sentence. Mend what parted: the document, or the test.
    """
    if " ".join(sentence.split()) not in document():
        raise ValueError(f"docs/security.md does not say: {sentence}")

    def marked(test: Test) -> Test:
        return test

    return marked


def promised() -> list[str]:
    """The bullets of the section."""
    text = _DOCUMENT.read_text(encoding="utf-8")
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    return [" ".join(bullet.split()) for bullet in section.split("\n* ")[1:]]
