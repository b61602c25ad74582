"""`genolaunch local`: a thin front of the embedded cloud."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.exit_codes import NOT_RUNNING
from genolaunch.commands.options import JsonOption
from genolaunch.commands.output import print_json, say
from genolaunch.errors import GenolaunchError
from genolaunch.local import LOCAL_STAGE, StateDirOption, cloud_control, local_command

if TYPE_CHECKING:
    from genolaunch.local_stage.control import Cloud

commands = typer.Typer(
    help="Run the embedded cloud: the whole platform on this machine, without an AWS account.", no_args_is_help=True
)


@commands.command(epilog="Example: genolaunch local up")
def up(
    state_dir: StateDirOption,
    port: Annotated[
        int | None, typer.Option(help="Port to use. Default: 4566, or a free port if that is taken.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start the embedded cloud, unless it runs already."""
    with cloud_control() as control:
        cloud = control.up(state_dir, port)
    if cloud.lost:
        say(cloud.lost, err=True)
    _tell(cloud, state_dir, as_json)


@commands.command(epilog="Example: genolaunch local down")
def down(state_dir: StateDirOption, as_json: JsonOption = False) -> None:
    """Stop the embedded cloud. Everything in it is lost."""
    with cloud_control() as control:
        was_running = control.down(state_dir)
    if as_json:
        say(json.dumps({"running": False, "wasRunning": was_running}))
    else:
        say("The embedded cloud was stopped." if was_running else "The embedded cloud was not running.")


@commands.command(epilog="Example: genolaunch local status. Exit codes: 0 it runs; 1 it does not.")
def status(state_dir: StateDirOption, as_json: JsonOption = False) -> None:
    """Show whether the embedded cloud runs, and its address."""
    with cloud_control() as control:
        cloud = control.status(state_dir)
    _tell(cloud, state_dir, as_json)
    if cloud is None:
        raise typer.Exit(NOT_RUNNING)


@commands.command(epilog="Example: genolaunch local deploy")
def deploy(
    state_dir: StateDirOption,
    stage: Annotated[str, typer.Option("--stage", help="The stage's name.")] = LOCAL_STAGE,
    as_json: JsonOption = False,
) -> None:
    """Deploy the app's own stacks to the embedded cloud, with the CDK CLI."""
    cloud = _running(state_dir)
    with cloud_control() as control:
        # News of single stacks is for people: standard error keeps JSON clean.
        control.deploy(cloud, stage, lambda news: say(news, err=True))
    say(json.dumps({"deployed": stage}) if as_json else f"Stage “{stage}” is deployed at {cloud.endpoint}.")


@commands.command(epilog='Example: eval "$(genolaunch local env)"')
def env(state_dir: StateDirOption, as_json: JsonOption = False) -> None:
    """Print shell commands that point AWS tools, and genolaunch itself, at the embedded cloud."""
    environment = {**_running(state_dir).environment(), "GENOLAUNCH_STAGE": LOCAL_STAGE}
    if as_json:
        print_json(environment)
        return
    for name, value in sorted(environment.items()):
        say(f"export {name}={shlex.quote(value)}")


def _running(state_dir: Path) -> "Cloud":
    with cloud_control() as control:
        cloud: Cloud | None = control.status(state_dir)
    if cloud is None:
        raise GenolaunchError("The embedded cloud is not running: start it with `genolaunch local up`.")
    return cloud


def _tell(cloud: "Cloud | None", state_dir: Path, as_json: bool) -> None:
    if as_json:
        say(json.dumps({"running": cloud is not None, "endpoint": cloud.endpoint if cloud else None}))
    elif cloud:
        command = local_command("env", state_dir)
        say(f'The embedded cloud runs at {cloud.endpoint}; use it with: eval "$({command})"')
    else:
        say("The embedded cloud is not running.")
