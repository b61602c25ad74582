"""`list`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from genolaunch.commands.exit_codes import INTERRUPTED
from genolaunch.commands.options import StageOption, platform_of
from genolaunch.commands.output import print_json, print_json_line, say
from genolaunch.contract.launch import Status
from genolaunch.launches import Launches

if TYPE_CHECKING:
    from genolaunch.launch import Launch

commands = typer.Typer()


@commands.command("list", epilog="Example: genolaunch list --status FAILED --since 2d --user ada")
def list_launches(
    ctx: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only launches of this status.", case_sensitive=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="Only launches submitted since: 90m, 12h, 2d, 1w, or 2026-11-21 (T08:30).")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Only launches of users whose name contains this.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    watch: Annotated[bool, typer.Option("--watch", help="Keep running, and show changes, until interrupted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --watch, one list per line.")] = False,
    stage: StageOption = None,
) -> None:
    """List launches, newest first."""
    from genolaunch.documents import document_of
    from genolaunch.moments import moment_of

    platform = platform_of(ctx, stage)
    earliest = moment_of(since) if since else None

    def look() -> "list[Launch]":
        return Launches(platform).newest(limit, [status] if status else tuple(Status), since=earliest, user=user)

    if watch:
        _watch_launches(look, as_json)
        return
    launches = look()
    if as_json:
        print_json(document_of(launches))
        return
    from genolaunch.render.screen import console
    from genolaunch.render.tables import launches_table

    if launches:
        screen = console()
        screen.print(launches_table(launches, screen.width))
        for sick in filter(None, (launch.sick for launch in launches)):
            say(str(sick), err=True)
    else:
        say(f"Stage “{platform.stage}” has no such launches.", err=True)


def _watch_launches(look: "Callable[[], list[Launch]]", as_json: bool) -> NoReturn:
    """Show what `look` finds, again and again."""
    from genolaunch.documents import document_of
    from genolaunch.progress import repeatedly
    from genolaunch.render.following import follow_launches
    from genolaunch.render.screen import console

    try:
        if as_json:
            for launches in repeatedly(look):
                print_json_line(document_of(launches))
        else:
            follow_launches(console(), repeatedly(look))
    except KeyboardInterrupt:
        pass
    raise typer.Exit(INTERRUPTED)
