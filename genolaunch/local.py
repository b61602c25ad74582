"""`genolaunch local`: a thin front of the embedded cloud, and the only commands that know that there is one.

`localcloud` needs the development requirements, so it is imported by the commands that use it and not before.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.errors import GenolaunchError

if TYPE_CHECKING:
    from localcloud.control import Cloud

STATE_DIR = Path(".localcloud")
"""Where the embedded cloud keeps its state and its logs, in the folder in which it is used."""

LOCAL_STAGE = "local"

EXIT_NOT_RUNNING = 1

local_commands = typer.Typer(
    help="The embedded cloud: the whole platform on this machine, without an AWS account.", no_args_is_help=True
)

StateDirOption = Annotated[Path, typer.Option("--state-dir", help="Where the embedded cloud keeps its state and logs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@contextmanager
def cloud_control() -> Iterator[ModuleType]:
    """`localcloud.control`, whose errors become GenolaunchErrors; so does its absence."""
    try:
        from localcloud import control
    except ModuleNotFoundError as missing:
        raise GenolaunchError(
            f"The embedded cloud is not installed here ({missing.name} is missing): run this in a checkout of "
            "Genolaunch after `make setup`."
        ) from missing
    try:
        yield control
    except control.LocalCloudError as error:
        raise GenolaunchError(str(error)) from error


@local_commands.command(epilog="Example: genolaunch local up")
def up(
    port: Annotated[
        int | None, typer.Option(help="The port to use; without it the usual one (4566), or a free one.")
    ] = None,
    state_dir: StateDirOption = STATE_DIR,
    as_json: JsonOption = False,
) -> None:
    """Start the embedded cloud, unless it runs already."""
    with cloud_control() as control:
        _tell(control.up(state_dir, port), state_dir, as_json)


@local_commands.command(epilog="Example: genolaunch local down")
def down(state_dir: StateDirOption = STATE_DIR, as_json: JsonOption = False) -> None:
    """Stop the embedded cloud; what it held is gone."""
    with cloud_control() as control:
        was_running = control.down(state_dir)
    if as_json:
        typer.echo(json.dumps({"running": False, "wasRunning": was_running}))
    else:
        typer.echo("The embedded cloud was stopped." if was_running else "The embedded cloud was not running.")


@local_commands.command(epilog="Example: genolaunch local status. Exit codes: 0 it runs; 1 it does not.")
def status(state_dir: StateDirOption = STATE_DIR, as_json: JsonOption = False) -> None:
    """Tell whether the embedded cloud runs, and where."""
    with cloud_control() as control:
        cloud = control.status(state_dir)
    _tell(cloud, state_dir, as_json)
    if cloud is None:
        raise typer.Exit(EXIT_NOT_RUNNING)


@local_commands.command(epilog="Example: genolaunch local deploy")
def deploy(
    state_dir: StateDirOption = STATE_DIR,
    stage: Annotated[str, typer.Option("--stage", help="The stage's name.")] = LOCAL_STAGE,
    as_json: JsonOption = False,
) -> None:
    """Deploy the app's own stacks to the embedded cloud, with the CDK CLI."""
    cloud = _running(state_dir)
    with cloud_control() as control:
        # News of single stacks is for people: standard error keeps JSON clean.
        control.deploy(cloud, stage, lambda news: typer.echo(news, err=True))
    typer.echo(json.dumps({"deployed": stage}) if as_json else f"Stage “{stage}” is deployed at {cloud.endpoint}.")


@local_commands.command(epilog='Example: eval "$(genolaunch local env)"')
def env(state_dir: StateDirOption = STATE_DIR, as_json: JsonOption = False) -> None:
    """Print what makes this shell's AWS tools, and genolaunch itself, talk to the embedded cloud."""
    environment = {**_running(state_dir).environment(), "GENOLAUNCH_STAGE": LOCAL_STAGE}
    if as_json:
        typer.echo(json.dumps(environment, indent=2))
        return
    for name, value in sorted(environment.items()):
        typer.echo(f"export {name}={shlex.quote(value)}")


def local_command(name: str, state_dir: Path) -> str:
    """What to type for a command of `local` about the cloud of this folder."""
    option = "" if state_dir == STATE_DIR else f" --state-dir {shlex.quote(str(state_dir))}"
    return f"genolaunch local {name}{option}"


def _running(state_dir: Path) -> "Cloud":
    with cloud_control() as control:
        cloud: Cloud | None = control.status(state_dir)
    if cloud is None:
        raise GenolaunchError("The embedded cloud is not running: start it with `genolaunch local up`.")
    return cloud


def _tell(cloud: "Cloud | None", state_dir: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"running": cloud is not None, "endpoint": cloud.endpoint if cloud else None}))
    elif cloud:
        command = local_command("env", state_dir)
        typer.echo(f'The embedded cloud runs at {cloud.endpoint}; use it with: eval "$({command})"')
    else:
        typer.echo("The embedded cloud is not running.")
