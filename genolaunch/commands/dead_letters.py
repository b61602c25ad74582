"""`redrive`."""

from typing import Annotated

import typer

from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json

commands = typer.Typer()


@commands.command(epilog="Example: genolaunch --stage prod redrive --dry-run")
def redrive(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be tried again.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Try again what waits in the stage's dead-letter queues, once the cause is mended."""
    from genolaunch import dead_letters
    from genolaunch.documents import document_of

    found = dead_letters.redrive(platform_of(ctx, stage), is_rehearsal=dry_run)
    if as_json:
        print_json(document_of(found))
        return
    for letters in found:
        typer.echo(f"{letters.queue}: {letters.count} {'would be ' if dry_run else ''}{letters.action}")
    if not found:
        typer.echo("There are no dead letters.", err=True)
