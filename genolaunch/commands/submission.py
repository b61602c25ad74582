"""`submit` and `estimate`: what is done with a config."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genolaunch.commands.exit_codes import COULD_NOT, EXIT_CODES, INTERRUPTED, REJECTED
from genolaunch.commands.following import exit_code_of, follow_to_its_end, wait_for
from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.launch import Fault
    from genolaunch.submission import Answer, NoAnswerError, Submission
    from genolaunch.uploads import Upload

commands = typer.Typer()

_MOST_NAMED = 5
"""Files in one sentence."""


@commands.command(
    epilog="Examples: genolaunch submit launch.yaml --wait; genolaunch submit launches/*.yaml; "
    "genolaunch submit launch.yaml --sources workflow/ --data-dir data/. "
    f"{EXIT_CODES} Of several files, the highest of their codes."
)
def submit(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Launch configs, YAML or JSON; or Snakefiles.", exists=True, dir_okay=False
        ),
    ],
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
    sources: Annotated[
        Path | None,
        typer.Option(
            help="First upload a Snakemake workflow, its folder or its Snakefile, to where the config's `snakefile` "
            "points; without it, what lies there beside the config.",
            exists=True,
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
    """Submit launch configs, and tell whether they were accepted.

    Prints the launch's id, or every fault of the config with its remedy; of several files a line each.
    """
    from genolaunch import submission

    platform = platform_of(ctx, stage)
    if not same_project:
        _check_projects(platform, files)
    _prepare(platform, files, data_dir, sources, as_json=as_json)
    if len(files) > 1:
        raise typer.Exit(submit_several(platform, files, team, timeout, wait=wait, as_json=as_json))
    sent = submission.submit(platform, files[0], team, same_project=True)  # whose project it is was asked above
    show_answer(platform, sent, timeout, wait=wait, as_json=as_json)


def show_answer(
    platform: Platform,
    sent: "Submission",
    timeout: float,
    *,
    wait: bool,
    as_json: bool,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Show what becomes of a file that was dropped; leaves with the exit code that this means, if that is not 0.

    `beside` is what JSON has besides the platform's answer.
    """
    answer = _answer(platform, sent, timeout)
    if not answer.accepted or answer.launch_id is None:
        if as_json:
            print_json({**answer.document, **(beside or {})})
        else:
            show_faults("The config was rejected", answer.faults)
        raise typer.Exit(REJECTED)
    _tell_of_a_repeat(answer)
    if wait:
        if not as_json:
            typer.echo(f"{sent.name} was accepted as launch {answer.launch_id}.")
        wait_for(platform, answer.launch_id, as_json)
    print_json({**answer.document, **(beside or {})}) if as_json else typer.echo(answer.launch_id)


def submit_several(
    platform: Platform, files: Sequence[Path], team: str | None, timeout: float, *, wait: bool, as_json: bool
) -> int:
    """Submit files in their order and show what becomes of each; the highest exit code of theirs."""
    from genolaunch.documents import snapshot_document
    from genolaunch.submission import submit_each

    codes, documents, accepted = [0], [], []
    try:
        for file, answer in submit_each(platform, files, team, timeout):
            code, document = _show_line(file, answer, as_json)
            codes.append(code)
            documents.append(document)
            if not code:
                accepted.append(document)
    except KeyboardInterrupt:
        typer.echo("What was uploaded before may start: `genolaunch list` tells.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if as_json and not wait:
            print_json(documents)
    if wait:
        for document in accepted:
            snapshot = follow_to_its_end(platform, document["launchId"], quiet=as_json)
            codes.append(exit_code_of(snapshot.launch.status))
            document |= snapshot_document(snapshot)
        if as_json:
            print_json(documents)
    return max(codes)


def _show_line(file: Path, answer: "Answer | NoAnswerError", as_json: bool) -> tuple[int, dict[str, Any]]:
    """Tell in a line what became of one of several files; its exit code, and what JSON says of it."""
    from genolaunch.submission import Answer

    if not isinstance(answer, Answer):
        typer.echo(f"{file}: {answer}", err=True)
        return COULD_NOT, {"file": str(file), "accepted": None, "launchId": None, "faults": []}
    _tell_of_a_repeat(answer)
    if not as_json:
        faults = " | ".join(f"{fault.where}: {fault.problem}. {fault.remedy}" for fault in answer.faults)
        typer.echo(f"{file}: {answer.launch_id if answer.accepted else f'REJECTED {faults}'}")
    return (0 if answer.accepted else REJECTED), {"file": str(file), **answer.document}


def _tell_of_a_repeat(answer: "Answer") -> None:
    if answer.repeats:
        typer.echo(f"The same files were submitted before: {answer.launch_id} is their launch, not over yet.", err=True)


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


def _prepare(
    platform: Platform, files: Sequence[Path], data_dir: Path | None, sources: Path | None, *, as_json: bool
) -> None:
    """Upload what belongs to the files. Whatever is wrong with any of them is said before: uploads may take hours."""
    from genolaunch import uploads
    from genolaunch.config_files import require_config_name

    for file in files:
        require_config_name(file)
    with_sources = [file for file in files if sources or uploads.has_sources_beside(file, platform)]
    _refuse_faulty(files if data_dir else with_sources, as_json)
    planned = [upload for file in with_sources for upload in uploads.planned_sources(platform, file, sources)]
    if data_dir is not None:
        # Configs of one cohort name one place, which is listed once.
        of_each_place = {uploads.data_prefix(file, platform.names.data_bucket): file for file in files}
        data = [
            upload for file in of_each_place.values() for upload in uploads.planned_uploads(platform, file, data_dir)
        ]
        _tell_of_kept(uploads.kept(data_dir, data))
        planned += data
    _upload(platform, planned, quiet=as_json)


def _tell_of_kept(kept: Sequence[str]) -> None:
    """Of a table that was replaced by an older copy of the same size nothing else would be seen."""
    if not kept:
        return
    more = f" and {len(kept) - _MOST_NAMED:,} more" if len(kept) > _MOST_NAMED else ""
    typer.echo(
        f"Not uploaded again, since the bucket has them with the same size and not older: "
        f"{', '.join(kept[:_MOST_NAMED])}{more}. If one of them is another file now, `touch` it and submit again.",
        err=True,
    )


def _check_projects(platform: Platform, files: Sequence[Path]) -> None:
    from genolaunch.submission import check_project_is_known

    for file in files:
        check_project_is_known(platform, file)


def _refuse_faulty(files: Sequence[Path], as_json: bool) -> None:
    """Leaves with the faults of the files that have any."""
    from genolaunch.config_files import FaultyConfigError, checked

    faulty = []
    for file in files:
        try:
            checked(file)
        except FaultyConfigError as error:
            faulty.append((file, error.faults))
    if not faulty:
        return
    if as_json:
        documents = [{"file": str(file), **refusal_document(faults)} for file, faults in faulty]
        print_json(documents if len(files) > 1 else documents[0])
    else:
        for file, faults in faulty:
            show_faults(f"{file} was not submitted, and nothing was uploaded", faults)
    raise typer.Exit(REJECTED)


def _upload(platform: Platform, planned: "Sequence[Upload]", *, quiet: bool) -> None:
    from genolaunch import uploads
    from genolaunch.render.screen import progress_console
    from genolaunch.render.transfers import byte_progress

    if not planned:
        return
    with byte_progress(progress_console(quiet=quiet), "Uploading") as begin:
        for upload in dict.fromkeys(planned):
            uploads.upload_file(platform, upload, begin(upload.key, upload.size))


def refusal_document(faults: "Sequence[Fault]") -> dict[str, Any]:
    """Of a config that is refused here: what the platform's answer to it has."""
    from genolaunch.documents import document_of

    return {"accepted": False, "launchId": None, "status": None, "faults": document_of(list(faults))}


def show_faults(what: str, faults: "Sequence[Fault]") -> None:
    """Every fault of a config, with what became of it."""
    from genolaunch.render.screen import console
    from genolaunch.render.tables import faults_table

    count = len(faults)
    typer.echo(f"{what}: {count} {'fault' if count == 1 else 'faults'}.", err=True)
    console().print(faults_table(faults))
