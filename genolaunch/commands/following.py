"""One launch shown: once, or until it is over."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import typer

from contract import Status
from genolaunch.commands.exit_codes import ENDED_BADLY, INTERRUPTED, REJECTED
from genolaunch.commands.output import print_json
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.progress import Snapshot


def show_snapshot(snapshot: "Snapshot", as_json: bool) -> None:
    """Show a launch as of one moment."""
    if as_json:
        from genolaunch.documents import snapshot_document

        print_json(snapshot_document(snapshot))
    else:
        from genolaunch.render.launch import launch_view
        from genolaunch.render.screen import console

        console().print(launch_view(snapshot))


def wait_for(platform: Platform, launch_id: str, as_json: bool) -> NoReturn:
    """Follow a launch to its end; leaves with the exit code that its status means."""
    from genolaunch.progress import Progress

    snapshots = Progress(platform, launch_id).follow()
    try:
        status = _follow(snapshots, as_json).launch.status
    except KeyboardInterrupt:
        typer.echo(f"The launch goes on; see it again with: genolaunch status {launch_id} --watch", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit({Status.COMPLETE: 0, Status.REJECTED: REJECTED}.get(status, ENDED_BADLY))


def _follow(snapshots: "Iterable[Snapshot]", as_json: bool) -> "Snapshot":
    """Show the snapshots as they come (as JSON, only the last one); answers the last one."""
    if as_json:
        *_, last = snapshots
        show_snapshot(last, as_json)
        return last
    from genolaunch.render.following import follow_launch
    from genolaunch.render.screen import console

    return follow_launch(console(), snapshots)
