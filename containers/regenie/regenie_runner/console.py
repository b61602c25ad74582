"""Messages to the job's log."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """One line to the log, at once: what the command prints next must come after it."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line to standard error."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
