"""One process of this machine, followed from its start to the end of everything it started."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from localcloud.batch.logs import LogWriter
from localcloud.batch.runner import StopSignal

_TICK_SECONDS: Final = 0.25
"""How often a silent process is looked at: for log lines that wait, and for children that outlived it."""

_CHUNK_BYTES: Final = 65_536


def run_process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    stop: StopSignal,
    log: LogWriter,
    started: Callable[[], None],
    grace_seconds: float,
) -> int:
    """Run `command` in `folder` to its end, its output to `log`; answers its exit code, 128 + n for signal n.

    A request to stop is a SIGTERM to the process and all its children, and a SIGKILL `grace_seconds` later.
    Raises OSError when it cannot be started.
    """
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a group of its own, by which its children are found
    )
    started()
    return _Supervisor(process, stop, log, grace_seconds).wait()


class _Supervisor:
    """Follows one process: its output, a request to stop it, and its end."""

    def __init__(
        self, process: subprocess.Popen[bytes], stop: StopSignal, log: LogWriter, grace_seconds: float
    ) -> None:
        self._process = process
        self._stop = stop
        self._log = log
        self._grace_seconds = grace_seconds
        self._kill_at: float | None = None

    def wait(self) -> int:
        """Until the process and its children are gone and have no more to say. Answers the exit code, as a shell's."""
        self._stop.on_request(lambda: self._signal(signal.SIGTERM))
        assert self._process.stdout is not None  # it was asked for
        with self._process.stdout as output:
            self._follow(output)
        code = self._wait_for_exit()
        self._signal(signal.SIGKILL)
        return code if code >= 0 else 128 - code

    def _follow(self, output: IO[bytes]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                # Asked before the pipe is looked at: what it said before its end is in there.
                has_ended = self._process.poll() is not None
                if selector.select(0 if has_ended else _TICK_SECONDS):
                    chunk = os.read(output.fileno(), _CHUNK_BYTES)
                    if not chunk:
                        return
                    self._log.feed(chunk)
                elif has_ended:
                    # A container ends with its first process. One that left the group may hold the pipe: let it.
                    self._signal(signal.SIGKILL)
                    return
                else:
                    self._log.flush_if_due()
                self._kill_after_grace()

    def _wait_for_exit(self) -> int:
        """Usually a moment: output ends just before the process, unless it was closed earlier."""
        while True:
            try:
                return self._process.wait(_TICK_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill_after_grace()

    def _kill_after_grace(self) -> None:
        if not self._stop.requested:
            return
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace_seconds
        elif time.monotonic() >= self._kill_at:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            os.killpg(self._process.pid, number)
