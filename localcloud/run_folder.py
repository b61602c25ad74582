"""The folder for everything that a server writes while it runs: empty at its start."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

_NAME: Final = "run"

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+-]+")
"""A path that every program can put into its own files: regenie splits the lines of its master file at blanks, and
lists of folders at colons."""


def is_plain(folder: Path) -> bool:
    """Whether every program can take its path as it is."""
    return _PLAIN.fullmatch(str(folder.resolve())) is not None


def emptied(state_dir: Path) -> Path:
    """Make it in `state_dir`; its path is plain.

    Below a folder with a blank in its name it lies among the machine's temporary files, and the name in `state_dir`
    leads there. What an earlier server left is gone: buckets and tables live in memory, so nothing of it is of use.
    """
    removed(state_dir)
    folder = state_dir / _NAME
    if is_plain(folder):
        folder.mkdir()
        return folder
    elsewhere = Path(tempfile.mkdtemp(prefix="localcloud-", dir=_plain_temporary_folder())).resolve()
    folder.symlink_to(elsewhere)
    return elsewhere


def removed(state_dir: Path) -> None:
    """Remove it, wherever it lies."""
    folder = state_dir / _NAME
    shutil.rmtree(folder.resolve(), ignore_errors=True)
    folder.unlink(missing_ok=True)


def is_elsewhere(state_dir: Path) -> bool:
    """Whether it lies outside `state_dir`: who removes that folder does not remove it then."""
    return (state_dir / _NAME).is_symlink()


def _plain_temporary_folder() -> str:
    usual = tempfile.gettempdir()
    return usual if _PLAIN.fullmatch(usual) else "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
