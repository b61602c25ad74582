"""Launches as they go on: live on a terminal, elsewhere one line for each change."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from contract import Status
from genolaunch.launch import Launch
from genolaunch.progress import Snapshot
from genolaunch.render.launch import launch_view
from genolaunch.render.tables import launches_table
from genolaunch.render.words import duration, step_title
from genolaunch.steps import StepState


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
    """One line for everything that is different since `before`."""
    known_steps = {step.name: step.state for step in before.steps} if before else {}
    for step in now.steps:
        if known_steps.get(step.name) != step.state:
            time = "" if step.state == StepState.RUNNING else f" ({duration(step.elapsed(now.at))})"
            yield f"{step_title(step.name)}: {step.state.lower()}{time}"
    known_jobs = {job.job_id: job.succeeded + job.failed for job in before.jobs} if before else {}
    for job in now.jobs:
        ended = job.succeeded + job.failed
        if job.is_array and known_jobs.get(job.job_id) != ended:
            yield f"{job.label}: {ended} of {job.size} jobs done" + (f", {job.failed} failed" if job.failed else "")
    if before is None or before.launch.status != now.launch.status:
        reason = f": {now.launch.status_reason}" if now.launch.status_reason else ""
        yield f"Launch {now.launch.launch_id} is {now.launch.status}{reason}"


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
