"""`submit` and `estimate`: what is done with a config."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genolaunch.commands.exit_codes import COULD_NOT, EXIT_CODES, INTERRUPTED, REJECTED
from genolaunch.commands.following import exit_code_of, follow_to_its_end, wait_for
from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json, say
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.launch import Fault
    from genolaunch.launch_configs.config_base import LaunchSection
    from genolaunch.submission import Answer, NoAnswerError, Submission
    from genolaunch.uploads import Upload

commands = typer.Typer()

_MOST_NAMED = 5
"""Files in one sentence."""


@commands.command(
    epilog="Examples: genolaunch submit launch.yaml --wait; genolaunch submit launches/*.yaml; "
    "genolaunch submit launch.yaml --sources workflow/ --data-dir data/. "
    f"{EXIT_CODES} With several files, the highest of their codes."
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
            help="First upload this folder to the place that the config's `data` names; skip files that are there.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            help="First upload a Snakemake workflow (its folder or Snakefile) to the place that the config's "
            "`snakefile` names. Default: the workflow at that path beside the config, if there is one.",
            exists=True,
        ),
    ] = None,
    team: Annotated[
        str | None,
        typer.Option(help="Your team, if the stage separates teams.", envvar="GENOLAUNCH_TEAM"),
    ] = None,
    same_project: Annotated[
        bool,
        typer.Option(
            "--same-project",
            help="Accept a project that was submitted from another place before: it is the same project.",
        ),
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the platform's answer.", min=0)] = 60,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Submit launch configs, and show whether they were accepted.

    Prints the launch's id, or every fault of the config with its remedy; with several files, one line for each.
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
    """Show the answer to a dropped file. Exits with the answer's exit code, if that is not 0.

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
            say(f"{sent.name} was accepted as launch {answer.launch_id}.")
        wait_for(platform, answer.launch_id, as_json)
    if as_json:
        print_json({**answer.document, **(beside or {})})
    else:
        say(answer.launch_id)
        _tell_what_next(answer.launch_id)


def _tell_what_next(launch_id: str) -> None:
    """On standard error: a script reads the id alone."""
    say(
        f"Follow it: genolaunch status {launch_id} --watch; what happened so far: genolaunch events {launch_id}",
        err=True,
    )


def submit_several(
    platform: Platform, files: Sequence[Path], team: str | None, timeout: float, *, wait: bool, as_json: bool
) -> int:
    """Submit files in their order, and show the answer to each. Returns the highest of their exit codes."""
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
        if accepted and not wait and not as_json:
            _tell_what_next(accepted[-1]["launchId"])
    except KeyboardInterrupt:
        say("What was uploaded before may start: `genolaunch list` tells.", err=True)
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
        say(f"{file}: {answer}", err=True)
        return COULD_NOT, {"file": str(file), "accepted": None, "launchId": None, "faults": []}
    _tell_of_a_repeat(answer)
    if not as_json:
        faults = " | ".join(f"{fault.where}: {fault.problem}. {fault.remedy}" for fault in answer.faults)
        say(f"{file}: {answer.launch_id if answer.accepted else f'REJECTED {faults}'}")
    return (0 if answer.accepted else REJECTED), {"file": str(file), **answer.document}


def _tell_of_a_repeat(answer: "Answer") -> None:
    if answer.repeats:
        say(f"The same files were submitted before: {answer.launch_id} is their launch, not over yet.", err=True)


@commands.command(epilog="Example: genolaunch estimate launch.yaml. Exit codes: 0 done; 2 the config has faults.")
def estimate(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The launch config, YAML or JSON.", exists=True, dir_okay=False)],
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Estimate the cost of a launch, from similar launches or from first principles, without launching it."""
    from genolaunch.documents import document_of
    from genolaunch.estimates import estimate_file
    from genolaunch.render.launch_view import estimate_line
    from genolaunch.render.screen import console
    from genolaunch.render.tables import faults_table

    answer = estimate_file(platform_of(ctx, stage), config)
    if as_json:
        print_json(document_of(answer))
    elif answer.estimate:
        say(estimate_line(answer.estimate))
    else:
        console().print(faults_table(answer.faults))
    if answer.faults:
        raise typer.Exit(REJECTED)


def _answer(platform: Platform, sent: "Submission", timeout: float) -> "Answer":
    from genolaunch.submission import wait_for_answer

    try:
        return wait_for_answer(platform, sent, timeout)
    except KeyboardInterrupt:
        say(f"{sent.uri} was uploaded, and its launch may start: `genolaunch list` tells.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _prepare(
    platform: Platform, files: Sequence[Path], data_dir: Path | None, sources: Path | None, *, as_json: bool
) -> None:
    """Upload the data and sources of the files. All faults are reported first, because uploads may take hours."""
    from genolaunch import uploads
    from genolaunch.config_files import require_config_name

    for file in files:
        require_config_name(file)
    with_sources = [file for file in files if sources or uploads.has_sources_beside(file, platform)]
    configs = _checked(files if data_dir else with_sources, as_json)
    planned = [upload for file in with_sources for upload in uploads.planned_sources(platform, file, sources).uploads]
    if data_dir is not None:
        planned += _planned_data(platform, configs, data_dir, as_json)
    _upload(platform, planned, quiet=as_json)


def _planned_data(
    platform: Platform, configs: "Mapping[Path, LaunchSection]", folder: Path, as_json: bool
) -> "list[Upload]":
    """Which files of the folder go up. Leaves with the faults of what the configs read, as far as that is seen here."""
    from genolaunch import uploads
    from genolaunch.input_check import input_faults
    from genolaunch.render.screen import progress_console
    from genolaunch.render.transfers import byte_progress

    # Configs of one cohort name one place, which is listed once.
    bucket = platform.names.data_bucket
    of_each_place = {uploads.data_prefix(file, bucket): file for file in configs}
    places = {prefix: uploads.place_of_data(platform, file, folder) for prefix, file in of_each_place.items()}
    faults = {
        file: input_faults(config, folder, places[uploads.data_prefix(file, bucket)])
        for file, config in configs.items()
    }
    _refuse({file: found for file, found in faults.items() if found}, len(configs), as_json)
    screen = progress_console(quiet=as_json)
    screen.quiet = screen.quiet or not screen.is_terminal  # which files are kept is told below
    with byte_progress(screen, "Comparing") as compared:
        plans = [uploads.plan(platform, place, compared) for place in places.values()]
    _tell_of(
        "Not uploaded again, since the bucket has the same content", [path for plan in plans for path in plan.kept]
    )
    _tell_of(
        "Uploaded in place of what the bucket has there, which has another content, or was uploaded without a SHA-256",
        [path for plan in plans for path in plan.replaced],
    )
    return [upload for plan in plans for upload in plan.uploads]


def _tell_of(what: str, paths: Sequence[str]) -> None:
    if paths:
        more = f" and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
        say(f"{what}: {', '.join(paths[:_MOST_NAMED])}{more}.", err=True)


def _check_projects(platform: Platform, files: Sequence[Path]) -> None:
    from genolaunch.submission import check_project_is_known

    for file in files:
        check_project_is_known(platform, file)


def _checked(files: Sequence[Path], as_json: bool) -> "dict[Path, LaunchSection]":
    """The configs with all defaults; leaves with the faults of the files that have any."""
    from genolaunch.config_files import FaultyConfigError, checked

    configs, faulty = {}, {}
    for file in files:
        try:
            configs[file] = checked(file)
        except FaultyConfigError as error:
            faulty[file] = error.faults
    _refuse(faulty, len(files), as_json)
    return configs


def _refuse(faulty: "Mapping[Path, Sequence[Fault]]", files: int, as_json: bool) -> None:
    """Leaves with the faults of some of so many files, if there are any."""
    if not faulty:
        return
    if as_json:
        documents = [{"file": str(file), **refusal_document(faults)} for file, faults in faulty.items()]
        print_json(documents if files > 1 else documents[0])
    else:
        for file, faults in faulty.items():
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
    say(f"{what}: {count} {'fault' if count == 1 else 'faults'}.", err=True)
    console().print(faults_table(faults))
