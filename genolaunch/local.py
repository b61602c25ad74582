"""The embedded cloud, as far as commands know of it.

`localcloud` needs the development requirements, so it is imported where it is used and not before.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from genolaunch.errors import GenolaunchError

STATE_DIR = Path(".localcloud")
"""Where the embedded cloud keeps its state and its logs, in the folder in which it is used."""

LOCAL_STAGE = "local"


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


def local_command(name: str, state_dir: Path) -> str:
    """What to type for a command of `local` about the cloud of this folder."""
    option = "" if state_dir == STATE_DIR else f" --state-dir {shlex.quote(str(state_dir))}"
    return f"genolaunch local {name}{option}"
