"""Failures, and endings, that tests have asked for."""

import fnmatch
import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class TaskInjection:
    """What the next tasks with a matching `startedBy` meet instead of running their container."""

    started_by: str
    """Glob."""
    exit_code: int | None = None
    """The container runs for `seconds`, and ends so; SIGTERM's 143 when it is stopped before."""
    seconds: float = 0.0
    stopped_reason: str | None = None
    """It never runs: TaskFailedToStart, for this reason."""
    vanishes: bool = False
    """When it ends there is no event, and ECS does not know it any more."""
    times: int = 1


@dataclass(slots=True)
class Refusal:
    """What the next calls of RunTask are answered with."""

    code: str | None
    """An error; None for an entry of `failures`."""
    reason: str
    times: int = 1


@dataclass(slots=True)
class Injections:
    """Those that wait."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tasks: list[TaskInjection] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)

    def add_task(self, injection: TaskInjection) -> None:
        """For the next `injection.times` matching tasks."""
        with self._lock:
            self._tasks.append(injection)

    def add_refusal(self, refusal: Refusal) -> None:
        """For the next `refusal.times` calls of RunTask."""
        with self._lock:
            self._refusals.append(refusal)

    def task(self, started_by: str) -> TaskInjection | None:
        """What a task meets, if anything."""
        with self._lock:
            for injection in self._tasks:
                if fnmatch.fnmatchcase(started_by, injection.started_by):
                    injection.times -= 1
                    if injection.times <= 0:
                        self._tasks.remove(injection)
                    return injection
        return None

    def refusal(self) -> Refusal | None:
        """What a call of RunTask is answered with, if it is refused."""
        with self._lock:
            if not self._refusals:
                return None
            refusal = self._refusals[0]
            refusal.times -= 1
            if refusal.times <= 0:
                self._refusals.pop(0)
            return refusal
