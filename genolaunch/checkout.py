"""The checkout of Genolaunch that some commands need: the app, its settings, the embedded cloud and the examples.

The command line is a package by itself, and has none of these where it was installed alone.
"""

from pathlib import Path
from typing import Final

from genolaunch.errors import GenolaunchError

_HAS: Final = ("cdk.json", "localcloud", "pyproject.toml", "stacks/config.py")


def around(folder: Path) -> Path | None:
    """The root of the checkout that a folder is or lies in."""
    return next((each for each in (folder, *folder.parents) if all((each / name).exists() for name in _HAS)), None)


def own() -> Path | None:
    """The root of the checkout that this command is of; None if it was installed alone."""
    root = Path(__file__).parents[1]
    return root if around(root) == root else None


def required(what: str) -> Path:
    """The same, for `what` needs it.

    Raises:
        GenolaunchError: the command was installed alone.
    """
    root = own()
    if root is None:
        raise GenolaunchError(
            f"{what} needs a checkout of Genolaunch, and this command was installed alone: call `make setup` in a "
            "checkout, and use the command of that checkout, .venv/bin/genolaunch."
        )
    return root
