"""What people see in the terminal: tables, live progress, and plain lines where there is no terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from contract import Status
from genolaunch.batch_jobs import Job
from genolaunch.history import Event
from genolaunch.job_logs import LogLine
from genolaunch.launches import Estimate, FailedJob, Fault, JobCounts, Launch
from genolaunch.progress import Snapshot
from genolaunch.restores import Restore
from genolaunch.results import ResultObject
from genolaunch.steps import Step, StepState

_WIDTH_WITHOUT_TERMINAL = 200
"""Columns for output to a file or pipe, so that ids and URIs stay on one line."""

_LOG_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")

_STATUS_STYLES = {
    Status.COMPLETE: "bold green",
    Status.FAILED: "bold red",
    Status.REJECTED: "bold red",
    Status.CANCELLED: "bold yellow",
    Status.CANCEL_REQUESTED: "yellow",
    Status.RUNNING: "bold cyan",
    Status.WAITING: "blue",
    Status.HELD: "bold yellow",
}

_STEP_MARKS = {
    StepState.RUNNING: ("…", "cyan"),
    StepState.DONE: ("✓", "green"),
    StepState.FAILED: ("✗", "red"),
    StepState.STOPPED: ("■", "yellow"),
}


def console() -> Console:
    """Standard output, wide enough for whole ids where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False)


def progress_console(*, quiet: bool) -> Console:
    """Standard error, so that a script finds nothing but the answer on standard output; nothing at all if `quiet`."""
    width = None if sys.stderr.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(width=width, highlight=False, quiet=quiet, stderr=True)


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


# --- Tables --------------------------------------------------------------------------------------------------------
def launches_table(launches: Sequence[Launch]) -> Table:
    table = _table("Launch", "Status", "Workflow", "Submitted", "Elapsed", "By")
    now = datetime.now(UTC)
    for launch in launches:
        table.add_row(
            launch.launch_id,
            _status(launch.status),
            launch.workflow or "–",
            _moment(launch.submitted_at),
            duration(launch.elapsed(now)),
            launch.requested_by or "–",
        )
    return table


def events_table(events: Sequence[Event]) -> Table:
    table = _table("Time", "What", "", "")
    for event in events:
        style = _STATUS_STYLES.get(Status(event.name), "") if event.kind == "status" else ""
        table.add_row(_moment(event.at), Text(event.kind, "dim"), Text(event.name, style), Text(event.detail or ""))
    return table


def follow_launches(screen: Console, looks: Iterable[Sequence[Launch]]) -> None:
    """Show lists of launches as they come: live on a terminal, else a line for each launch that changed."""
    if screen.is_terminal:
        with Live(console=screen, auto_refresh=False) as live:
            for launches in looks:
                live.update(launches_table(launches), refresh=True)
        return
    known: dict[str, Status] = {}
    for launches in looks:
        for launch in reversed(launches):
            if known.get(launch.launch_id) != launch.status:
                screen.print(Text(f"{datetime.now().astimezone():%H:%M:%S}  {launch.launch_id} is {launch.status}"))
            known[launch.launch_id] = launch.status


def faults_table(faults: Sequence[Fault]) -> Table:
    table = _table("Where", "Problem", "Remedy", lines=True)
    for fault in faults:
        table.add_row(Text(fault.where, "bold"), Text(fault.problem), Text(fault.remedy))
    return table


def results_table(results: Sequence[ResultObject]) -> Table:
    table = _table("Result", "Size", "Object")
    for result in results:
        table.add_row(Text(result.path), _size(result.size), Text(result.uri))
    return table


def steps_table(steps: Sequence[Step], now: datetime) -> Table:
    table = _table("Step", "State", "Elapsed")
    table.columns[2].justify = "right"
    for step in steps:
        mark, style = _STEP_MARKS[step.state]
        table.add_row(Text(step.name), Text(f"{mark} {step.state.lower()}", style), duration(step.elapsed(now)))
    return table


def failed_jobs_table(jobs: Sequence[FailedJob]) -> Table:
    table = _table("Failed job", "Error", "Reason", "Exit code", lines=True)
    for job in jobs:
        exit_code = "–" if job.exit_code is None else str(job.exit_code)
        table.add_row(Text(job.label), Text(job.error_type or "–"), Text(job.reason or "–"), exit_code)
    return table


def _table(*headings: str, lines: bool = False) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_lines=lines)
    for heading in headings:
        # An id that is cut off cannot be copied.
        table.add_column(heading, overflow="fold")
    return table


# --- A launch ------------------------------------------------------------------------------------------------------
def launch_view(snapshot: Snapshot) -> RenderableType:
    """Everything about one launch: facts, steps, bars of the jobs under way, and why it failed."""
    parts: list[RenderableType] = [_facts(snapshot)]
    if snapshot.steps:
        parts += ["", steps_table(snapshot.steps, snapshot.at)]
    if snapshot.launch.progress and not snapshot.launch.is_final:
        parts += ["", _progress_bar(snapshot.launch.progress)]
    elif snapshot.jobs_under_way:
        parts += ["", _job_bars(snapshot.jobs_under_way)]
    if snapshot.launch.error and snapshot.launch.error.faults:
        parts += ["", faults_table(snapshot.launch.error.faults)]
    if snapshot.launch.warnings:
        parts += ["", *(Text(f"Warning: {warning}", "yellow") for warning in snapshot.launch.warnings)]
    if snapshot.failed_jobs:
        logs = Text(f"Their log lines: genolaunch logs {snapshot.launch.launch_id} --failed", "dim")
        parts += ["", failed_jobs_table(snapshot.failed_jobs), logs]
    return Group(*parts)


def _facts(snapshot: Snapshot) -> Table:
    launch = snapshot.launch
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    rows: list[tuple[str, str | Text | None]] = [
        ("Launch", Text(launch.launch_id, "bold")),
        ("Status", _status(launch.status)),
        ("Workflow", launch.workflow),
        ("Compute", launch.compute_service),
        ("Data", launch.data_path),
        ("Config", launch.config_uri),
        ("Requested by", launch.requested_by),
        ("Submitted", _moment(launch.submitted_at)),
        ("Waiting" if launch.status is Status.RUNNING else "Waits for", launch.status_reason),
        (
            "Expected",
            _moment(launch.restore.expected_at) if launch.status is Status.WAITING and launch.restore else None,
        ),
        ("Estimate", estimate_line(launch.estimate) if launch.estimate else None),
        ("Budget", launch.budget_reason),
        ("Elapsed", duration(launch.elapsed(snapshot.at))),
        ("Attempt", str(launch.attempt) if launch.attempt > 1 else None),
        ("Results", launch.results_uri),
        ("Report", launch.report_uri),
        ("Jobs", _counts(launch.progress)),
        ("Error", f"{launch.error.type}: {launch.error.message}" if launch.error else None),
    ]
    for name, value in rows:
        if value is not None:
            facts.add_row(name, value if isinstance(value, Text) else Text(value))
    return facts


def estimate_line(estimate: Estimate) -> str:
    """What it is expected to cost, in which range, and how that is known."""
    return f"{estimate.usd} USD ({estimate.low} to {estimate.high}; {estimate.basis})"


def restore_view(restore: Restore) -> RenderableType:
    """How far a restore is, and what cannot be restored."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    so_far = "" if restore.counted else " so far (S3 still lists them)"
    rows = {
        "Launch": restore.launch_id,
        "Tier": restore.tier,
        "Objects": f"{restore.restored:,} of {restore.objects:,}{so_far}",
        "Bytes": f"{_size(restore.restored_bytes)} of {_size(restore.bytes)}",
        "Failed": f"{restore.failed:,}" if restore.failed else None,
        "Expected": _moment(restore.expected_at),
        "Gives up": _moment(restore.gives_up_at),
    }
    for name, value in rows.items():
        if value is not None:
            facts.add_row(name, Text(value))
    if not restore.failed_objects:
        return facts
    table = _table("Object", "Reason")
    for each in restore.failed_objects:
        table.add_row(Text(each.uri), Text(each.reason))
    return Group(facts, "", table)


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
        bars.add_task(escape(job.label), total=job.size, completed=job.succeeded + job.failed, detail=_detail(job))
    return bars.get_renderable()


def _detail(job: Job) -> str:
    if not job.is_array:
        return job.status.lower()
    failed = f", {job.failed} failed" if job.failed else ""
    return f"{job.running} running{failed}"


def _status(status: Status) -> Text:
    return Text(status.value, _STATUS_STYLES.get(status, ""))


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "–"


def _size(size: int) -> str:
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


# --- Following -----------------------------------------------------------------------------------------------------
def follow(screen: Console, snapshots: Iterable[Snapshot]) -> Snapshot:
    """Show a launch while it runs, and how it ended: live on a terminal, else one line for each change.

    Answers the last snapshot.
    """
    last = _follow_live(screen, snapshots) if screen.is_terminal else _follow_plainly(screen, snapshots)
    if last is None:
        raise ValueError("there was nothing to follow")
    if not screen.is_terminal:
        screen.print(launch_view(last))
    return last


def _follow_live(screen: Console, snapshots: Iterable[Snapshot]) -> Snapshot | None:
    last = None
    with Live(console=screen, auto_refresh=False) as live:
        for snapshot in snapshots:
            last = snapshot
            live.update(launch_view(snapshot), refresh=True)
    return last


def _follow_plainly(screen: Console, snapshots: Iterable[Snapshot]) -> Snapshot | None:
    last = None
    for snapshot in snapshots:
        for line in changes(last, snapshot):
            screen.print(Text(f"{snapshot.at.astimezone():%H:%M:%S}  {line}"))
        last = snapshot
    return last


def changes(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """One line for everything that is different since `before`."""
    known_steps = {step.name: step.state for step in before.steps} if before else {}
    for step in now.steps:
        if known_steps.get(step.name) != step.state:
            time = "" if step.state == StepState.RUNNING else f" ({duration(step.elapsed(now.at))})"
            yield f"{step.name}: {step.state.lower()}{time}"
    known_jobs = {job.job_id: job.succeeded + job.failed for job in before.jobs} if before else {}
    for job in now.jobs:
        ended = job.succeeded + job.failed
        if job.is_array and known_jobs.get(job.job_id) != ended:
            yield f"{job.label}: {ended} of {job.size} jobs done" + (f", {job.failed} failed" if job.failed else "")
    if before is None or before.launch.status != now.launch.status:
        reason = f": {now.launch.status_reason}" if now.launch.status_reason else ""
        yield f"Launch {now.launch.launch_id} is {now.launch.status}{reason}"


@contextmanager
def byte_progress(screen: Console, verb: str) -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Progress of transfers: call the result with a name and its bytes, and what that answers with bytes done."""
    if not screen.is_terminal:
        yield lambda name, size: _announced(screen, f"{verb} {name} ({_size(size)})")
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=screen) as progress:
        yield lambda name, size: _advancing(progress, progress.add_task(f"{verb} {escape(name)}", total=size))


def _announced(screen: Console, line: str) -> Callable[[int], None]:
    screen.print(Text(line))
    return lambda _: None


def _advancing(progress: Progress, task: TaskID) -> Callable[[int], None]:
    return lambda count: progress.advance(task, count)


def log_line(line: LogLine) -> Text:
    """One line with its time and a job prefix, each job in a colour of its own."""
    colour = _LOG_COLOURS[sum(line.job.encode()) % len(_LOG_COLOURS)]
    time = f"{line.at.astimezone():%H:%M:%S} " if line.at else ""
    return Text.assemble((time, "dim"), (f"{line.job:<12} ", colour), line.message)
