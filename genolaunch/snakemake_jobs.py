"""The launcher of a Snakemake launch and its jobs, and their logs."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launcher import (
    LAUNCHER_CONTAINER,
    LAUNCHER_FOLDER,
    LAUNCHER_TASK_PREFIX,
    LauncherField,
    launcher_jobs,
    launcher_log_stream,
    launcher_run_sheet,
)
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.tasks import TaskField
from genolaunch.errors import GenolaunchError
from genolaunch.job_logs import JobChoice, LogLine
from genolaunch.launch import FailedJob, Launch
from genolaunch.launches import Launches
from genolaunch.shared.made_files import made_files

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_FAILED = frozenset({"FAILED", "RESUBMITTED"})
_ENDED = _FAILED | {"DONE"}
_MADE_GOOD = _FAILED - {"FAILED"}
"""Statuses of a failed submission that another submission replaces. If that fails too, it has its own item."""
_JOB_BEGINS = "## Running CWL/WDL/Snakemake/Shell commands"
_JOB_ENDED = "## The command ended with exit code"
"""Between these lines of Tibanna's program on the instance are the job's own (Tibanna 6.1.0)."""
_DESCRIBED_AT_ONCE = 100
"""The most that one DescribeJobs call takes."""


@dataclass(frozen=True)
class SnakemakeJob:
    """One submission of a job, as the launcher lists it."""

    id: str
    """The engine's: Tibanna's job id, or Batch's."""
    rule: str
    wildcards: tuple[tuple[str, str], ...]
    submission: int
    status: str

    @property
    def label(self) -> str:
        """`align[sample=A]`; a later submission of the same job has its number: `align[sample=A] (2)`."""
        values = ",".join(f"{name}={value}" for name, value in self.wildcards)
        again = f" ({self.submission})" if self.submission > 1 else ""
        return f"{self.rule}{f'[{values}]' if values else ''}{again}"

    def is_chosen(self, choice: JobChoice) -> bool:
        """Whether a choice names its rule, its label or its id."""
        if choice.failed_only:
            return self.status in _FAILED
        return choice.name is None or choice.name in (self.rule, self.label, self.label.partition(" ")[0], self.id)


class SnakemakeLogs:
    """Reads the log of a launch's launcher, which is Snakemake's own, and those of its jobs."""

    def __init__(self, platform: "Platform", launch: Launch, choice: JobChoice) -> None:
        self._platform = platform
        self._launch = launch
        self._choice = choice
        self._launches = Launches(platform)

    def lines(self) -> Iterator[LogLine]:
        """The launcher's lines, then each job's.

        Raises GenolaunchError when the chosen job does not exist.
        """
        if self._wants_launcher():
            yield from self._launcher_lines()
        jobs = [job for job in self.jobs() if job.is_chosen(self._choice)]
        if self._choice.name and not jobs and not self._wants_launcher():
            known = sorted({job.rule for job in self.jobs()})
            shown = f"it has {', '.join(known)}" if known else "it has submitted none yet"
            raise GenolaunchError(f"{self._launch.launch_id} has no job {self._choice.name}: {shown}.")
        if self._choice.failed_only:  # those that nothing made good come first
            jobs = sorted(jobs, key=lambda job: job.status in _MADE_GOOD)
        yield from self._job_lines(jobs)

    def follow(self, pause: float = 2.0) -> Iterator[LogLine]:
        """Yield existing lines, and new ones as they arrive (a job's once it has ended), until the launch is over."""
        newest, told = 0, set[str]()
        while True:
            # Asked before reading, so that what came last is read once more after the launch is over.
            launch = self._launches.get(self._launch.launch_id)
            if self._wants_launcher():
                for line in self._launcher_lines(newest):
                    assert line.at is not None
                    newest = int(line.at.timestamp() * 1000) + 1
                    yield line
            ended = [job for job in self.jobs() if job.status in _ENDED and job.id not in told]
            told.update(job.id for job in ended)
            yield from self._job_lines([job for job in ended if job.is_chosen(self._choice)])
            if launch.is_final:
                return
            time.sleep(pause)

    def _wants_launcher(self) -> bool:
        return self._choice.is_all or self._choice.name == LAUNCHER_CONTAINER

    def _launcher_lines(self, start: int = 0) -> Iterator[LogLine]:
        found = self._platform.dynamodb.get_item(
            TableName=self._platform.names.task_table,
            Key={
                TaskField.LAUNCH_ID: {"S": self._launch.launch_id},
                TaskField.TASK_ID: {"S": f"{LAUNCHER_TASK_PREFIX}{self._launch.attempt}"},
            },
        )
        task = found.get("Item", {}).get(LauncherField.TASK_ARN)
        if task:
            stream = launcher_log_stream(task["S"])
            yield from self._stream(LAUNCHER_CONTAINER, self._platform.names.job_log_group, stream, start)

    def _stream(self, job: str, group: str, stream: str, start: int = 0) -> Iterator[LogLine]:
        pages = self._platform.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, logStreamNames=[stream], startTime=start
        )
        try:
            for page in pages:
                for event in page["events"]:
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield LogLine(job, at, event["message"].rstrip("\n"))
        except self._platform.logs.exceptions.ResourceNotFoundException:
            return  # not there yet, or its retention is over

    def _job_lines(self, jobs: Sequence[SnakemakeJob]) -> Iterator[LogLine]:
        """Of the submissions in their order; an engine that the launch does not have told nothing."""
        submitted = [job for job in jobs if job.id]
        if not submitted:
            return
        if self._choice.failed_only:
            yield from self._reasons(submitted)
        sheet = self._object(launcher_run_sheet(self._launch.attempt)) or {}
        if "tibanna" in sheet:
            yield from self._tibanna_lines(submitted, sheet["tibanna"]["logBucket"])
        else:
            yield from self._batch_lines(submitted)

    def _reasons(self, jobs: Sequence[SnakemakeJob]) -> Iterator[LogLine]:
        """Why each job failed, in a line; their logs say more."""
        labels = {job.id: job.label for job in jobs}
        for failed in self._launches.failed_jobs(self._launch):
            if failed.reason and failed.job_id in labels:
                yield LogLine(labels[failed.job_id], None, f"{failed.error_type or 'It failed'}: {failed.reason}")

    def _tibanna_lines(self, jobs: Sequence[SnakemakeJob], bucket: str) -> Iterator[LogLine]:
        for job in jobs:
            lines = (self._text(bucket, f"{job.id}.log") or "").splitlines()
            shown = _of_the_job(lines) if self._choice.failed_only else lines
            yield from (LogLine(job.label, None, line) for line in shown)

    def _batch_lines(self, jobs: Sequence[SnakemakeJob]) -> Iterator[LogLine]:
        for first in range(0, len(jobs), _DESCRIBED_AT_ONCE):
            some = {job.id: job for job in jobs[first : first + _DESCRIBED_AT_ONCE]}
            for detail in self._platform.batch.describe_jobs(jobs=list(some))["jobs"]:
                container = detail.get("container", {})
                if stream := container.get("logStreamName"):
                    group = container["logConfiguration"]["options"]["awslogs-group"]
                    yield from self._stream(some[detail["jobId"]].label, group, stream)

    def jobs(self) -> list[SnakemakeJob]:
        """The attempt's submissions so far, in their order."""
        listed = (self.list_of(self._launch.attempt) or {}).get("jobs", [])
        return [
            SnakemakeJob(
                id=job["id"],
                rule=job["rule"],
                wildcards=tuple(sorted(job["wildcards"].items())),
                submission=job["submission"],
                status=job["status"],
            )
            for job in listed
        ]

    def list_of(self, attempt: int) -> dict[str, Any] | None:
        """What an attempt's launcher lists; None before it submitted or made anything."""
        return self._object(launcher_jobs(attempt))

    def _object(self, name: str) -> dict[str, Any] | None:
        key = f"{RESULTS_PREFIX}{self._launch.launch_id}/{LAUNCHER_FOLDER}{name}"
        text = self._text(self._platform.names.results_bucket, key)
        return None if text is None else dict(json.loads(text))

    def _text(self, bucket: str, key: str) -> str | None:
        s3 = self._platform.s3
        try:
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
        except s3.exceptions.NoSuchKey:
            return None


def files_made(platform: "Platform", launch: Launch) -> frozenset[str]:
    """Paths, below the launch's data, of what its jobs wrote in all its attempts, as far as it is told yet."""
    logs = SnakemakeLogs(platform, launch, JobChoice())
    return made_files(logs.list_of(attempt) for attempt in range(1, launch.attempt + 1))


def _of_the_job(lines: Sequence[str]) -> Sequence[str]:
    """A log of Tibanna's without what Tibanna says of itself; all of it, if the job did not come so far."""
    begins = next((number for number, line in enumerate(lines) if line.startswith(_JOB_BEGINS)), None)
    if begins is None:
        return lines
    own = takewhile(lambda line: not line.startswith(_JOB_ENDED), lines[begins + 1 :])
    return [line for line in own if not (line.startswith("running ") and " in docker image " in line)]


def with_rules(platform: "Platform", launch: Launch, failed: Sequence[FailedJob]) -> list[FailedJob]:
    """Name failed jobs by their rules and wildcards, if the launcher's list can be read."""
    if not failed:
        return []
    try:
        labels = {job.id: job.label for job in SnakemakeLogs(platform, launch, JobChoice()).jobs()}
    except platform.s3.exceptions.ClientError:  # of who may not read the results
        labels = {}
    return [replace(job, label=labels.get(job.job_id or "", job.label)) for job in failed]
