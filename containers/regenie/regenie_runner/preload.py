"""Loads restored inputs into the file system, as a whole and once, before many jobs read them.

With Lustre's own program (`lfs hsm_restore`) the file servers load the files from S3 in parallel. An image without it
reads the files instead: reading a file that is not there yet loads it (FSx for Lustre user guide, "Importing files").
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from regenie_runner.console import say
from regenie_runner.errors import RunnerError

_FILES_A_CALL = 100
"""Far below the longest command line of Linux (2 MB), with paths of 4 KB at the most."""

_RELEASED = "released"
"""State of a file whose content is in S3 only (lfs-hsm_state(1))."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two looks. There is no event; the job's own time-out ends a wait that never does."""

_BLOCK = 1 << 22
_READERS = 8


def preload(paths: Sequence[str], data: Path) -> None:
    """Load files (below `data`), and make sure that all of them are there; RunnerError naming those that are not."""
    files = [data / path for path in paths]
    missing = [str(file) for file in files if not os.path.lexists(file)]
    if missing:
        raise RunnerError(f"The file system lacks {', '.join(missing)}: the import from S3 left it out.")
    say(f"Loading {len(files)} restored file(s) from S3.")
    if shutil.which("lfs"):
        _restore(files)
    else:
        _read(files)


def _restore(files: Sequence[Path]) -> None:
    for some in _batches(files):
        _lfs("hsm_restore", some)
    pause = _FIRST_PAUSE
    while files := [file for some in _batches(files) for file in _released(some)]:
        say(f"{len(files)} file(s) are still being loaded.")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _released(files: Sequence[Path]) -> list[Path]:
    """Those that are not loaded yet, by lines such as `/fsx/data/x: (0x0000000d) released exists archived`."""
    lines = _lfs("hsm_state", files).splitlines()
    told = dict(line.rpartition(": ")[::2] for line in lines)
    if not all(str(file) in told for file in files):
        raise RunnerError(f"lfs hsm_state does not tell about each file: {lines[:3]}")
    return [file for file in files if _RELEASED in told[str(file)].replace(",", " ").split()]


def _lfs(action: str, files: Sequence[Path]) -> str:
    answer = subprocess.run(["lfs", action, *map(str, files)], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise RunnerError(f"Restored inputs cannot be loaded from S3: {answer.stderr.strip() or answer.stdout.strip()}")
    return answer.stdout


def _read(files: Sequence[Path]) -> None:
    with ThreadPoolExecutor(_READERS) as pool:
        for error in pool.map(_read_through, files):
            if error is not None:
                raise RunnerError(f"A restored input cannot be loaded from S3: {error}.")


def _read_through(file: Path) -> OSError | None:
    """Why it cannot be read, if so."""
    try:
        with file.open("rb", buffering=0) as content:
            while content.read(_BLOCK):
                pass
    except OSError as error:
        return error
    return None


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    rest = iter(files)
    while some := list(itertools.islice(rest, _FILES_A_CALL)):
        yield some
