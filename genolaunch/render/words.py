"""How durations, moments, sizes and statuses are written, and what tables look like."""

from datetime import datetime, timedelta

from rich.table import Table
from rich.text import Text

from genolaunch.contract.launch import Status
from genolaunch.shared.printable import printable

STATUS_STYLES = {
    Status.COMPLETE: "bold green",
    Status.FAILED: "bold red",
    Status.REJECTED: "bold red",
    Status.CANCELLED: "bold yellow",
    Status.CANCEL_REQUESTED: "yellow",
    Status.RUNNING: "bold cyan",
    Status.WAITING: "blue",
    Status.HELD: "bold yellow",
}


def duration(time: timedelta | None) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 03 min`."""
    if time is None:
        return "–"
    seconds = time.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02} min" if hours else f"{minutes} min {rest:02} s"


def moment_text(moment: datetime | None) -> str:
    """In the time zone of who reads it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "–"


def size_text(size: int) -> str:
    """Of bytes: `7 B`, `1.23 MB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def status_text(status: Status) -> Text:
    """A status in its colour."""
    return Text(status.value, STATUS_STYLES.get(status, ""))


def shown(text: str, style: str = "") -> Text:
    """A text of others on one line: a line break in a key or an id would look like another line of a table."""
    return Text(printable(text), style)


def plain_table(*headings: str, lines: bool = False) -> Table:
    """A table of these columns, to be filled."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_lines=lines)
    for heading in headings:
        # An id that is cut off cannot be copied.
        table.add_column(heading, overflow="fold")
    return table


def facts_grid() -> Table:
    """A table of names and values, to be filled."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    return grid


def step_title(name: str) -> str:
    """A step's name for people: the one that begins when something failed is itself no failure."""
    return "Collecting the reasons" if name == "Failure" else name
