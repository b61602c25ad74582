"""The workflow's jobs, known from the engine's events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobStatus(StrEnum):
    """What became of one submission of a job. FAILED, RESUBMITTED: genolaunch.contract.tasks.TASK_FAILED and
    TASK_RESUBMITTED."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    RESUBMITTED = "RESUBMITTED"


@dataclass
class Job:
    """One submission of a job to the engine."""

    key: str
    """Snakemake's, the same for each submission of a job."""
    rule: str
    wildcards: Mapping[str, str]
    id: str
    """The engine's; empty for a local rule, which runs in the launcher."""
    name: str
    """The engine's."""
    submission: int
    """1 for the first."""
    submitted_at: float
    """Seconds since 1970."""
    ended_at: float | None = None
    """When its end was heard of."""
    status: JobStatus = JobStatus.RUNNING

    @property
    def label(self) -> str:
        """For people: `trim sample=A`."""
        return " ".join([self.rule, *(f"{name}={value}" for name, value in self.wildcards.items())])


@dataclass
class Jobs:
    """All submissions, in order, and how far the workflow is."""

    submissions: list[Job] = field(default_factory=list)
    done: int = 0
    total: int = 0
    error: str | None = None
    """What the workflow itself said last that stopped it."""
    refused: bool = False
    """The workflow cannot run on its engine; `error` says why."""
    unknown: Mapping[str, Any] = field(default_factory=lambda: {"rules": [], "files": 0})
    """Files that are taken as they are, without a note of how they were made: how many, and of which rules."""
    lost: dict[str, str] = field(default_factory=dict)
    """What handlers of the Snakefile wrote in the launcher, by the handler's name: a sentence of each."""
    unmatched: dict[str, str] = field(default_factory=dict)
    """Searches of the Snakefile that found nothing in the data, each with a sentence."""
    made: set[str] = field(default_factory=set)
    """Files, below the data, that jobs of this run wrote: outputs, logs and benchmarks."""
    snakemake: str | None = None
    """Snakemake's version."""

    @property
    def failed(self) -> list[Job]:
        """Failed submissions that no other one made good."""
        return [job for job in self.submissions if job.status is JobStatus.FAILED]

    @property
    def running(self) -> list[Job]:
        """Submissions of which nothing more is known."""
        return [job for job in self.submissions if job.status is JobStatus.RUNNING]

    @property
    def counts(self) -> dict[str, int]:
        """The launch's `progress`."""
        return {"done": self.done, "total": self.total, "failed": len(self.failed)}

    def take(self, event: Mapping[str, Any]) -> list[Job]:
        """Learn from an event; answers the submissions whose failure it changes."""
        match event["event"]:
            case "total":
                self.total = event["total"]
            case "progress":
                self.done, self.total = event["done"], event["total"]
            case "submitted":
                return self._submitted(event)
            case "finished":
                self._end(event, JobStatus.DONE)
            case "failed":
                return self._failed(event)
            case _:
                self._learn(event)
        return []

    def _learn(self, event: Mapping[str, Any]) -> None:
        """What is no job's."""
        match event["event"]:
            case "started":
                self.snakemake = event["version"]
            case "made":
                self.made.update(event["files"])
            case "unknown":
                self.unknown = {"rules": event["rules"], "files": event["files"]}
            case "lost":
                self.lost[event["by"]] = event["message"]
            case "unmatched" if event["message"]:
                self.unmatched[event["search"]] = event["message"]
            case "unmatched":
                self.unmatched.pop(event["search"], None)
            case "refused":
                self.error, self.refused = event["message"], True
            case "error" if not self.refused:  # Snakemake's own words for it follow
                self.error = event["message"]

    def _submitted(self, event: Mapping[str, Any]) -> list[Job]:
        earlier = [job for job in self.submissions if job.key == event["job"]]
        self.submissions.append(
            Job(
                key=event["job"],
                rule=event["rule"],
                wildcards=event["wildcards"],
                id=event["id"],
                name=event["name"],
                submission=len(earlier) + 1,
                submitted_at=event["at"],
            )
        )
        made_good = [job for job in earlier if job.status is JobStatus.FAILED]
        for job in made_good:
            job.status = JobStatus.RESUBMITTED
        return made_good

    def _failed(self, event: Mapping[str, Any]) -> list[Job]:
        ended = self._end(event, JobStatus.FAILED)
        if ended or any(job.key == event["job"] for job in self.submissions):
            return ended  # or told twice
        return [self._failed_here(event)]

    def _failed_here(self, event: Mapping[str, Any]) -> Job:
        """A job that was never submitted: a local rule's."""
        job = Job(
            key=event["job"],
            rule=event["rule"],
            wildcards={},
            id="",
            name=event["rule"],
            submission=1,
            submitted_at=event["at"],
            ended_at=event["at"],
            status=JobStatus.FAILED,
        )
        self.submissions.append(job)
        return job

    def _end(self, event: Mapping[str, Any], status: JobStatus) -> list[Job]:
        ended = [job for job in self.running if job.key == event["job"]]
        for job in ended:
            job.status, job.ended_at = status, event["at"]
        return ended
