"""Which version of Genolaunch a command is: pyproject.toml says it, and nothing else."""

import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

from genolaunch import checkout
from genolaunch.contract.project import PROJECT


def version() -> str:
    """Of this command, such as `0.1.0`; in a checkout the checkout's, whatever it was when it was installed."""
    root = checkout.own()
    return version_of(root) if root else metadata.version(PROJECT)


def version_of(root: Path) -> str:
    """Of a checkout."""
    declared: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return declared


def version_and_place() -> str:
    """`0.1.0`; of a checkout also its folder and its commit, `-dirty` where files are not as they were committed."""
    root = checkout.own()
    if root is None:
        return version()
    commit = _commit(root)
    return f"{version()} (checkout {root}{f', commit {commit}' if commit else ''})"


def _commit(root: Path) -> str | None:
    """None without git, or of files that are in no repository."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
