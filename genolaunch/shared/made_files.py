"""Which files of the folder where a Snakemake launch works are its jobs': people put files there, too."""

from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import PurePosixPath
from typing import Any


def made_files(lists: Iterable[Mapping[str, Any] | None]) -> frozenset[str]:
    """Paths, below the launch's data, of what its jobs made.

    Args:
        lists: What the launcher of each attempt lists (genolaunch.contract.launcher.launcher_jobs); None where there is
            no list. A retry keeps what was made before it, so all attempts count.

    Returns:
        The paths; a `directory()` is there by its own name.
    """
    return frozenset(path for found in lists for path in (found or {}).get("made", ()))


def is_made(path: str, made: Set[str]) -> bool:
    """Whether a path is one of made_files, or in a folder that is."""
    return not made.isdisjoint(_with_folders(path))


def _with_folders(path: str) -> Iterator[str]:
    yield path
    yield from (str(folder) for folder in PurePosixPath(path).parents)
