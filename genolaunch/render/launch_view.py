"""Shows one launch: facts, steps, progress of running jobs, and why it failed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from genolaunch.batch_jobs import Job
from genolaunch.contract.cost import PRICED_STATUSES, CostStatus
from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.launch import Estimate, JobCounts, Launch
from genolaunch.progress import Snapshot
from genolaunch.render.tables import failed_jobs_table, faults_table
from genolaunch.render.words import duration, facts_grid, moment_text, plain_table, shown, status_text, step_title
from genolaunch.shared.printable import printable
from genolaunch.steps import Step, StepState
from genolaunch.workflows import commands_for

_STEP_MARKS = {
    StepState.RUNNING: ("…", "cyan"),
    StepState.DONE: ("✓", "green"),
    StepState.FAILED: ("✗", "red"),
    StepState.STOPPED: ("■", "yellow"),
}


def launch_view(snapshot: Snapshot) -> RenderableType:
    """Shows one launch: facts, steps, progress of running jobs, and why it failed."""
    parts: list[RenderableType] = [_facts(snapshot)]
    if snapshot.steps:
        parts += ["", steps_table(snapshot.steps, snapshot.at)]
    if snapshot.launch.progress and not snapshot.launch.is_final:
        parts += ["", _progress_bar(snapshot.launch.progress)]
    elif snapshot.jobs_under_way:
        parts += ["", _job_bars(snapshot.jobs_under_way)]
    if snapshot.launch.error and snapshot.launch.error.faults:
        parts += ["", faults_table(snapshot.launch.error.faults)]
    if snapshot.launch.lists:
        parts += ["", *(shown(f"Note: {sentence}") for sentence in snapshot.launch.lists)]
    if snapshot.launch.findings:
        parts += ["", *(shown(f"Found: {sentence}") for sentence in snapshot.launch.findings)]
    if snapshot.launch.warnings:
        parts += ["", *(shown(f"Warning: {warning}", "yellow") for warning in snapshot.launch.warnings)]
    if snapshot.failed_jobs:
        logs = shown(f"Their log lines: genolaunch logs {snapshot.launch.launch_id} --failed", "dim")
        parts += ["", failed_jobs_table(snapshot.failed_jobs), logs]
    return Group(*parts)


def _facts(snapshot: Snapshot) -> Table:
    launch = snapshot.launch
    facts = facts_grid()
    rows: list[tuple[str, str | Text | None]] = [
        ("Launch", shown(launch.launch_id, "bold")),
        ("Status", status_text(launch.status)),
        ("Workflow", launch.workflow),
        ("Compute", launch.compute_service),
        ("Data", launch.data_path),
        ("Config", launch.config_uri),
        ("Requested by", launch.requested_by),
        ("Submitted", moment_text(launch.submitted_at)),
        ("Waiting" if launch.status is Status.RUNNING else "Waits for", launch.status_reason),
        (
            "Expected",
            moment_text(launch.restore.expected_at) if launch.status is Status.WAITING and launch.restore else None,
        ),
        ("Estimate", estimate_line(launch.estimate) if launch.estimate else None),
        ("Price", _price(launch)),
        ("Budget", launch.budget_reason),
        ("Elapsed", duration(launch.elapsed(snapshot.at))),
        ("Attempt", str(launch.attempt) if launch.attempt > 1 else None),
        ("Results", launch.results_uri),
        ("Report", launch.report_uri),
        ("Jobs", _counts(launch.progress)),
        ("Error", f"{launch.error.type}: {launch.error.message}" if launch.error else None),
        ("Next", _next(launch)),
    ]
    for name, value in rows:
        if value is not None:
            facts.add_row(name, value if isinstance(value, Text) else shown(value))
    return facts


_OF_CONFIG_OR_SOURCES: Final = frozenset(
    {
        ErrorType.MISSING_REQUIRED_PARAMETERS,
        ErrorType.INVALID_ARGUMENTS,
        ErrorType.LAUNCH_INPUT,
        ErrorType.APPLICATION_ERROR,
    }
)
"""Errors that a retry repeats unless the config or the sources change, because it uses what was submitted."""


def _next(launch: Launch) -> str | None:
    """The next step after the end of a launch."""
    id_ = launch.launch_id
    if launch.status is Status.COMPLETE:
        return f"genolaunch results {id_} --download DIR; its price: genolaunch cost {id_}"
    if launch.status in (Status.FAILED, Status.CANCELLED):
        retry = f"genolaunch retry {id_} continues it"
        if launch.error and _is_mended_by_its_author(launch.error.type, launch.workflow):
            return f"correct what the error names and submit it again; or, with the same config and sources, {retry}"
        return retry
    if launch.status is Status.REJECTED:
        return "correct the config, or the data, and submit it again"
    return None


def _is_mended_by_its_author(error: str, workflow: str | None) -> bool:
    """Whether a retry would meet the error again: where it cannot give jobs more memory, their sources have to."""
    lacks_memory = error == ErrorType.OUT_OF_MEMORY
    return error in _OF_CONFIG_OR_SOURCES or (lacks_memory and not commands_for(workflow).has_phases)


def _price(launch: Launch) -> str | None:
    """The cost so far, or that the cost of an ended launch is not known yet."""
    price = launch.price
    if price and price.usd is not None:
        attempts = f", {launch.attempt} attempts together" if launch.attempt > 1 else ""
        if not price.is_whole:
            attempts = ", of earlier attempts: the last one's is not known yet"
        return f"{Decimal(price.usd):.4f} USD at list prices{attempts}"
    if launch.status not in PRICED_STATUSES or not launch.started_at:
        return None
    if price and price.status is CostStatus.UNKNOWN:
        return f"unknown: {price.reason}" if price.reason else "unknown"
    return "not known yet: that takes some minutes after its end"


def estimate_line(estimate: Estimate) -> str:
    """The estimate of the cost, its range, and its basis."""
    return f"{estimate.usd} USD ({estimate.low} to {estimate.high}; {estimate.basis})"


def steps_table(steps: Sequence[Step], now: datetime) -> Table:
    """The steps of a launch with their times."""
    table = plain_table("Step", "State", "Elapsed")
    table.columns[2].justify = "right"
    for step in steps:
        mark, style = _STEP_MARKS[step.state]
        table.add_row(
            shown(step_title(step.name)), shown(f"{mark} {step.state.lower()}", style), duration(step.elapsed(now))
        )
    return table


def _counts(counts: JobCounts | None) -> str | None:
    if counts is None:
        return None
    return f"{counts.done} of {counts.total} done" + (f", {counts.failed} failed" if counts.failed else "")


def _progress_bar(counts: JobCounts) -> RenderableType:
    bars = _bars()
    failed = f"{counts.failed} failed" if counts.failed else ""
    bars.add_task("Jobs", total=counts.total, completed=counts.done, detail=failed)
    return bars.get_renderable()


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[detail]}")
    )


def _job_bars(jobs: Sequence[Job]) -> RenderableType:
    bars = _bars()
    for job in jobs:
        bars.add_task(
            escape(printable(job.label)), total=job.size, completed=job.succeeded + job.failed, detail=_detail(job)
        )
    return bars.get_renderable()


def _detail(job: Job) -> str:
    if not job.is_array:
        return job.status.lower()
    failed = f", {job.failed} failed" if job.failed else ""
    return f"{job.running} running{failed}"
