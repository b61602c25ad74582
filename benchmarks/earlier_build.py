"""The build with which benchmarks compare this one, from the repository's history."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
EARLIER = "34edbf7"


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
