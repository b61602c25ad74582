r"""Makes foreign text (keys, ids, names, reasons, log lines) safe to show on a terminal, a page, in a notice or a log.

What could move a cursor, forge a line, turn the order of reading or hide a part is written as an escape, such as
`\x1b` or `\u202e`. One function, used where text leaves this project (regenie_runner/console.py has the same rule, in
an image that has none of this folder).
"""

import json
from typing import Any


def printable(text: str, *, keep: str = "") -> str:
    r"""The text on one line, with nothing in it that does anything but show itself.

    It escapes every character that Python's `str.isprintable` denies: control characters (C0, C1, DEL), line and
    paragraph breaks, format characters (bidirectional overrides, zero-width ones, tags), surrogates, private and
    unassigned characters, and spaces other than the usual one.

    Args:
        text: any text.
        keep: characters that stay, such as "\n" where lines are meant.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else _escaped(each) for each in text)


def json_text(document: Any, *, indent: int | None = None) -> str:  # noqa: ANN401 - any JSON value
    """The document as JSON that holds nothing but printable characters; a program reads the very same values."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)


def one_line_ascii(text: str, longest: int) -> str:
    """For a mail's subject: Amazon SNS takes printable ASCII without line breaks (API reference, Publish)."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text)[:longest]


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
