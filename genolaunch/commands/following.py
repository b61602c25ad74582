"""One launch shown: once, or until it is over."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import typer

from genolaunch.commands.exit_codes import ENDED_BADLY, INTERRUPTED, REJECTED
from genolaunch.commands.output import print_json, say
from genolaunch.contract.launch import Status
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.progress import Snapshot


def show_snapshot(snapshot: "Snapshot", as_json: bool) -> None:
    """Show a launch as of one moment."""
    if as_json:
        from genolaunch.documents import snapshot_document

        print_json(snapshot_document(snapshot))
    else:
        from genolaunch.render.launch_view import launch_view
        from genolaunch.render.screen import console

        console().print(launch_view(snapshot))


def wait_for(platform: Platform, launch_id: str, as_json: bool) -> NoReturn:
    """Follow a launch to its end; leaves with the exit code that its status means."""
    snapshot = follow_to_its_end(platform, launch_id, quiet=as_json)
    if as_json:
        show_snapshot(snapshot, as_json)
    raise typer.Exit(exit_code_of(snapshot.launch.status))


def follow_to_its_end(platform: Platform, launch_id: str, *, quiet: bool) -> "Snapshot":
    """Show a launch as it goes on, unless `quiet`, until it is over; how it was then. Interrupted, it leaves."""
    from genolaunch.progress import Progress

    snapshots = Progress(platform, launch_id).follow()
    try:
        return _follow(snapshots, quiet)
    except KeyboardInterrupt:
        say(f"The launch goes on; see it again with: genolaunch status {launch_id} --watch", err=True)
        raise typer.Exit(INTERRUPTED) from None


def exit_code_of(status: Status) -> int:
    """Of a launch that was waited for."""
    return {Status.COMPLETE: 0, Status.REJECTED: REJECTED}.get(status, ENDED_BADLY)


def _follow(snapshots: "Iterable[Snapshot]", quiet: bool) -> "Snapshot":
    """Show the snapshots as they come, or none; answers the last one."""
    if quiet:
        *_, last = snapshots
        return last
    from genolaunch.render.following import follow_launch
    from genolaunch.render.screen import console

    return follow_launch(console(), snapshots)
