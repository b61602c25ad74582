"""The embedded cloud, as far as commands know of it.

`genolaunch.local_stage` needs the development requirements, so it is imported where it is used and not before.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from genolaunch import checkout
from genolaunch.errors import GenolaunchError

_STATE = ".localcloud"

LOCAL_STAGE = "local"


def usual_state_dir() -> Path:
    """The folder of the embedded cloud's state and logs: in the checkout, independent of the current folder.

    That is the checkout in which the current folder lies, or else the one that this command is of.
    """
    return (checkout.around(Path.cwd()) or Path(__file__).parents[1]) / _STATE


StateDirOption = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        help="Folder of the embedded cloud's state and logs.",
        default_factory=usual_state_dir,
        show_default="the checkout's .localcloud",
    ),
]


@contextmanager
def cloud_control() -> Iterator[ModuleType]:
    """`genolaunch.local_stage.control`, whose errors become GenolaunchErrors; so does its absence."""
    checkout.required("The embedded cloud")
    try:
        from genolaunch.local_stage import control
    except ModuleNotFoundError as missing:
        raise GenolaunchError(
            f"The embedded cloud is not installed here ({missing.name} is missing): call `make setup` in the checkout."
        ) from missing
    try:
        yield control
    except control.LocalCloudError as error:
        raise GenolaunchError(str(error)) from error


def local_command(name: str, state_dir: Path) -> str:
    """What to type for a command of `local` about the cloud of that folder."""
    option = "" if state_dir == usual_state_dir() else f" --state-dir {shlex.quote(str(state_dir))}"
    return f"genolaunch local {name}{option}"
