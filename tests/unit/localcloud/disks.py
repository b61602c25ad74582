"""A disk that can be full, for tests: a small file system in memory, which only root may make."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, kib: int) -> Iterator[Path]:
    """A disk of that size at a new folder; the test is skipped where none can be made."""
    folder.mkdir()
    made = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not made or made.returncode != 0:
        pytest.skip("a small disk can be made by root only, and where mount is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte of it; the file that takes them."""
    file = disk / "fill"
    with file.open("wb", buffering=0) as target:
        for block in (65_536, 512, 1):
            try:
                while True:
                    target.write(bytes(block))
            except OSError:
                continue
    return file
