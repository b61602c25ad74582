"""Starts the embedded cloud's server and ends what it leaves behind: `python -m localcloud.keeper --port … --state …`.

Functions, jobs, launchers and instances are processes of the server. A server that is killed cannot end them, and a
launcher that lives on would write into the next cloud. Linux gives orphans to the nearest ancestor that asked for them
(prctl(2), PR_SET_CHILD_SUBREAPER): this process, which ends them. Elsewhere it only starts the server.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36

_PROCESSES: Final = Path("/proc")


def main() -> None:
    """Run the server with these arguments; the exit status is the server's."""
    _ask_for_orphans()
    server = subprocess.Popen([sys.executable, "-m", "localcloud.server", *sys.argv[1:]])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: server.send_signal(received))
    code = server.wait()
    if code < 0:
        print(f"The server was killed by signal {-code}.", file=sys.stderr)  # noqa: T201 - to its log
    end_children()
    sys.exit(code if code >= 0 else 128 - code)


def end_children() -> None:
    """End this process's children, and theirs as they become its own, until there are none."""
    while children := list(_children()):
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _ask_for_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children() -> Iterator[int]:
    if not _PROCESSES.is_dir():
        return
    me = os.getpid()
    for folder in _PROCESSES.iterdir():
        if folder.name.isdigit() and _parent(folder) == me:
            yield int(folder.name)


def _parent(folder: Path) -> int | None:
    try:
        status = (folder / "stat").read_text()
    except OSError:  # it has just ended
        return None
    # The second field is the program's name in brackets, which may hold anything (proc_pid_stat(5)).
    return int(status.rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
