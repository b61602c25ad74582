"""`logs`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from contract.compute import ComputeService
from contract.workflow import Workflow
from genolaunch.commands.options import LaunchArgument, StageOption, platform_of
from genolaunch.commands.output import print_json_line, say
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
        typer.Option("--attempt", min=1, metavar="N", help="Of an earlier attempt, instead of the last one."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the launch is over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    stage: StageOption = None,
) -> None:
    """Show the log lines of the jobs of a launch's last attempt, in the order of time.

    Of failed jobs whose log streams are gone, the stored ends of the logs.
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
    """By what runs the launch's jobs."""
    from genolaunch.job_logs import JobLogs
    from genolaunch.slurm_logs import SlurmLogs
    from genolaunch.snakemake_jobs import SnakemakeLogs

    if launch.workflow == Workflow.SNAKEMAKE:
        return SnakemakeLogs
    return SlurmLogs if launch.compute_service == ComputeService.PARALLELCLUSTER else JobLogs


def _print_lines(lines: "Iterable[LogLine]", as_json: bool) -> bool:
    """Print log lines as they come; whether there were any."""
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
