"""`rerun`: runs a launch again."""

from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.exit_codes import EXIT_CODES, REJECTED
from genolaunch.commands.options import FinishedLaunchArgument, JsonOption, StageOption, WaitOption, platform_of
from genolaunch.commands.output import print_json, say, say_text
from genolaunch.commands.submission import refusal_document, show_answer, show_faults
from genolaunch.launches import Launches

if TYPE_CHECKING:
    from genolaunch.reruns import Rerun

commands = typer.Typer()


@commands.command(
    epilog="Examples: genolaunch rerun latest --wait; genolaunch rerun height-gwas-20 --set regenie.step2.min_mac=9; "
    "genolaunch rerun latest --set 'regenie.traits=[height, bmi]' --set regenie.covariates= --dry-run. "
    f"{EXIT_CODES}"
)
def rerun(
    ctx: typer.Context,
    launch: FinishedLaunchArgument,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a value of its config, such as regenie.step1.jobs=40 or regenie.traits[0]=bmi; KEY= removes "
            "the key. May be repeated.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be submitted.")] = False,
    wait: WaitOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the platform's answer.", min=0)] = 60,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Run a launch that is over again, as a new launch, with the same config or with changes.

    Inputs are read as they are now. To resume a launch that failed, use `retry`.
    """
    from genolaunch.config_changes import Change
    from genolaunch.config_files import FaultyConfigError
    from genolaunch.reruns import document_of_rerun, planned_rerun
    from genolaunch.submission import submit_content

    platform = platform_of(ctx, stage)
    wanted = [Change.parse(text) for text in changes or ()]
    found = Launches(platform).resolve(launch)
    try:
        planned = planned_rerun(platform, found, wanted)
    except FaultyConfigError as error:
        if as_json:
            print_json(refusal_document(error.faults))
        else:
            show_faults(f"{found.launch_id} was not submitted again, as its config would have", error.faults)
        raise typer.Exit(REJECTED) from error
    told = document_of_rerun(planned)
    if dry_run:
        print_json({**told, "config": planned.config}) if as_json else say_text(planned.content.decode())
    _tell(planned, quiet=as_json)
    if not dry_run:
        sent = submit_content(platform, planned.key, planned.content)
        show_answer(platform, sent, timeout, wait=wait, as_json=as_json, beside=told)


def _tell(planned: "Rerun", *, quiet: bool) -> None:
    """On standard error: the answer is the new launch's id alone."""
    if quiet:
        return
    for change in planned.differences:
        say(f"Changed: {change}", err=True)
    for each in planned.changed_inputs:
        when = f"{each.modified_at.astimezone():%Y-%m-%d %H:%M}"
        say(f"{each.uri} was written on {when}, after {planned.of} was submitted: it is read as it is now.", err=True)
    if planned.note:
        say(planned.note, err=True)
