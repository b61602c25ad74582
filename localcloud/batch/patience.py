"""The clock of a queue's `jobStateTimeLimitActions`: how long a job at its head may wait in vain."""

import fnmatch
import threading
from collections.abc import Callable
from typing import Protocol

from localcloud.batch.job import Job, JobSpec

GIVEN_UP = "Canceled by JobStateTimeLimit action due to reason: "
"""Begins the statusReason of a job that its queue has cancelled."""


class Limits(Protocol):
    """What must be known about job queues."""

    def why_stuck(self, spec: JobSpec) -> str | None:
        """Why no compute environment of the job's queue will ever run it, as its statusReason says; None if one may."""

    def time_limit(self, queue_arn: str, reason: str) -> int | None:
        """Seconds after which the queue cancels a job at its head that waits for this reason; None: never."""


class Patience:
    """Watches jobs at the heads of queues. Its methods are called with the scheduler's lock held."""

    def __init__(
        self, limits: Limits, speed: float, blocked: Callable[[Job], None], give_up: Callable[[Job, str], None]
    ) -> None:
        """`speed`: seconds of a queue's clock in one second.

        `blocked` is called once for a job and reason, `give_up` on a thread of its own.
        """
        self._limits = limits
        self._speed = speed
        self._blocked = blocked
        self._give_up = give_up
        self._clocks: dict[str, threading.Timer] = {}
        self._held_back: list[tuple[str, str]] = []

    def hold_back(self, job_name: str, reason: str) -> None:
        """Let jobs whose name matches the glob wait in vain, for a reason that Batch gives (`UNDETERMINED - ...`)."""
        self._held_back.append((job_name, reason))

    def is_stuck(self, job: Job) -> bool:
        """Whether the job, at the head of its queue, waits in vain; its time runs from the first time this is asked."""
        reason = self._limits.why_stuck(job.spec) or self._arranged(job.spec.name)
        if reason is None:
            self._stop(job.id)
            return False
        if job.status_reason != reason:
            job.status_reason = reason
            self._blocked(job)
        limit = self._limits.time_limit(job.spec.queue_arn, reason)
        if limit is not None and job.id not in self._clocks:
            code = reason.partition(" ")[0]
            clock = threading.Timer(limit / self._speed, self._give_up, (job, GIVEN_UP + code))
            clock.name = f"batch-clock-{job.id}"
            clock.daemon = True
            self._clocks[job.id] = clock
            clock.start()
        return True

    def close(self) -> None:
        """Stop all clocks."""
        for job_id in list(self._clocks):
            self._stop(job_id)

    def _arranged(self, job_name: str) -> str | None:
        return next((reason for glob, reason in self._held_back if fnmatch.fnmatchcase(job_name, glob)), None)

    def _stop(self, job_id: str) -> None:
        clock = self._clocks.pop(job_id, None)
        if clock is not None:
            clock.cancel()
