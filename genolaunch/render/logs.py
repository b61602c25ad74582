"""Log lines."""

from typing import Final

from rich.text import Text

from genolaunch.job_logs import LogLine
from genolaunch.shared.printable import printable

_LOG_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


_OF_ITS_OWN: Final = " " * 4
"""Begins what follows a line break in a message: it must not look like another job's line."""


def log_line(line: LogLine) -> Text:
    """One line with its time and a job prefix, each job in a colour of its own."""
    colour = _LOG_COLOURS[sum(line.job.encode()) % len(_LOG_COLOURS)]
    time = f"{line.at.astimezone():%H:%M:%S} " if line.at else ""
    return Text.assemble((time, "dim"), (f"{line.job:<12} ", colour), _message(line.message))


def _message(text: str) -> str:
    return f"\n{_OF_ITS_OWN}".join(printable(line.expandtabs()) for line in text.split("\n"))
