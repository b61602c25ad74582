"""Which version of Genolaunch a command is: pyproject.toml says it, and nothing else."""

import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

from genolaunch import checkout
from genolaunch.contract.project import PROJECT
from genolaunch.errors import GenolaunchError


def version() -> str:
    """Of this command, such as `0.1.0`; in a checkout the checkout's, whatever it was when it was installed."""
    root = checkout.own()
    return version_of(root) if root else metadata.version(PROJECT)


def version_of(root: Path) -> str:
    """Of a checkout.

    Raises:
        GenolaunchError: its pyproject.toml says none.
    """
    file = root / "pyproject.toml"
    try:
        declared: str = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"]
    except (OSError, ValueError, KeyError) as error:
        raise GenolaunchError(f"{file} does not say which version of Genolaunch it is of (project.version).") from error
    return declared


def version_and_place() -> str:
    """`0.1.0`; of a checkout also its folder and its commit, `-dirty` where files are not as they were committed."""
    root = checkout.own()
    if root is None:
        return version()
    commit = _commit(root)
    return f"{version()} (checkout {root}{f', commit {commit}' if commit else ''})"


def _commit(root: Path) -> str | None:
    """None without git, or of files that are in no repository, or lie unpacked in another project's."""
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None
        return _git(root, "describe", "--always", "--dirty", "--exclude", "*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
