"""The `genolaunch` command. Each command reads its arguments, calls the library, and shows what it answers.

Imports of boto3 and rich stay inside the commands: `genolaunch --help` must answer at once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from contract import Status, Workflow
from genolaunch.cost_commands import ByOption, show_cost, show_costs
from genolaunch.costs import By
from genolaunch.errors import sentence_for
from genolaunch.launches import Launches
from genolaunch.local import local_commands
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.job_logs import LogLine
    from genolaunch.launches import Launch
    from genolaunch.progress import Snapshot
    from genolaunch.results import ResultObject
    from genolaunch.submission import Answer

DEFAULT_STAGE = "dev"

EXIT_ENDED_BADLY = 1
EXIT_REJECTED = 2
EXIT_COULD_NOT = 3
EXIT_INTERRUPTED = 130

_EXIT_CODES = (
    "Exit codes: 0 done; 1 the launch that was waited for FAILED or was CANCELLED; 2 the launch was rejected, or the "
    "command line is wrong; 3 it could not be done, and standard error says why; 130 interrupted."
)


class _OneSentenceGroup(TyperGroup):
    """Tells what could not be done in one sentence on standard error; with --debug, by the traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own signature
        try:
            return super().invoke(ctx)
        except Exception as error:
            sentence = sentence_for(error)
            if sentence is None or (isinstance(ctx.obj, _Settings) and ctx.obj.debug):
                raise
            typer.echo(f"genolaunch: {sentence}", err=True)
            raise typer.Exit(EXIT_COULD_NOT) from error


@dataclass(frozen=True)
class _Settings:
    stage: str
    debug: bool


app = typer.Typer(
    cls=_OneSentenceGroup,
    help="Submit genomics workflows to a Genolaunch stage, follow them, and fetch their results.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(local_commands, name="local")

StageOption = Annotated[
    str | None,
    typer.Option("--stage", help="The stage to talk to, as before the command.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
LaunchArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The launch's id, the unique beginning of it, or “latest”.")
]


def main() -> None:
    """Entry point of the `genolaunch` command."""
    app()


@app.callback()
def common(
    ctx: typer.Context,
    stage: Annotated[
        str, typer.Option("--stage", envvar="GENOLAUNCH_STAGE", help="The stage to talk to.")
    ] = DEFAULT_STAGE,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="GENOLAUNCH_DEBUG", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Submit genomics workflows to a Genolaunch stage, follow them, and fetch their results.

    Account and region are those of the AWS environment (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …).
    """
    ctx.obj = _Settings(stage, debug)


@app.command(epilog=f"Example: genolaunch submit launch.yaml --wait. {_EXIT_CODES}")
def submit(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The launch config: YAML or JSON.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow the launch until it is over.")] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="First upload this folder's new files to where the config's `data` points."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the platform's answer.", min=0)] = 60,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Submit a launch config, and tell whether it was accepted.

    Prints the launch's id, or every fault of the config with its remedy.
    """
    from genolaunch import submission

    platform = _platform(ctx, stage)
    if data_dir is not None:
        _upload_folder(platform, file, data_dir, quiet=as_json)
    answer = submission.wait_for_answer(platform, submission.submit(platform, file), timeout)
    if not answer.accepted or answer.launch_id is None:
        _show_rejection(answer, as_json)
        raise typer.Exit(EXIT_REJECTED)
    if not wait:
        _print_json(answer.document) if as_json else typer.echo(answer.launch_id)
        return
    if not as_json:
        typer.echo(f"{file.name} was accepted as launch {answer.launch_id}.")
    _wait_for(platform, answer.launch_id, as_json)


@app.command("list", epilog="Example: genolaunch list --status FAILED --since 2d --user ada")
def list_launches(
    ctx: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only launches of this status.", case_sensitive=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="Only launches submitted since: 90m, 12h, 2d, 1w, or 2026-11-21 (T08:30).")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Only launches of who has this in the name.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and show what changes, until interrupted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --watch one list a line.")] = False,
    stage: StageOption = None,
) -> None:
    """List launches, newest first."""
    from genolaunch.documents import document_of
    from genolaunch.moments import moment_of

    platform = _platform(ctx, stage)
    earliest = moment_of(since) if since else None

    def look() -> "list[Launch]":
        return Launches(platform).newest(limit, status, since=earliest, user=user)

    if watch:
        _watch_launches(look, as_json)
        return
    launches = look()
    if as_json:
        _print_json(document_of(launches))
        return
    from genolaunch import render

    if launches:
        render.console().print(render.launches_table(launches))
    else:
        typer.echo(f"Stage “{platform.stage}” has no such launches.", err=True)


@app.command(epilog="Example: genolaunch events latest")
def events(ctx: typer.Context, launch: LaunchArgument, as_json: JsonOption = False, stage: StageOption = None) -> None:
    """Show a launch's whole history: its statuses, its steps, and the jobs that failed, in the order of time."""
    from genolaunch.documents import document_of
    from genolaunch.history import history_of

    platform = _platform(ctx, stage)
    found = history_of(platform, Launches(platform).resolve(launch))
    if as_json:
        _print_json(document_of(found))
        return
    from genolaunch import render

    render.console().print(render.events_table(found))


@app.command("status", epilog=f"Example: genolaunch status latest --watch. {_EXIT_CODES}")
def show_status(
    ctx: typer.Context,
    launch: LaunchArgument,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it is over.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show a launch: its facts, its steps with their times, the jobs under way, and why it failed."""
    from genolaunch.progress import Progress

    platform = _platform(ctx, stage)
    launch_id = Launches(platform).resolve(launch).launch_id
    if watch:
        _wait_for(platform, launch_id, as_json)
    else:
        _show_snapshot(Progress(platform, launch_id).look(), as_json)


@app.command(epilog=f"Example: genolaunch cancel latest --wait. {_EXIT_CODES}")
def cancel(
    ctx: typer.Context,
    launch: LaunchArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is over.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Stop a launch: its jobs are ended, and what it made is deleted. What is complete is kept for a retry."""
    from genolaunch import requests

    platform = _platform(ctx, stage)
    found = Launches(platform).resolve(launch)
    requests.cancel(platform, found)
    _after_request(platform, found.launch_id, "is being cancelled", wait=wait, as_json=as_json)


@app.command(epilog=f"Example: genolaunch retry latest --resources step2=4:32. {_EXIT_CODES}")
def retry(
    ctx: typer.Context,
    launch: LaunchArgument,
    resources: Annotated[
        list[str] | None,
        typer.Option(metavar="PHASE=VCPUS:GIB", help="Give the jobs of a phase other resources; may be repeated."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is over.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Resume a failed or cancelled launch, or a rejected one whose data is mended.

    Only what has no good output runs again.
    """
    from genolaunch import requests

    platform = _platform(ctx, stage)
    changes = [requests.Resources.parse(text) for text in resources or ()]
    found = Launches(platform).resolve(launch)
    requests.retry(platform, found, changes)
    _after_request(platform, found.launch_id, "is tried again", wait=wait, as_json=as_json)


@app.command(epilog=f"Example: genolaunch approve latest --wait. {_EXIT_CODES}")
def approve(
    ctx: typer.Context,
    launch: LaunchArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is over.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Agree to what a launch is HELD for: `status` says what its restore, or the launch itself, is expected to cost."""
    from genolaunch import requests

    platform = _platform(ctx, stage)
    found = Launches(platform).resolve(launch)
    requests.approve(platform, found)
    _after_request(platform, found.launch_id, "is approved", wait=wait, as_json=as_json)


@app.command(epilog="Example: genolaunch restores latest")
def restores(
    ctx: typer.Context, launch: LaunchArgument, as_json: JsonOption = False, stage: StageOption = None
) -> None:
    """Show how far the restore of a launch's archived inputs is: objects and bytes, and when the last is expected."""
    from genolaunch.documents import document_of
    from genolaunch.restores import restore_of

    platform = _platform(ctx, stage)
    found = Launches(platform).resolve(launch)
    restore = restore_of(platform, found)
    if as_json:
        _print_json(document_of(restore))
        return
    from genolaunch import render

    if restore is None:
        reason = f" ({found.status_reason})" if found.status_reason else ""
        typer.echo(f"Launch {found.launch_id} is {found.status}{reason} and has restored nothing.", err=True)
    else:
        render.console().print(render.restore_view(restore))


@app.command(epilog="Example: genolaunch logs latest --job step2 --follow")
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
    from genolaunch.job_logs import JobChoice, JobLogs
    from genolaunch.snakemake_jobs import SnakemakeLogs

    if job and failed:
        raise typer.BadParameter("--job and --failed exclude each other.")
    platform = _platform(ctx, stage)
    found = Launches(platform).resolve(launch)
    if attempt is not None:
        found = found.at_attempt(attempt)
    reader = SnakemakeLogs if found.workflow == Workflow.SNAKEMAKE else JobLogs
    job_logs = reader(platform, found, JobChoice(job, failed))
    if not _print_lines(job_logs.follow() if follow else job_logs.lines(), as_json):
        typer.echo(f"Launch {found.launch_id} has no such log lines.", err=True)


@app.command(epilog="Example: genolaunch results latest --download results/")
def results(
    ctx: typer.Context,
    launch: LaunchArgument,
    download: Annotated[
        Path | None, typer.Option("--download", metavar="DIR", help="Download them into this folder.")
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """List a launch's results (report and summary statistics), or download them."""
    from genolaunch.documents import document_of
    from genolaunch.results import results_of

    platform = _platform(ctx, stage)
    found = Launches(platform).resolve(launch)
    objects = results_of(platform, found)
    if download is not None and objects:
        _download(platform, objects, download, quiet=as_json)
    if as_json:
        _print_json([{**document_of(entry), "uri": entry.uri} for entry in objects])
        return
    from genolaunch import render

    if not objects:
        typer.echo(f"Launch {found.launch_id} is {found.status} and has no results.", err=True)
    elif download is None:
        render.console().print(render.results_table(objects))


@app.command(epilog="Example: genolaunch --stage prod redrive --dry-run")
def redrive(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be tried again.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Try again what waits in the stage's dead-letter queues, once the cause is mended."""
    from genolaunch import dead_letters
    from genolaunch.documents import document_of

    found = dead_letters.redrive(_platform(ctx, stage), is_rehearsal=dry_run)
    if as_json:
        _print_json(document_of(found))
        return
    for letters in found:
        typer.echo(f"{letters.queue}: {letters.count} {'would be ' if dry_run else ''}{letters.action}")
    if not found:
        typer.echo("There are no dead letters.", err=True)


@app.command(epilog="Example: genolaunch cost latest")
def cost(
    ctx: typer.Context,
    launch: LaunchArgument,
    again: Annotated[bool, typer.Option("--retry", help="Price it again, when its price is UNKNOWN.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show what a launch cost: a line for each resource, with its price and where that is from."""
    show_cost(_platform(ctx, stage), launch, retry=again, as_json=as_json)


@app.command(epilog="Example: genolaunch estimate launch.yaml. Exit codes: 0 done; 2 the config has faults.")
def estimate(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The launch config, YAML or JSON.", exists=True, dir_okay=False)],
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Estimate what a launch would cost, from launches like it or from first principles; nothing is launched."""
    from genolaunch import render
    from genolaunch.documents import document_of
    from genolaunch.estimates import estimate_file

    answer = estimate_file(_platform(ctx, stage), config)
    if as_json:
        _print_json(document_of(answer))
    elif answer.estimate:
        typer.echo(render.estimate_line(answer.estimate))
    else:
        render.console().print(render.faults_table(answer.faults))
    if answer.faults:
        raise typer.Exit(EXIT_REJECTED)


@app.command(epilog="Example: genolaunch costs --by user --csv")
def costs(
    ctx: typer.Context,
    by: ByOption = By.WORKFLOW,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots by everything.")
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show what launches cost together: all attempts, by workflow, user, engine, kind of compute or month."""
    show_costs(_platform(ctx, stage), by, as_json=as_json, as_csv=as_csv, html=html)


def _platform(ctx: typer.Context, stage: str | None) -> Platform:
    """The stage that the command's own --stage names, or else the one given before the command."""
    return Platform(stage or ctx.obj.stage)


def _upload_folder(platform: Platform, config: Path, folder: Path, *, quiet: bool) -> None:
    from genolaunch import render, submission

    with render.byte_progress(render.progress_console(quiet=quiet), "Uploading") as begin:
        for upload in submission.planned_uploads(platform, config, folder):
            submission.upload_data(platform, upload, begin(upload.key, upload.size))


def _download(platform: Platform, objects: "Sequence[ResultObject]", folder: Path, *, quiet: bool) -> None:
    from genolaunch import render
    from genolaunch.results import download

    with render.byte_progress(render.progress_console(quiet=quiet), "Downloading") as begin:
        for entry in objects:
            download(platform, entry, folder, begin(entry.path, entry.size))
    if not quiet:
        typer.echo(f"{len(objects)} {'object is' if len(objects) == 1 else 'objects are'} in {folder}.")


def _show_rejection(answer: "Answer", as_json: bool) -> None:
    if as_json:
        _print_json(answer.document)
        return
    from genolaunch import render

    count = len(answer.faults)
    typer.echo(f"The config was rejected: {count} {'fault' if count == 1 else 'faults'}.", err=True)
    render.console().print(render.faults_table(answer.faults))


def _after_request(platform: Platform, launch_id: str, what: str, *, wait: bool, as_json: bool) -> None:
    """Tell that a request was made, or follow what comes of it."""
    if wait:
        _wait_for(platform, launch_id, as_json)
    if as_json:
        _print_json({"launchId": launch_id})
    else:
        typer.echo(f"Launch {launch_id} {what}.")


def _wait_for(platform: Platform, launch_id: str, as_json: bool) -> NoReturn:
    """Follow a launch to its end; leaves with the exit code that its status means."""
    from genolaunch.progress import Progress

    snapshots = Progress(platform, launch_id).follow()
    try:
        status = _follow(snapshots, as_json).launch.status
    except KeyboardInterrupt:
        typer.echo(f"The launch goes on; see it again with: genolaunch status {launch_id} --watch", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    raise typer.Exit({Status.COMPLETE: 0, Status.REJECTED: EXIT_REJECTED}.get(status, EXIT_ENDED_BADLY))


def _follow(snapshots: "Iterable[Snapshot]", as_json: bool) -> "Snapshot":
    """Show the snapshots as they come (as JSON, only the last one); answers the last one."""
    if as_json:
        *_, last = snapshots
        _show_snapshot(last, as_json)
        return last
    from genolaunch import render

    return render.follow(render.console(), snapshots)


def _show_snapshot(snapshot: "Snapshot", as_json: bool) -> None:
    if as_json:
        from genolaunch.documents import snapshot_document

        _print_json(snapshot_document(snapshot))
    else:
        from genolaunch import render

        render.console().print(render.launch_view(snapshot))


def _watch_launches(look: "Callable[[], list[Launch]]", as_json: bool) -> NoReturn:
    """Show what `look` finds, again and again."""
    from genolaunch import render
    from genolaunch.documents import document_of
    from genolaunch.progress import repeatedly

    try:
        if as_json:
            for launches in repeatedly(look):
                typer.echo(json.dumps(document_of(launches)))
        else:
            render.follow_launches(render.console(), repeatedly(look))
    except KeyboardInterrupt:
        pass
    raise typer.Exit(EXIT_INTERRUPTED)


def _print_lines(lines: "Iterable[LogLine]", as_json: bool) -> bool:
    """Print log lines as they come; whether there were any."""
    from genolaunch import render
    from genolaunch.documents import document_of

    screen = render.console()
    any_line = False
    for line in lines:
        any_line = True
        if as_json:
            typer.echo(json.dumps(document_of(line)))
        else:
            screen.print(render.log_line(line), soft_wrap=True)
    return any_line


def _print_json(document: Any) -> None:  # noqa: ANN401 - any JSON value
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
