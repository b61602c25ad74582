"""`status`, `events`, `restores`, `parameters` and `commands`: what is known of a launch."""

from typing import Annotated

import typer

from genolaunch.commands.exit_codes import EXIT_CODES
from genolaunch.commands.following import show_snapshot, wait_for
from genolaunch.commands.options import JsonOption, LaunchArgument, StageOption, platform_of
from genolaunch.commands.output import print_json, say, say_text
from genolaunch.errors import GenolaunchError
from genolaunch.launches import Launches

commands = typer.Typer()


@commands.command("status", epilog=f"Example: genolaunch status latest --watch. {EXIT_CODES}")
def show_status(
    ctx: typer.Context,
    launch: LaunchArgument,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it is over.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show a launch: its facts, its steps with their times, its running jobs, and why it failed."""
    from genolaunch.progress import Progress

    platform = platform_of(ctx, stage)
    launch_id = Launches(platform).resolve(launch).launch_id
    if watch:
        wait_for(platform, launch_id, as_json)
    else:
        show_snapshot(Progress(platform, launch_id).look(), as_json)


@commands.command(epilog="Example: genolaunch events latest")
def events(ctx: typer.Context, launch: LaunchArgument, as_json: JsonOption = False, stage: StageOption = None) -> None:
    """Show a launch's history in order of time: statuses, steps, and jobs that failed."""
    from genolaunch.documents import document_of
    from genolaunch.history import history_of

    platform = platform_of(ctx, stage)
    found = history_of(platform, Launches(platform).resolve(launch))
    if as_json:
        print_json(document_of(found))
        return
    from genolaunch.render.screen import console
    from genolaunch.render.tables import events_table

    console().print(events_table(found))


@commands.command(epilog="Example: genolaunch restores latest")
def restores(
    ctx: typer.Context, launch: LaunchArgument, as_json: JsonOption = False, stage: StageOption = None
) -> None:
    """Show the progress of the restore of a launch's archived inputs: objects, bytes, and its expected end."""
    from genolaunch.documents import document_of
    from genolaunch.restores import restore_of

    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    restore = restore_of(platform, found)
    if as_json:
        print_json(document_of(restore))
        return
    from genolaunch.render.restore import restore_view
    from genolaunch.render.screen import console

    if restore is None:
        reason = f" ({found.status_reason})" if found.status_reason else ""
        say(f"Launch {found.launch_id} is {found.status}{reason} and has restored nothing.", err=True)
    else:
        console().print(restore_view(restore))


@commands.command(epilog="Examples: genolaunch parameters latest; genolaunch parameters latest > again.yaml")
def parameters(
    ctx: typer.Context, launch: LaunchArgument, as_json: JsonOption = False, stage: StageOption = None
) -> None:
    """Print the config of a launch with every default filled in. It can be submitted again."""
    from genolaunch.run_parameters import parameters_of, yaml_of

    platform = platform_of(ctx, stage)
    config = parameters_of(platform, Launches(platform).resolve(launch))
    if as_json:
        print_json(config)
    else:
        say_text(yaml_of(config))


@commands.command("commands", epilog="Examples: genolaunch commands latest; genolaunch commands latest --all")
def show_commands(
    ctx: typer.Context,
    launch: LaunchArgument,
    every: Annotated[
        bool, typer.Option("--all", help="Show the commands of all jobs, not only of each phase's first.")
    ] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Print the commands of a launch's jobs, with all options. DATA, WORK and OUTPUT stand for a job's folders."""
    from genolaunch.documents import document_of
    from genolaunch.run_parameters import commands_of, first_of_each_phase

    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    planned = list(commands_of(platform, found))
    shown = planned if every or as_json else list(first_of_each_phase(planned))
    if as_json:
        print_json([document_of(each) for each in shown])
    elif shown:
        say_text("\n".join(f"# {each.phase}, {each.label}\n{each.command}" for each in shown))
    if not planned:
        raise GenolaunchError(f"Launch {found.launch_id} is {found.status}: its jobs are not planned.")
