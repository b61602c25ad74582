"""Launches as they go on: live on a terminal, elsewhere one line for each change."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from genolaunch.contract.launch import Status
from genolaunch.launch import Launch
from genolaunch.progress import Snapshot
from genolaunch.render.launch_view import launch_view
from genolaunch.render.tables import launches_table
from genolaunch.render.words import duration, step_title
from genolaunch.steps import Step, StepState


def follow_launch(screen: Console, snapshots: Iterable[Snapshot]) -> Snapshot:
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
    """One line for everything that is different since `before`, in the order in which it happened.

    A launch begins before its steps and ends after them; jobs of a step begin after it, and end before it does.
    """
    status = list(_status(before, now))
    if not now.launch.is_final:
        yield from status
    jobs = list(_jobs(before, now))
    known = {step.name: step.state for step in before.steps} if before else {}
    for step in now.steps:
        of_it = [line for label, line in jobs if _is_of(label, step)]
        jobs = [(label, line) for label, line in jobs if not _is_of(label, step)]
        if step.state is not StepState.RUNNING:
            yield from of_it
        if known.get(step.name) != step.state:
            time = "" if step.state == StepState.RUNNING else f" ({duration(step.elapsed(now.at))})"
            yield f"{step_title(step.name)}: {step.state.lower()}{time}"
        if step.state is StepState.RUNNING:
            yield from of_it
    yield from (line for _, line in jobs)
    if now.launch.is_final:
        yield from status


def _status(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    if before is None or before.launch.status != now.launch.status:
        reason = f": {now.launch.status_reason}" if now.launch.status_reason else ""
        yield f"Launch {now.launch.launch_id} is {now.launch.status}{reason}"


def _jobs(before: Snapshot | None, now: Snapshot) -> Iterator[tuple[str, str]]:
    """Label and line of each array that is further than before."""
    known = {job.job_id: job.succeeded + job.failed for job in before.jobs} if before else {}
    for job in now.jobs:
        ended = job.succeeded + job.failed
        if job.is_array and known.get(job.job_id) != ended:
            failed = f", {job.failed} failed" if job.failed else ""
            yield job.label, f"{job.label}: {ended} of {job.size} jobs done{failed}"


def _is_of(label: str, step: Step) -> bool:
    """Whether jobs called `step2`, or `step2-1` when they are submitted again, are those of the step “Step 2”."""
    return label.partition("-")[0] == step.name.replace(" ", "").lower()


def follow_launches(screen: Console, looks: Iterable[Sequence[Launch]]) -> None:
    """Show lists of launches as they come: live on a terminal, else a line for each launch that changed."""
    if screen.is_terminal:
        with Live(console=screen, auto_refresh=False) as live:
            for launches in looks:
                live.update(launches_table(launches, screen.width), refresh=True)
        return
    known: dict[str, Status] = {}
    for launches in looks:
        for launch in reversed(launches):
            if known.get(launch.launch_id) != launch.status:
                screen.print(Text(f"{datetime.now().astimezone():%H:%M:%S}  {launch.launch_id} is {launch.status}"))
            known[launch.launch_id] = launch.status
