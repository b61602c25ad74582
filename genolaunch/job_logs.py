"""Log lines of a launch's jobs, from CloudWatch Logs or, when the streams are gone, from the task table."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from genolaunch.batch_jobs import RunJobs, label_of
from genolaunch.errors import GenolaunchError
from genolaunch.launch import FailedJob, Launch
from genolaunch.launches import Launches

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_STREAMS_AT_ONCE = 100
"""The most stream names that one FilterLogEvents call takes."""

_LATE_BY_MS = 10_000
"""While following, how far back each look goes: CloudWatch shows lines of different streams out of order."""


@dataclass(frozen=True)
class LogLine:
    """One line that a job wrote. `at` is None for a line of a stored log tail, whose time is not kept."""

    job: str
    at: datetime | None
    message: str


@dataclass(frozen=True)
class JobChoice:
    """Which jobs' lines are wanted: all, those that failed, or those of one name."""

    name: str | None = None
    failed_only: bool = False

    @property
    def is_all(self) -> bool:
        return self.name is None and not self.failed_only

    def has(self, label: str, run_name: str) -> bool:
        """Whether `name` means the job: its label or full name; an array's name means all its children."""
        if self.name is None:
            return True
        wanted = label_of(self.name, run_name)
        return wanted in (label, label.partition("[")[0])


class JobLogs:
    """Reads the job logs of one launch's attempt: the current one, unless `launch` says another."""

    def __init__(self, platform: "Platform", launch: Launch, choice: JobChoice) -> None:
        self._platform = platform
        self._launch = launch
        self._choice = choice
        self._launches = Launches(platform)
        self._run_jobs = RunJobs(platform, launch.run_name)
        self._labels: dict[str, str] = {}

    def lines(self) -> Iterator[LogLine]:
        """Every line so far; of failed jobs whose streams are gone, the stored tails.

        In the order of time; more than 100 chosen jobs come 100 after 100.

        Raises GenolaunchError when the chosen job does not exist.
        """
        failed = self._failed_jobs()
        self._learn_labels(failed)
        if not failed:
            self._check_choice()
        found = False
        for event in self._events():
            found = True
            yield self._line(event)
        if not found:
            yield from tails(failed)

    def follow(self, pause: float = 2.0) -> Iterator[LogLine]:
        """The lines so far and new ones as they come, until the launch is over."""
        seen: dict[str, int] = {}
        newest = 0
        while True:
            # Asked before reading, so that what the jobs wrote last is read once more after the launch is over.
            is_over = self._launches.get(self._launch.launch_id).is_final
            self._learn_labels(self._failed_jobs())
            for event in self._events(start=max(0, newest - _LATE_BY_MS)):
                if event["eventId"] not in seen:
                    seen[event["eventId"]] = event["timestamp"]
                    newest = max(newest, event["timestamp"])
                    yield self._line(event)
            if is_over:
                return
            seen = {key: at for key, at in seen.items() if at >= newest - _LATE_BY_MS}
            time.sleep(pause)

    def _failed_jobs(self) -> list[FailedJob]:
        jobs = self._launches.failed_jobs(self._launch)
        return [job for job in jobs if self._choice.has(job.label, self._launch.run_name)]

    def _learn_labels(self, failed: Iterable[FailedJob]) -> None:
        """Note which stream is which job's. Batch forgets jobs after days; the task table keeps the failed ones."""
        for job in failed:
            if job.log_stream:
                self._labels[job.log_stream] = job.label
        if self._choice.failed_only:
            return
        for single in self._run_jobs.single():
            if single.log_stream and self._choice.has(single.label, self._launch.run_name):
                self._labels[single.log_stream] = single.label

    def _check_choice(self) -> None:
        if self._choice.name is None or self._labels:
            return
        known = sorted({job.label for job in self._run_jobs.whole()})
        shown = f"it has {', '.join(known)}" if known else "Batch knows none of its jobs (any more)"
        raise GenolaunchError(f"{self._launch.launch_id} has no log of a job named {self._choice.name}: {shown}.")

    def _events(self, start: int = 0) -> Iterator[Any]:
        """Events since `start` (ms since 1970), ordered by time within each request."""
        if self._choice.is_all:
            prefix = f"{self._launch.run_name}/"
            for event in self._filtered(start, logStreamNamePrefix=prefix):
                # Emulators of CloudWatch ignore the prefix, and another launch's or attempt's lines would mislead.
                if event["logStreamName"].startswith(prefix):
                    yield event
            return
        streams = sorted(self._labels)
        for first in range(0, len(streams), _STREAMS_AT_ONCE):
            yield from self._filtered(start, logStreamNames=streams[first : first + _STREAMS_AT_ONCE])

    def _filtered(self, start: int, **streams: str | list[str]) -> Iterator[Any]:
        request: dict[str, Any] = {"logGroupName": self._platform.names.job_log_group, "startTime": start, **streams}
        try:
            for page in self._platform.logs.get_paginator("filter_log_events").paginate(**request):
                yield from page["events"]
        except self._platform.logs.exceptions.ResourceNotFoundException:
            # The group or a stream does not exist yet, or its retention is over.
            return

    def _line(self, event: Any) -> LogLine:  # noqa: ANN401 - a FilteredLogEvent; all its keys are optional there
        stream = event["logStreamName"]
        return LogLine(
            job=self._labels.get(stream, stream.rpartition("/")[2][:8]),
            at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            message=event["message"].rstrip("\n"),
        )


def tails(failed: Sequence[FailedJob]) -> Iterator[LogLine]:
    """The last lines of failed jobs, as the task table keeps them."""
    for job in failed:
        for text in job.log_tail:
            yield LogLine(job.label, None, text)
