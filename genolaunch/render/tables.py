"""Tables of launches, of their events, faults and failed jobs, and of results."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

from rich.cells import cell_len
from rich.table import Table

from genolaunch.contract.launch import Status
from genolaunch.history import Event
from genolaunch.launch import FailedJob, Fault, Launch
from genolaunch.render.words import STATUS_STYLES, duration, moment_text, plain_table, shown, size_text, status_text
from genolaunch.results import ResultObject

_GAP = 2
"""Columns between two of a plain table."""

_TO_THE_MINUTE = len("2026-11-21 13:46")


def launches_table(launches: Sequence[Launch], width: int) -> Table:
    """As many columns as fit into `width`: an id in two lines cannot be copied. `status` tells the others."""
    now = datetime.now(UTC)
    columns = {
        "Launch": [shown(launch.launch_id) for launch in launches],
        "Status": [status_text(launch.status) for launch in launches],
        "Submitted": [shown(moment_text(launch.submitted_at)[:_TO_THE_MINUTE]) for launch in launches],
        "Elapsed": [shown(duration(launch.elapsed(now))) for launch in launches],
        "By": [shown(_person(launch.requested_by)) for launch in launches],
        "Workflow": [shown(launch.workflow or "–") for launch in launches],
    }
    widths = [max(map(cell_len, [heading, *map(str, cells)])) for heading, cells in columns.items()]
    ends = [end - _GAP for end in accumulate(width + _GAP for width in widths)]
    fitting = [heading for heading, end in zip(columns, ends, strict=True) if end <= width] or ["Launch"]
    table = plain_table(*fitting)
    for row in zip(*(columns[heading] for heading in fitting), strict=True):
        table.add_row(*row)
    return table


def _person(requested_by: str | None) -> str:
    """`ada` of `AWS:AROAEXAMPLE:ada`: S3 names a role's id first, and the name of its session after it."""
    return requested_by.rpartition(":")[2] if requested_by else "–"


def events_table(events: Sequence[Event]) -> Table:
    """A launch's history."""
    table = plain_table("Time", "What", "", "")
    for event in events:
        style = STATUS_STYLES.get(Status(event.name), "") if event.kind == "status" else ""
        table.add_row(
            moment_text(event.at), shown(event.kind, "dim"), shown(event.name, style), shown(event.detail or "")
        )
    return table


def faults_table(faults: Sequence[Fault]) -> Table:
    """Faults with their remedies."""
    table = plain_table("Where", "Problem", "Remedy", lines=True)
    for fault in faults:
        table.add_row(shown(fault.where, "bold"), shown(fault.problem), shown(fault.remedy))
    return table


def results_table(results: Sequence[ResultObject]) -> Table:
    """A launch's results."""
    table = plain_table("Result", "Size", "Object")
    for result in results:
        table.add_row(shown(result.path), size_text(result.size), shown(result.uri))
    return table


def failed_jobs_table(jobs: Sequence[FailedJob]) -> Table:
    """Failed jobs with their reasons."""
    table = plain_table("Failed job", "Error", "Reason", "Exit code", lines=True)
    for job in jobs:
        exit_code = "–" if job.exit_code is None else str(job.exit_code)
        table.add_row(shown(job.label), shown(job.error_type or "–"), shown(job.reason or "–"), exit_code)
    return table
