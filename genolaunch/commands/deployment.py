"""`running` and `destroy`: what `make deploy` and `make destroy` ask of a stage."""

from typing import Annotated

import typer

from genolaunch.commands.exit_codes import STILL_RUNS
from genolaunch.commands.options import JsonOption, StageOption
from genolaunch.commands.output import print_json
from genolaunch.errors import GenolaunchError, WrongArgumentError

commands = typer.Typer()


@commands.command(
    "running",
    epilog="Examples: genolaunch running; genolaunch --stage prod running --idle. "
    "Exit codes: 0 said; 1 something runs, and --idle was given; 3 the stage cannot be asked.",
)
def show_running(
    ctx: typer.Context,
    idle: Annotated[bool, typer.Option("--idle", help="End with 1 if anything runs.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Tell which launches and jobs run, and what a deployment of the stage does to them. It only reads."""
    from genolaunch.deployment.running import running
    from genolaunch.documents import document_of
    from genolaunch.verify.account import Account

    found = running(Account(stage or ctx.obj.stage))
    if as_json:
        print_json({**document_of(found), "isIdle": found.is_idle})
    else:
        for sentence in found.sentences():
            typer.echo(sentence)
    if idle and not found.is_idle:
        raise typer.Exit(STILL_RUNS)


@commands.command(
    epilog="Example: genolaunch --stage dev destroy. Exit codes: 0 destroyed; 2 the name that was typed is another; "
    "3 the stage is protected, something runs in it, or it could not be done."
)
def destroy(
    ctx: typer.Context,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="STAGE", help="The stage's name, instead of typing it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go and what would stay.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Delete a stage: empty its buckets, all versions, and delete its stacks. What stays is said by name.

    A stage that keeps its data (`removal_policy: retain`) is refused, and so is one in which something runs.
    """
    from genolaunch.deployment.destruction import destroy as run
    from genolaunch.deployment.destruction import plan
    from genolaunch.deployment.running import running
    from genolaunch.documents import document_of
    from genolaunch.verify.account import Account

    account = Account(stage or ctx.obj.stage)
    planned = plan(account)
    now = running(account)
    for sentence in planned.sentences():
        typer.echo(sentence, err=as_json)
    if not now.is_idle:
        raise GenolaunchError(" ".join(["Something runs, so nothing was deleted.", *now.sentences()]))
    if not dry_run:
        _confirm(account.stage, confirm)
        for sentence in run(account, planned):
            typer.echo(sentence, err=as_json)
    if as_json:
        print_json({**document_of(planned), "isDeleted": not dry_run})


def _confirm(stage: str, given: str | None) -> None:
    typed = given if given is not None else typer.prompt(f"Type the stage's name to delete it ({stage})", err=True)
    if typed.strip() != stage:
        raise WrongArgumentError(f"“{typed}” is not the stage's name, {stage}: nothing was deleted.")
