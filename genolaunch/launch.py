"""A launch, as the platform's tables describe it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import FINAL_STATUSES, HeldFor, Status
from genolaunch.contract.project import run_name
from genolaunch.errors import GenolaunchError


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a launch's config."""

    where: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class LaunchError:
    """Why a launch failed or was rejected."""

    type: str
    message: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class StatusChange:
    """A status that a launch had from then on."""

    status: Status
    at: datetime
    error: LaunchError | None = None
    execution_arn: str | None = None
    asked: str | None = None
    """What a person asked for by which the status came, with who it was and why; None: nobody did."""


@dataclass(frozen=True)
class ArchivedInputs:
    """What a launch waits for, or did: estimated before it was asked for."""

    attempt: int
    objects: int
    size: int
    """Bytes."""
    bytes: int
    """Of them, those that are retrieved; the others were asked for by somebody else, or are restored already."""
    usd: float
    tier: str
    days: int
    expected_at: datetime | None


@dataclass(frozen=True)
class Estimate:
    """What a launch was expected to cost before it started: USD as exact text."""

    usd: str
    low: str
    high: str
    basis: str
    """Launches like it, or first principles."""


@dataclass(frozen=True)
class Price:
    """What a launch cost, all its attempts together, as far as that is known."""

    usd: str | None
    """Exact text."""
    status: CostStatus | None
    """Of the last attempt's price."""
    reason: str | None
    """Why that is unknown."""
    is_whole: bool
    """The last attempt's is in it."""


@dataclass(frozen=True)
class JobCounts:
    """How far the jobs of a Snakemake launch are."""

    done: int
    total: int
    failed: int


@dataclass(frozen=True)
class Launch:
    """One item of the launch table. Times are aware datetimes; what the platform has not set yet is None."""

    launch_id: str
    name: str
    status: Status
    workflow: str | None = None
    compute_service: str | None = None
    data_path: str | None = None
    config_uri: str | None = None
    requested_by: str | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    execution_arn: str | None = None
    workflow_execution_arn: str | None = None
    results_uri: str | None = None
    report_uri: str | None = None
    progress: JobCounts | None = None
    """Of a Snakemake launch, as soon as Snakemake knows its jobs."""
    error: LaunchError | None = None
    warnings: tuple[str, ...] = ()
    """What the check of the inputs found, short of a fault."""
    lists: tuple[str, ...] = ()
    """How much of each list of people or variants the data has."""
    findings: tuple[str, ...] = ()
    """What its results are of, and how much is significant."""
    events: tuple[StatusChange, ...] = ()
    """Oldest first. What a person wrote into the table by hand is not among them."""
    status_reason: str | None = None
    """What it waits for, while it is WAITING or HELD; why one of its jobs could not start, while it is RUNNING."""
    restore: ArchivedInputs | None = None
    estimate: Estimate | None = None
    price: Price | None = None
    """None before anybody has asked for it."""
    held_for: HeldFor | None = None
    """What a person is to approve while it is HELD; None: a restore."""
    sick: str | None = None
    """Why its item of the launch table cannot be read, and what to do; nothing else is known of it but its status."""
    budget_reason: str | None = None
    """Why people were told, in this attempt, that it is above its budget."""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def run_name(self) -> str:
        """Name of the current attempt: what its executions and jobs are called by."""
        return run_name(self.launch_id, self.attempt)

    def at_attempt(self, attempt: int) -> "Launch":
        """The launch as of an earlier attempt, as far as names go; GenolaunchError if it never had that one."""
        if attempt > self.attempt:
            last = f"its last is {self.attempt}" if self.attempt else "it never ran"
            raise GenolaunchError(f"Launch {self.launch_id} has no attempt {attempt}: {last}.")
        return replace(self, attempt=attempt)

    def elapsed(self, now: datetime) -> timedelta | None:
        """From submission to its end, or to `now`."""
        if self.submitted_at is None:
            return None
        return (self.ended_at or now) - self.submitted_at if self.is_final else now - self.submitted_at


@dataclass(frozen=True)
class JobTask:
    """A failed job of any attempt, from the launch's history. `label` contains the attempt."""

    label: str
    status: str | None
    updated_at: datetime | None
    error_type: str | None
    reason: str | None


@dataclass(frozen=True)
class FailedJob:
    """A failed Batch job, as the task table keeps it. `label` is its name within the run: `merge`, `step2[3]`."""

    job_name: str
    label: str
    array_index: int
    error_type: str | None
    reason: str | None
    exit_code: int | None
    attempts: int | None
    job_id: str | None
    log_group: str | None
    log_stream: str | None
    log_tail: tuple[str, ...]
