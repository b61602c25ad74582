"""The `genolaunch` command: what is said before a command. The commands are in commands/."""

from typing import Annotated

import typer

from genolaunch.commands import (
    checking,
    costs,
    dead_letters,
    deployment,
    doctor,
    listing,
    local,
    logs,
    looking,
    requests,
    rerun,
    results,
    submission,
    verify,
    verify_stage,
    where,
)
from genolaunch.commands.completion import stages
from genolaunch.commands.exit_codes import EXIT_CODES
from genolaunch.commands.group import OneSentenceGroup
from genolaunch.commands.options import Settings
from genolaunch.commands.output import say
from genolaunch.platform import DEFAULT_STAGE

app = typer.Typer(
    cls=OneSentenceGroup,
    help="Submit genomics workflows to a Genolaunch stage, follow them, and fetch their results.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    submission,
    checking,
    rerun,
    listing,
    looking,
    requests,
    logs,
    results,
    dead_letters,
    costs,
    doctor,
    deployment,
    verify,
    verify_stage,
    where,
):
    app.add_typer(module.commands)
app.add_typer(local.commands, name="local")


def main() -> None:
    """Entry point of the `genolaunch` command."""
    app()


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from genolaunch.version import version_and_place

        say(f"genolaunch {version_and_place()}")
        raise typer.Exit


@app.callback()
def common(
    ctx: typer.Context,
    stage: Annotated[
        str,
        typer.Option("--stage", envvar="GENOLAUNCH_STAGE", help="The stage to talk to.", autocompletion=stages),
    ] = DEFAULT_STAGE,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="GENOLAUNCH_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback shows it
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit."),
    ] = False,
) -> None:
    """Submit genomics workflows to a Genolaunch stage, follow them, and fetch their results.

    Account and region are those of the AWS environment (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …).
    """
    ctx.obj = Settings(stage, debug)
