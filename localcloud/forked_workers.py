"""Functions' processes are forked of one that has imported what they all import (worker_parent).

A process that begins anew spends some 0.2 s on these imports and has 30 MB of its own for them; a deployment starts
one for each of its functions, and a burst of launches two. A function whose code or further layer brings one of these
packages itself, or that has no layer, begins anew all the same. So does every one where no file can stand for a process
(pidfd is Linux's).
"""

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Final

_LAYERS: Final = "_LAMBDA_LAYERS_DIRS"
"""Environment variable of a worker: where its function's layers are unpacked."""

_IMPORTED: Final = (
    "boto3",
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_xray_sdk.ext.botocore.patch",
    "pydantic",
)
"""What a forked process begins with: no more than what the decorator of every function imports, and pydantic. A module
that a function forgot to import must be missing here too.
"""
_PACKAGES: Final = frozenset(name.partition(".")[0] for name in _IMPORTED) | {"botocore"}
_OF_ALL: Final = frozenset(
    {"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"}
)
"""What the parent is given of a worker's environment. Every later worker can read it (/proc/self/environ), so it holds
no keys. X-Ray asks for LAMBDA_TASK_ROOT when it is imported.
"""
_ANSWER: Final = 64
"""Bytes of an answer: a process id."""

logger = logging.getLogger("localcloud")


class ForkedProcess:
    """A worker's process, with what ministack uses of subprocess.Popen."""

    def __init__(self, process: int, handle: int, streams: tuple[IO[str], IO[str], IO[str]]) -> None:
        self.pid = process
        self.stdin, self.stdout, self.stderr = streams
        self._handle = handle
        self._ended = select.poll()
        self._ended.register(handle, select.POLLIN)

    def poll(self) -> int | None:
        """None while it runs, else 0: how it ended is known to its parent alone."""
        return 0 if self._ended.poll(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, `timeout` seconds at most (then TimeoutExpired is raised)."""
        if not self._ended.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired("a function's worker", timeout or 0)
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def __del__(self) -> None:
        """Close the handle: nobody asks for the process any more."""
        os.close(self._handle)


class Parents:
    """The processes of which workers are forked: one for each layer that comes first among a function's layers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parents: dict[str, _Parent] = {}

    def start(
        self, arguments: Sequence[str], *, cwd: str, env: Mapping[str, str], **as_popen: object
    ) -> "ForkedProcess | subprocess.Popen[str]":
        """Start a worker as subprocess.Popen does, forked where its function allows it."""
        shared, *further = _layers(env) or [""]
        own = [cwd, *(str(Path(layer, "python")) for layer in further)]
        if not _CAN_FORK or not shared or any(PathFinder.find_spec(name, own) for name in _PACKAGES):
            return _begun_anew(arguments, cwd, env, as_popen)
        with self._lock:
            parent = self._parents.get(shared) or _Parent(shared, env)
            self._parents[shared] = parent
            try:
                return parent.fork(arguments[1:], cwd, env)
            except OSError as lost:
                logger.warning("No worker can be forked, so it begins anew: %s", lost)
                self._parents.pop(shared).close()
        return _begun_anew(arguments, cwd, env, as_popen)

    def close(self) -> None:
        """Let all of them end. Workers live on."""
        with self._lock:
            while self._parents:
                self._parents.popitem()[1].close()


def _layers(environment: Mapping[str, str]) -> list[str]:
    return [os.path.realpath(each) for each in environment.get(_LAYERS, "").split(os.pathsep) if each]


def _has_process_files() -> bool:
    """Whether a file can stand for a process, as on Linux since 5.3, unless a sandbox forbids it."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


_CAN_FORK: Final = _has_process_files()


def _begun_anew(
    arguments: Sequence[str], folder: str, environment: Mapping[str, str], as_popen: Mapping[str, object]
) -> "subprocess.Popen[str]":
    return subprocess.Popen(arguments, cwd=folder, env=environment, **as_popen)  # type: ignore[call-overload,no-any-return]


class _Parent:
    def __init__(self, layer: str, like: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "localcloud.worker_parent", str(theirs.fileno()), *_IMPORTED],
                env={name: value for name, value in like.items() if name in _OF_ALL} | {_LAYERS: layer},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def fork(self, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> ForkedProcess:
        """A new worker. Raises OSError where this process has ended."""
        message = {"arguments": list(arguments), "folder": folder, "environment": dict(environment)}
        (read_in, write_in), (read_out, write_out), (read_err, write_err) = (os.pipe() for _ in range(3))
        try:
            socket.send_fds(self._requests, [json.dumps(message).encode()], [read_in, write_out, write_err])
            answer, handles, _, _ = socket.recv_fds(self._requests, _ANSWER, 1, socket.MSG_CMSG_CLOEXEC)
            if not handles:
                raise ConnectionResetError("it has ended")
        except OSError:
            for each in (write_in, read_out, read_err):
                os.close(each)
            raise
        finally:
            for each in (read_in, write_out, write_err):
                os.close(each)
        streams = (os.fdopen(write_in, "w", buffering=1), os.fdopen(read_out), os.fdopen(read_err))
        return ForkedProcess(int(answer), handles[0], streams)

    def close(self) -> None:
        self._requests.close()
        self._process.wait()


def forking_subprocess(parents: Parents) -> SimpleNamespace:
    """Module subprocess, but for Popen."""
    return SimpleNamespace(**{**vars(subprocess), "Popen": parents.start})
