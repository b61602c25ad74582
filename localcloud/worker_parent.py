"""The process of which the workers of Python functions are forked: it has imported what nearly all of them import.

forked_workers starts it, with one end of a pair of sockets and the names of the modules to import. A request is one
message: which worker to start, as JSON, and the three files that become its standard streams. The answer is its process
id, and a file that stands for the process. It ends when the other end is closed.

A module is imported from where a worker would find it itself: the layers, and what AWS's runtime brings.
"""

import contextlib
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from typing import Any

from localcloud import lambda_worker

_LONGEST = 1 << 20
"""Bytes of a request, the worker's whole environment in it (Lambda allows 4 KB of a function's own)."""

_STREAMS = 3


def main() -> None:
    """Fork a worker for each request, and be one in the process that was forked."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets ended workers: nobody asks how they ended
    gc.disable()  # with freeze(): no collection may touch, and so copy, the memory that workers share
    lambda_worker.see_only()
    for name in sys.argv[2:]:
        with contextlib.suppress(ImportError):  # a layer may lack it: the function may not need it
            importlib.import_module(name)
    gc.freeze()
    while message := _received(requests):
        worker, streams = message
        if _forked(requests, streams):
            requests.close()
            _become(worker, streams)
            lambda_worker.main()
            return


def _received(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    content, streams, _, _ = socket.recv_fds(requests, _LONGEST, _STREAMS, socket.MSG_CMSG_CLOEXEC)
    return (json.loads(content), streams) if content else None


def _forked(requests: socket.socket, streams: list[int]) -> bool:
    """Whether this is the new process. The old one answers: the new one lives until it has read its first line."""
    process = os.fork()
    if process == 0:
        return True
    handle = os.pidfd_open(process)
    socket.send_fds(requests, [str(process).encode()], [handle])
    for each in (handle, *streams):
        os.close(each)
    return False


def _become(worker: dict[str, Any], streams: list[int]) -> None:
    """Take over what a process that is started anew would have: streams, environment, folder, signals, chance."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(worker["environment"])
    os.chdir(worker["folder"])
    sys.argv[:] = worker["arguments"]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    gc.enable()


if __name__ == "__main__":
    main()
