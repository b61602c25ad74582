"""Log lines."""

from rich.text import Text

from genolaunch.job_logs import LogLine

_LOG_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


def log_line(line: LogLine) -> Text:
    """One line with its time and a job prefix, each job in a colour of its own."""
    colour = _LOG_COLOURS[sum(line.job.encode()) % len(_LOG_COLOURS)]
    time = f"{line.at.astimezone():%H:%M:%S} " if line.at else ""
    return Text.assemble((time, "dim"), (f"{line.job:<12} ", colour), line.message)
