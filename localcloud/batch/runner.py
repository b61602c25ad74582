"""What the engine asks of whatever runs containers, and how a run is stopped from outside."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from localcloud.batch.logs import LogWriter


@dataclass(frozen=True, slots=True)
class ContainerRun:
    """One attempt of a job, ready to run."""

    task_id: str
    """Names scratch folders and containers; unique for each attempt."""
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    volumes: Sequence[Mapping[str, Any]]
    """Batch's `volumes`: name and host.sourcePath."""
    mount_points: Sequence[Mapping[str, Any]]
    """Batch's `mountPoints`: sourceVolume, containerPath and readOnly."""
    vcpus: int
    user: str | None = None
    grace_seconds: float | None = None
    """Between SIGTERM and SIGKILL; None for the runner's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a container ended. Without an exit code it never ran, or its host went away."""

    exit_code: int | None
    reason: str | None = None
    """What the container service says about the container (`OutOfMemoryError: ...`), if anything."""


class ContainerStartError(Exception):
    """A container could not be started; the message is Batch's `reason` (`CannotPullContainerError: ...`)."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Why a running container is to stop."""

    status_reason: str
    retryable: bool = False
    """Whether the retry strategy has a say: after a lost host it has, after a termination or a time-out it has not."""


class StopSignal:
    """Tells a runner, on another thread, to stop its container. The first request counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request: StopRequest | None = None
        self._callback: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None

    @property
    def requested(self) -> StopRequest | None:
        """The request, once there is one."""
        return self._request

    def request(self, request: StopRequest) -> None:
        """Ask the container to stop."""
        with self._lock:
            if self._request is not None:
                return
            self._request = request
            callback = self._callback
        if callback:
            callback()

    def request_after(self, seconds: float, request: StopRequest) -> None:
        """Ask it to stop unless it has ended (`disarm`) by then."""
        self._timer = threading.Timer(seconds, self.request, [request])
        self._timer.daemon = True
        self._timer.start()

    def disarm(self) -> None:
        """The container has ended: a time-out will not come any more, and a request has nothing to stop."""
        with self._lock:
            self._callback = None
        if self._timer is not None:
            self._timer.cancel()

    def on_request(self, callback: Callable[[], None]) -> None:
        """Call `callback` at the request, or now if it came before."""
        with self._lock:
            self._callback = callback
            requested = self._request is not None
        if requested:
            callback()


class ContainerRunner(Protocol):
    """Runs containers, one for each call, on the calling thread."""

    def run(self, run: ContainerRun, stop: StopSignal, log: LogWriter, started: Callable[[], None]) -> Outcome:
        """Run to the end and give every line that is printed to `log`.

        `started` is called when the container's process runs. Raises ContainerStartError when it cannot be started.
        """
