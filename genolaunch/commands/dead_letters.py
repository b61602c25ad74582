"""`redrive`."""

from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json, say

if TYPE_CHECKING:
    from genolaunch.dead_letters import DeadLetters

commands = typer.Typer()


@commands.command(epilog="Example: genolaunch --stage prod redrive --dry-run")
def redrive(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be tried again.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Try again what is in the stage's dead-letter queues, once the cause is fixed."""
    from genolaunch import dead_letters
    from genolaunch.documents import document_of

    found = dead_letters.redrive(platform_of(ctx, stage), is_rehearsal=dry_run)
    if as_json:
        print_json(document_of(found))
    else:
        for letters in found:
            say(f"{letters.queue}: {_told(letters, dry_run)}")
    if any(letters.failure for letters in found):
        raise typer.Exit(1)
    if not found and not as_json:
        say("There are no dead letters.", err=True)


def _told(letters: "DeadLetters", dry_run: bool) -> str:
    if dry_run:
        return f"{letters.count} would be {letters.action}"
    return f"{letters.count} found, {letters.action}"
