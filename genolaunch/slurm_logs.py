"""Logs of jobs on a Slurm cluster: files that are copied to the results when a run is over."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from genolaunch.errors import GenolaunchError
from genolaunch.job_logs import JobChoice, LogLine, tails
from genolaunch.launch import Launch
from genolaunch.launches import Launches
from genolaunch.results import place_of

if TYPE_CHECKING:
    from genolaunch.platform import Platform


@dataclass(frozen=True)
class _LogFile:
    key: str
    label: str
    modified: datetime


class SlurmLogs:
    """Reads the job logs of one launch's attempt: the current one, unless `launch` says another."""

    def __init__(self, platform: "Platform", launch: Launch, choice: JobChoice) -> None:
        self._platform = platform
        self._launch = launch
        self._choice = choice
        self._launches = Launches(platform)

    def lines(self) -> Iterator[LogLine]:
        """The lines of each job, in the order in which they were copied; of failed jobs at least the stored tails.

        Raises GenolaunchError when the chosen job does not exist.
        """
        failed = {job.label: job for job in self._launches.failed_jobs(self._launch)}
        files = self._files()
        chosen = [file for file in files if self._is_chosen(file.label, set(failed))]
        if self._choice.name and files and not chosen:
            known = ", ".join(sorted({file.label.partition("[")[0] for file in files}))
            raise GenolaunchError(
                f"{self._launch.launch_id} has no log of a job named {self._choice.name}: it has {known}."
            )
        bucket, _ = place_of(self._platform, self._launch)
        for file in chosen:
            text = self._platform.s3.get_object(Bucket=bucket, Key=file.key)["Body"].read().decode(errors="replace")
            yield from (LogLine(file.label, None, line) for line in text.splitlines())
        copied = {file.label for file in chosen}
        without = [job for label, job in failed.items() if label not in copied and self._is_chosen(label, set(failed))]
        yield from tails(without)

    def follow(self, pause: float = 2.0) -> Iterator[LogLine]:
        """All lines, once the launch is over, because the logs are on the cluster until then."""
        while not self._launches.get(self._launch.launch_id).is_final:
            time.sleep(pause)
        yield from self.lines()

    def _is_chosen(self, label: str, failed: set[str]) -> bool:
        return label in failed if self._choice.failed_only else self._choice.has(label, self._launch.run_name)

    def _files(self) -> list[_LogFile]:
        bucket, prefix = place_of(self._platform, self._launch)
        start = f"{prefix}logs/{self._launch.run_name}-"
        # <run name>-<phase>_<index>.log
        name = re.compile(re.escape(start) + r"(?P<job>.+)_(?P<index>\d+)\.log")
        pages = self._platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        found = [
            _LogFile(entry["Key"], f"{match['job']}[{match['index']}]", entry["LastModified"])
            for page in pages
            for entry in page.get("Contents", [])
            if (match := name.fullmatch(entry["Key"]))
        ]
        return sorted(found, key=lambda file: file.modified)
