"""The build with which benchmarks compare this one, from the repository's history."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[1]
EARLIER = "34edbf7"
_Cost = TypeVar("_Cost")


def unpack_earlier(folder: Path, *paths: str) -> Path:
    """Unpack these paths of the earlier build; ends the benchmark where it is not here.

    Args:
        folder: where they go.
        paths: of files and folders, from the repository's root on.

    Returns:
        The folder, which stands for that root.
    """
    packed = subprocess.run(["git", "archive", EARLIER, *paths], cwd=ROOT, capture_output=True)
    if packed.returncode:
        sys.exit(
            f"The commit {EARLIER} is not in this clone: fetch all of the history (git fetch --unshallow), and retry."
        )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def in_turns(builds: Mapping[str, Path], turns: int, measure: Callable[[Path], _Cost]) -> dict[str, list[_Cost]]:
    """Measure each build once a turn, so that whatever else the machine does meets all of them.

    Args:
        builds: name -> where it is.
        turns: how often.
        measure: of a build.

    Returns:
        Name -> what was measured, turn by turn.
    """
    costs: dict[str, list[_Cost]] = {name: [] for name in builds}
    for _ in range(turns):
        for name, build in builds.items():
            costs[name].append(measure(build))
    return costs
