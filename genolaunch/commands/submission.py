"""`submit` and `estimate`: what is done with a config."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.exit_codes import EXIT_CODES, INTERRUPTED, REJECTED
from genolaunch.commands.following import wait_for
from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.submission import Answer, Submission

commands = typer.Typer()


@commands.command(epilog=f"Example: genolaunch submit launch.yaml --wait. {EXIT_CODES}")
def submit(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The launch config: YAML or JSON.", exists=True, dir_okay=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Follow the launch until it is over.")] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="First upload this folder's new files to where the config's `data` points.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    team: Annotated[
        str | None,
        typer.Option(help="Your team, where the stage keeps teams apart.", envvar="GENOLAUNCH_TEAM"),
    ] = None,
    same_project: Annotated[
        bool,
        typer.Option(
            "--same-project", help="A Snakefile's project was submitted before from another place: it is the same."
        ),
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the platform's answer.", min=0)] = 60,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Submit a launch config, and tell whether it was accepted.

    Prints the launch's id, or every fault of the config with its remedy.
    """
    from genolaunch import submission

    platform = platform_of(ctx, stage)
    if not same_project:
        submission.check_project_is_known(platform, file)  # before its data goes where the other's is
    if data_dir is not None:
        _upload_folder(platform, file, data_dir, quiet=as_json)
    answer = _answer(platform, submission.submit(platform, file, team, same_project=same_project), timeout)
    if not answer.accepted or answer.launch_id is None:
        _show_rejection(answer, as_json)
        raise typer.Exit(REJECTED)
    if answer.repeats:
        typer.echo(f"The same files were submitted before: {answer.launch_id} is their launch, not over yet.", err=True)
    if not wait:
        print_json(answer.document) if as_json else typer.echo(answer.launch_id)
        return
    if not as_json:
        typer.echo(f"{file.name} was accepted as launch {answer.launch_id}.")
    wait_for(platform, answer.launch_id, as_json)


@commands.command(epilog="Example: genolaunch estimate launch.yaml. Exit codes: 0 done; 2 the config has faults.")
def estimate(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The launch config, YAML or JSON.", exists=True, dir_okay=False)],
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Estimate what a launch would cost, from launches like it or from first principles; nothing is launched."""
    from genolaunch.documents import document_of
    from genolaunch.estimates import estimate_file
    from genolaunch.render.launch import estimate_line
    from genolaunch.render.screen import console
    from genolaunch.render.tables import faults_table

    answer = estimate_file(platform_of(ctx, stage), config)
    if as_json:
        print_json(document_of(answer))
    elif answer.estimate:
        typer.echo(estimate_line(answer.estimate))
    else:
        console().print(faults_table(answer.faults))
    if answer.faults:
        raise typer.Exit(REJECTED)


def _answer(platform: Platform, sent: "Submission", timeout: float) -> "Answer":
    from genolaunch.submission import wait_for_answer

    try:
        return wait_for_answer(platform, sent, timeout)
    except KeyboardInterrupt:
        typer.echo(f"{sent.uri} was uploaded, and its launch may start: `genolaunch list` tells.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _upload_folder(platform: Platform, config: Path, folder: Path, *, quiet: bool) -> None:
    from genolaunch import submission
    from genolaunch.render.screen import progress_console
    from genolaunch.render.transfers import byte_progress

    with byte_progress(progress_console(quiet=quiet), "Uploading") as begin:
        for upload in submission.planned_uploads(platform, config, folder):
            submission.upload_data(platform, upload, begin(upload.key, upload.size))


def _show_rejection(answer: "Answer", as_json: bool) -> None:
    if as_json:
        print_json(answer.document)
        return
    from genolaunch.render.screen import console
    from genolaunch.render.tables import faults_table

    count = len(answer.faults)
    typer.echo(f"The config was rejected: {count} {'fault' if count == 1 else 'faults'}.", err=True)
    console().print(faults_table(answer.faults))
