"""Tables of launches, of their events, faults and failed jobs, and of results."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from contract import Status
from genolaunch.history import Event
from genolaunch.launch import FailedJob, Fault, Launch
from genolaunch.render.words import STATUS_STYLES, duration, moment_text, plain_table, size_text, status_text
from genolaunch.results import ResultObject


def launches_table(launches: Sequence[Launch]) -> Table:
    table = plain_table("Launch", "Status", "Workflow", "Submitted", "Elapsed", "By")
    now = datetime.now(UTC)
    for launch in launches:
        table.add_row(
            launch.launch_id,
            status_text(launch.status),
            launch.workflow or "–",
            moment_text(launch.submitted_at),
            duration(launch.elapsed(now)),
            launch.requested_by or "–",
        )
    return table


def events_table(events: Sequence[Event]) -> Table:
    table = plain_table("Time", "What", "", "")
    for event in events:
        style = STATUS_STYLES.get(Status(event.name), "") if event.kind == "status" else ""
        table.add_row(moment_text(event.at), Text(event.kind, "dim"), Text(event.name, style), Text(event.detail or ""))
    return table


def faults_table(faults: Sequence[Fault]) -> Table:
    table = plain_table("Where", "Problem", "Remedy", lines=True)
    for fault in faults:
        table.add_row(Text(fault.where, "bold"), Text(fault.problem), Text(fault.remedy))
    return table


def results_table(results: Sequence[ResultObject]) -> Table:
    table = plain_table("Result", "Size", "Object")
    for result in results:
        table.add_row(Text(result.path), size_text(result.size), Text(result.uri))
    return table


def failed_jobs_table(jobs: Sequence[FailedJob]) -> Table:
    table = plain_table("Failed job", "Error", "Reason", "Exit code", lines=True)
    for job in jobs:
        exit_code = "–" if job.exit_code is None else str(job.exit_code)
        table.add_row(Text(job.label), Text(job.error_type or "–"), Text(job.reason or "–"), exit_code)
    return table
