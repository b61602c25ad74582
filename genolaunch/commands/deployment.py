"""`running` and `destroy`: what `make deploy` and `make destroy` ask of a stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.exit_codes import STILL_RUNS
from genolaunch.commands.options import CheckoutOption, JsonOption, SettingsFileOption, StageOption
from genolaunch.commands.output import print_json, say
from genolaunch.errors import GenolaunchError, WrongArgumentError

if TYPE_CHECKING:
    from genolaunch.deployment.place import Place
    from stacks.config import StageSettings

commands = typer.Typer()


@commands.command(
    "running",
    epilog="Examples: genolaunch running; genolaunch --stage prod running --idle. "
    "Exit codes: 0 said; 1 something runs, and --idle was given; 3 the stage cannot be asked, or --idle was given and "
    "the stage's settings are not to be read, or say another account.",
)
def show_running(
    ctx: typer.Context,
    idle: Annotated[bool, typer.Option("--idle", help="Exit with 1 if anything runs.")] = False,
    checkout: CheckoutOption = Path(),
    settings_file: SettingsFileOption = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show which launches and jobs run, and what a deployment of the stage would do to them. Changes nothing.

    It looks in the account and region of the stage's settings, as a deployment does.
    """
    from genolaunch.deployment.place import difference, place_of, require_same
    from genolaunch.deployment.running import running
    from genolaunch.documents import document_of
    from genolaunch.platform import new_session
    from genolaunch.verify.account import Account

    name = stage or ctx.obj.stage
    settings = _settings(name, checkout, settings_file, are_needed=idle)
    account = Account(name, new_session(settings.region if settings else None))
    if settings and idle:
        require_same(settings, place_of(account))
    elif settings and (reason := difference(settings, place_of(account))):
        say(reason, err=True)
    found = running(account)
    if as_json:
        print_json({**document_of(found), "isIdle": found.is_idle, "isFinished": found.is_finished})
    else:
        for sentence in found.sentences():
            say(sentence)
    if idle and found.unseen:
        raise GenolaunchError(
            f"It cannot be told whether {name} is idle: its parameters {', '.join(found.unseen)} are missing. "
            "Deploy it without asking for that (IDLE)."
        )
    if idle and not found.is_idle:
        raise typer.Exit(STILL_RUNS)


def _settings(stage: str, checkout: Path, settings_file: Path | None, *, are_needed: bool) -> "StageSettings | None":
    """None if they cannot be read and are not needed: who only looks may do so without a checkout."""
    from genolaunch.deployment.place import settings_of

    try:
        return settings_of(stage, checkout, settings_file)
    except GenolaunchError:
        if are_needed or settings_file:
            raise
        return None


@commands.command(
    epilog="Example: genolaunch --stage dev destroy. Exit codes: 0 destroyed; 2 what was typed is another stage or "
    "account; 3 the stage keeps its data, something of it is not over, or it could not be done."
)
def destroy(
    ctx: typer.Context,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="STAGE@ACCOUNT", help="STAGE@ACCOUNT, instead of typing it when asked."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted and what would stay.")
    ] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Delete a stage: empty its buckets, all versions included, and delete its stacks. It names what stays.

    It refuses a stage that keeps its data (`removal_policy: retain`), and one in which something is not over: a launch,
    a job, an execution, a file system or an instance.
    """
    from genolaunch.deployment.destruction import destroy as run
    from genolaunch.deployment.destruction import plan, refuse_unless_finished
    from genolaunch.deployment.place import place_of
    from genolaunch.deployment.running import running
    from genolaunch.documents import document_of
    from genolaunch.verify.account import Account

    account = Account(stage or ctx.obj.stage)
    place = place_of(account)
    planned = plan(account)
    now = running(account)
    for sentence in planned.sentences():
        say(sentence, err=as_json)
    if dry_run:
        for sentence in now.unfinished_sentences():
            say(sentence, err=as_json)
    else:
        refuse_unless_finished(now)
        _confirm(account.stage, place, confirm)
        for sentence in run(account, planned):
            say(sentence, err=as_json)
    if as_json:
        print_json(
            {
                **document_of(planned),
                **document_of(place),
                "isBusy": not now.is_finished,
                "unfinished": list(now.unfinished_sentences()),
                "isDeleted": not dry_run,
            }
        )


def _confirm(stage: str, place: "Place", given: str | None) -> None:
    wanted = f"{stage}@{place.account}"
    question = (
        f"This deletes the stage {stage} of account {place.account} in {place.region}, as {place.caller}. "
        f"Type {wanted} to do it"
    )
    typed = given if given is not None else typer.prompt(question, err=True)
    if typed.strip() != wanted:
        raise WrongArgumentError(f"“{typed}” is not {wanted} (the stage and its account): nothing was deleted.")
