"""`genolaunch local`: a thin front of the embedded cloud, and the only commands that know that there is one.

`localcloud` needs the development requirements, so it is imported by the commands that use it and not before.
"""

import importlib
import json
import shlex
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.errors import GenolaunchError

if TYPE_CHECKING:
    from localcloud.control import Cloud

STATE_DIR = Path(".localcloud")
"""Where the embedded cloud keeps its state and its log, in the folder in which it is used."""

USUAL_PORT = 4566

local_commands = typer.Typer(
    help="The embedded cloud: the whole platform on this machine, without an AWS account.", no_args_is_help=True
)

StateDirOption = Annotated[Path, typer.Option("--state-dir", help="Where the embedded cloud keeps its state and log.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@local_commands.command(epilog="Example: genolaunch local up")
def up(
    port: Annotated[int, typer.Option(help="The port to use; a free one if it is taken.")] = USUAL_PORT,
    state_dir: StateDirOption = STATE_DIR,
    as_json: JsonOption = False,
) -> None:
    """Start the embedded cloud, unless it runs already."""
    _tell(_control().up(state_dir, port), as_json)


@local_commands.command(epilog="Example: genolaunch local down")
def down(state_dir: StateDirOption = STATE_DIR) -> None:
    """Stop the embedded cloud; what it held is gone."""
    _control().down(state_dir)


@local_commands.command(epilog="Example: genolaunch local status. Exit codes: 0 it runs; 1 it does not.")
def status(state_dir: StateDirOption = STATE_DIR, as_json: JsonOption = False) -> None:
    """Tell whether the embedded cloud runs, and where."""
    cloud = _control().status(state_dir)
    _tell(cloud, as_json)
    if cloud is None:
        raise typer.Exit(1)


@local_commands.command(epilog="Example: genolaunch --stage dev local deploy")
def deploy(ctx: typer.Context, state_dir: StateDirOption = STATE_DIR) -> None:
    """Deploy the app's own stacks of the stage to the embedded cloud."""
    _control().deploy(_running(state_dir), ctx.obj.stage)


@local_commands.command(epilog='Example: eval "$(genolaunch local env)"')
def env(state_dir: StateDirOption = STATE_DIR, as_json: JsonOption = False) -> None:
    """Print what makes this shell's AWS tools talk to the embedded cloud."""
    environment = _running(state_dir).environment()
    if as_json:
        typer.echo(json.dumps(environment, indent=2))
        return
    for name, value in sorted(environment.items()):
        typer.echo(f"export {name}={shlex.quote(value)}")


def _control() -> ModuleType:
    try:
        return importlib.import_module("localcloud.control")
    except ModuleNotFoundError as missing:
        raise GenolaunchError(
            f"The embedded cloud is not installed here ({missing.name} is missing): run this in a checkout of "
            "Genolaunch after `make setup`."
        ) from missing


def _running(state_dir: Path) -> "Cloud":
    cloud = _control().status(state_dir)
    if cloud is None:
        raise GenolaunchError("The embedded cloud is not running: start it with `genolaunch local up`.")
    return cloud


def _tell(cloud: "Cloud | None", as_json: bool) -> None:
    endpoint = cloud.environment()["AWS_ENDPOINT_URL"] if cloud else None
    if as_json:
        typer.echo(json.dumps({"running": cloud is not None, "endpoint": endpoint}))
    elif endpoint:
        typer.echo(f'The embedded cloud runs at {endpoint}; use it with: eval "$(genolaunch local env)"')
    else:
        typer.echo("The embedded cloud is not running.")
