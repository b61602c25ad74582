"""A process is followed until it has nothing more to say."""

import sys
from pathlib import Path

import pytest

from localcloud.batch.process import run_process
from localcloud.batch.runner import StopSignal
from tests.local.platform_client import eventually

SPEAKS_LAST = """
import pathlib, sys, time
while not pathlib.Path("go").exists():
    time.sleep(0.01)
print("the last word", flush=True)
"""


class SlowLog:
    """While it is asked whether lines are due, the process says its last word and ends, as on a machine under load."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.text = b""

    def feed(self, chunk: bytes) -> None:
        self.text += chunk

    def flush_if_due(self) -> None:
        (self._folder / "go").touch()
        eventually(lambda: not _lives(self._folder), "the end of the process", pause=0.01)


def _lives(folder: Path) -> bool:
    """Whether a process works in the folder; one that has ended and was not waited for does not."""
    return any(_folder_of(process) == folder for process in Path("/proc").glob("[0-9]*"))


def _folder_of(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_what_a_process_says_at_its_very_end_is_not_lost(tmp_path):
    log = SlowLog(tmp_path)

    code = run_process(
        [sys.executable, "-c", SPEAKS_LAST],
        environment={},
        folder=tmp_path,
        stop=StopSignal(),
        log=log,  # type: ignore[arg-type]  # it takes what a LogWriter takes
        started=lambda: None,
        grace_seconds=10,
    )

    assert (code, log.text) == (0, b"the last word\n")
