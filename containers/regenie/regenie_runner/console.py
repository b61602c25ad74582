"""Messages to the job's log."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """One line to the log, at once: what the command prints next must come after it."""
    sys.stdout.write(printable(message, keep="\n\t") + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line to standard error."""
    sys.stderr.write(printable(message, keep="\n\t") + "\n")
    sys.stderr.flush()


def printable(text: str, *, keep: str = "") -> str:
    """As genolaunch/shared/printable.py, which this image has not: nothing in it does anything but show itself."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else each.encode("unicode_escape").decode("ascii") for each in text
    )
