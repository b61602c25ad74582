"""The engine's process: its output, its events, and how a request to stop reaches it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import IO, Final

CANCEL_SECONDS: Final = 60.0
"""Given to Snakemake to cancel its jobs. ECS kills a task at most 120 s after SIGTERM (StopTimeout), and the launcher
has to clean up and to say how it ended in what is left."""

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the process's events."""


class Child:
    """Runs one process at a time, and hands on what asks the launcher to stop.

    ECS stops a task with SIGTERM, by which Snakemake would go on until its running jobs are done. What makes it cancel
    them is SIGINT.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self._process: subprocess.Popen[bytes] | None = None
        self._kill_at: float | None = None

    def listen(self) -> None:
        """From now on SIGTERM and SIGINT cancel the run."""
        signal.signal(signal.SIGTERM, self._cancel)
        signal.signal(signal.SIGINT, self._cancel)

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        look: Callable[[], None],
    ) -> int:
        """Run `command` to its end, its output to this process's and to the file `log`; answers its exit code.

        `look` is called again and again, and once after the end. A negative code is that of a signal.
        """
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if self.cancelled:
            self._process.send_signal(signal.SIGINT)
        assert self._process.stdout is not None  # it was asked for
        copier = Thread(target=_copy, args=(self._process.stdout, log), daemon=True)
        copier.start()
        while self._process.poll() is None:
            look()
            self._kill_if_due(self._process)
            time.sleep(_LOOK_EVERY)
        copier.join(timeout=_LOOK_EVERY)  # longer only when a grandchild holds the pipe
        look()
        return self._process.returncode

    def _cancel(self, _number: int, _frame: FrameType | None) -> None:
        if self.cancelled:
            return  # a second signal would interrupt the cancelling
        self.cancelled = True
        self._kill_at = time.monotonic() + CANCEL_SECONDS
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)

    def _kill_if_due(self, process: subprocess.Popen[bytes]) -> None:
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            process.kill()


def _copy(output: IO[bytes], log: Path) -> None:
    with log.open("wb") as file:
        for line in output:
            file.write(line)
            file.flush()
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
