"""`logs`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.options import LaunchArgument, StageOption, platform_of
from genolaunch.commands.output import print_json_line, say
from genolaunch.contract.compute import ComputeService
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.launches import Launches

if TYPE_CHECKING:
    from genolaunch.job_logs import JobLogs, LogLine
    from genolaunch.slurm_logs import SlurmLogs
    from genolaunch.snakemake_jobs import SnakemakeLogs

commands = typer.Typer()


@commands.command(epilog="Example: genolaunch logs latest --job step2 --follow")
def logs(
    ctx: typer.Context,
    launch: LaunchArgument,
    job: Annotated[
        str | None, typer.Option(help="Only this job (`merge`), array (`step2`) or child of an array (`step2[3]`).")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only the jobs that failed.")] = False,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", min=1, metavar="N", help="Show this earlier attempt instead of the last one."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Keep running until the launch is over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    stage: StageOption = None,
) -> None:
    """Show the log lines of a launch's jobs, of its last attempt, in order of time.

    For failed jobs whose log streams are gone, it shows the stored last lines.
    """
    from genolaunch.job_logs import JobChoice
    from genolaunch.never_ran import see_why

    if job and failed:
        raise typer.BadParameter("--job and --failed exclude each other.")
    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    shown = found if attempt is None else found.at_attempt(attempt)
    nothing = see_why(found, "no log") if shown == found and (found.is_final or not follow) else None
    if nothing:
        raise GenolaunchError(nothing)
    job_logs = _reader_of(shown)(platform, shown, JobChoice(job, failed))
    if not _print_lines(job_logs.follow() if follow else job_logs.lines(), as_json):
        lacks = "no failed jobs" if failed else "no such log lines"
        say(f"Launch {found.launch_id} is {found.status} and has {lacks}.", err=True)


def _reader_of(launch: Launch) -> "type[JobLogs | SlurmLogs | SnakemakeLogs]":
    """The reader of logs for the service that runs the launch's jobs."""
    from genolaunch.job_logs import JobLogs
    from genolaunch.slurm_logs import SlurmLogs
    from genolaunch.workflows import commands_for

    own = commands_for(launch.workflow).log_reader
    if own:
        return own()
    return SlurmLogs if launch.compute_service == ComputeService.PARALLELCLUSTER else JobLogs


def _print_lines(lines: "Iterable[LogLine]", as_json: bool) -> bool:
    """Print log lines as they arrive. Returns whether there were any."""
    from genolaunch.documents import document_of
    from genolaunch.render.logs import log_line
    from genolaunch.render.screen import console

    screen = console()
    any_line = False
    for line in lines:
        any_line = True
        if as_json:
            print_json_line(document_of(line))
        else:
            screen.print(log_line(line), soft_wrap=True)
    return any_line
