"""Progress of a launch: its facts, its steps, and its running Batch jobs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from genolaunch.batch_jobs import Job, RunJobs
from genolaunch.contract.launch import Status
from genolaunch.launch import FailedJob, Launch
from genolaunch.launches import Launches
from genolaunch.steps import Step, read_steps
from genolaunch.workflows import commands_for

if TYPE_CHECKING:
    from genolaunch.platform import Platform

LOOK_EVERY = 2.0
"""Seconds between two looks at a launch that is followed: a look is about four calls, far below their limits."""


LIST_EVERY = 5.0
"""Seconds between two looks at a list of launches: a look is one query for each status."""

T = TypeVar("T")


NETWORK_MAY_BE_AWAY = 300.0
"""Seconds: a launch may take days, and a laptop sleeps or changes its network meanwhile."""


def repeatedly(look: Callable[[], T], pause: float = LIST_EVERY) -> Iterator[T]:
    """What `look` answers, every `pause` seconds, without end.

    Once it has answered, AWS may be out of reach for some minutes before that error is raised.
    """
    from botocore.exceptions import ConnectionError, HTTPClientError

    answered: float | None = None
    while True:
        try:
            answer = look()
        except (ConnectionError, HTTPClientError):
            if answered is None or time.monotonic() - answered > NETWORK_MAY_BE_AWAY:
                raise
        else:
            answered = time.monotonic()
            yield answer
        time.sleep(pause)


@dataclass(frozen=True)
class Snapshot:
    """A launch at one moment. `jobs` are the arrays and single jobs of a running launch, oldest first."""

    at: datetime
    launch: Launch
    steps: tuple[Step, ...] = ()
    jobs: tuple[Job, ...] = ()
    failed_jobs: tuple[FailedJob, ...] = ()

    @property
    def jobs_under_way(self) -> list[Job]:
        return [job for job in self.jobs if not job.has_ended]


class Progress:
    """Looks at one launch, again and again if asked."""

    def __init__(self, platform: "Platform", launch_id: str) -> None:
        self._platform = platform
        self._launches = Launches(platform)
        self._launch_id = launch_id
        self._jobs: dict[str, RunJobs] = {}

    def look(self) -> Snapshot:
        """The launch now; raises GenolaunchError when there is no such launch."""
        launch = self._launches.get(self._launch_id)
        return Snapshot(
            at=datetime.now(UTC),
            launch=launch,
            steps=tuple(self._steps(launch)),
            jobs=tuple(self._running_jobs(launch)),
            failed_jobs=tuple(self._failed_jobs(launch)),
        )

    def follow(self, pause: float = LOOK_EVERY) -> Iterator[Snapshot]:
        """Snapshots every `pause` seconds, the last one when the launch is over."""
        for snapshot in repeatedly(self.look, pause):
            yield snapshot
            if snapshot.launch.is_final:
                return

    def _failed_jobs(self, launch: Launch) -> list[FailedJob]:
        if launch.status != Status.FAILED:
            return []
        failed = self._launches.failed_jobs(launch)
        names = commands_for(launch.workflow).names_of_failed_jobs
        return names()(self._platform, launch, failed) if names else failed

    def _steps(self, launch: Launch) -> list[Step]:
        # A launch that is tried again names the execution of the attempt before until it has its own.
        arn = launch.workflow_execution_arn
        if arn is None or launch.status is Status.RETRY or not (launch.is_final or arn.endswith(f":{launch.run_name}")):
            return []
        return read_steps(self._platform.stepfunctions, arn)

    def _running_jobs(self, launch: Launch) -> list[Job]:
        if launch.status != Status.RUNNING:
            return []
        run = self._jobs.setdefault(launch.run_name, RunJobs(self._platform, launch.run_name))
        return run.whole()
