"""Failed AWS Batch jobs: the ErrorType of each, and one sentence about all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.tasks import JOB_TASK_PREFIX, TASK_FAILED, TaskField
from lambdas.regenie.regenie_errors import regenie_error
from lambdas.shared.log_errors import error_in_log
from lambdas.shared.stuck_jobs import why_stuck

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobDetailTypeDef

_KILLED_EXIT_CODE: Final = 137
"""128 + SIGKILL: the kernel's answer to a container above its memory, when Batch gives no reason."""
_OTHER_INPUTS_EXIT_CODE: Final = 4
_NO_FILE_SYSTEM_EXIT_CODE: Final = 3
"""Of the job's command (docs/architecture/regenie-job.md, "The job's command")."""

_REASONS: Final[Sequence[tuple[str, ErrorType]]] = (
    ("Host EC2", ErrorType.SPOT_RECLAIMED),
    ("exceeded timeout", ErrorType.TIMED_OUT),
    ("OutOfMemory", ErrorType.OUT_OF_MEMORY),
    ("CannotPull", ErrorType.IMAGE_PULL),
    ("ResourceInitializationError", ErrorType.PLATFORM),
    ("CannotCreateContainer", ErrorType.CONTAINER_START),
    ("CannotStartContainer", ErrorType.CONTAINER_START),
    ("CannotInspectContainer", ErrorType.CONTAINER_START),
    ("DockerTimeoutError", ErrorType.CONTAINER_START),
    ("Task failed to start", ErrorType.CONTAINER_START),
    ("MISCONFIGURATION:", ErrorType.NEVER_STARTED),
    ("CAPACITY:", ErrorType.NEVER_STARTED),
    ("Given up by the platform", ErrorType.NEVER_STARTED),
)
"""Words in AWS Batch's reasons that tell the type; the last three are of jobs that were stuck in RUNNABLE. Those of
containers are the ECS agent's (Amazon ECS developer guide, "Stopped tasks error codes")."""

_HOPELESS_STARTS: Final = (
    "manifest unknown",
    "not found: manifest",
    "repository does not exist",
    "access denied",
    "no basic auth credentials",
    "invalid reference format",
    "executable file not found",
)
"""In the reason of a container that no other host would start: the image is not there, may not be had, or lacks the
program."""

_PHASE_WORDS: Final[Mapping[str, str]] = {
    "split": "the level 0 split",
    "level0": "level 0",
    "level1": "level 1",
    "step1": "step 1",
    "step2": "step 2",
    "preload": "the loading of restored inputs",
    "merge": "the merge",
    "report": "the report",
    "fetch": "the copying of the inputs to the cluster",
    "store": "the copying of the results from the cluster",
}
_PHASES_WITH_SMALL_RESOURCES: Final = frozenset({"preload", "split", "report", "fetch", "store"})
_PHASES_OF_THE_PLATFORM: Final = frozenset({"preload", "merge", "report", "fetch", "store"})
"""Their jobs run no program of regenie's on the author's data: what is wrong there is seldom the author's."""

AUTHORS_WORDS: Final = ("regenie said of every part", "does not belong to its genotype file")
"""Of what such a job finds wrong with the data all the same (containers/regenie/regenie_runner)."""

MORE_MEMORY: Final = "more-memory"
"""In the name of a job that was resubmitted for lack of memory (resubmission.py)."""
_SEE_LAUNCH: Final = "the launch's error says what the job said"
_TOLD_BY_AWS: Final = frozenset({ErrorType.NEVER_STARTED, ErrorType.CONTAINER_START, ErrorType.IMAGE_PULL})
"""Types of error whose reason is Batch's own, and quotes no log and no person."""
_LONGEST_LINE: Final = 500
NO_NODE_OF_ITS_PARTITION: Final = "Slurm: no node of its partition can run it"
"""Begin of the reason of such a job."""


@dataclass(frozen=True, slots=True)
class JobGroup:
    """The array, or the plain job, that a failed job belongs to."""

    name: str
    size: int
    """Jobs in the array; 1 for a plain job."""


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A failed job, as the task table and the sentence need it."""

    job_id: str
    group: JobGroup
    index: int
    """Place in the array, from 0; 0 for a plain job."""
    error_type: ErrorType
    reason: str
    exit_code: int | None
    attempts: int
    log_stream: str | None
    log_tail: str = ""

    @classmethod
    def from_detail(cls, detail: "JobDetailTypeDef", group: JobGroup) -> "FailedJob":
        """Read what DescribeJobs says."""
        container = detail.get("container", {})
        exit_code = container.get("exitCode")
        reasons = [reason for reason in (container.get("reason"), detail.get("statusReason")) if reason]
        was_stopped = detail.get("isTerminated", False) or detail.get("isCancelled", False)
        return cls(
            job_id=detail["jobId"],
            group=group,
            index=detail.get("arrayProperties", {}).get("index", 0),
            error_type=classify(reasons, exit_code, was_stopped=was_stopped),
            reason="; ".join(reasons),
            exit_code=exit_code,
            attempts=len(detail.get("attempts", [])),
            log_stream=container.get("logStreamName"),
        )

    def told_by(self, log_tail: str) -> "FailedJob":
        """The job with the end of its log, which may name an error that its exit code does not."""
        error_type = self.error_type
        if error_type is ErrorType.APPLICATION_ERROR:
            error_type = error_in_log(log_tail) or error_type
        return replace(self, log_tail=log_tail, error_type=error_type)

    @property
    def may_run_on_demand(self) -> bool:
        """It lost its Spot instance, or Slurm gave it up for want of a node: a preempted one may leave it so."""
        return self.error_type is ErrorType.SPOT_RECLAIMED or self.reason.startswith(NO_NODE_OF_ITS_PARTITION)

    @property
    def may_start_elsewhere(self) -> bool:
        """Its container was not started, for a reason that another host need not have."""
        was_not_started = self.error_type in (ErrorType.IMAGE_PULL, ErrorType.CONTAINER_START)
        return was_not_started and not any(words in self.reason for words in _HOPELESS_STARTS)

    @property
    def task_id(self) -> str:
        """Sort key of the task table; the same job always has the same one."""
        return f"{JOB_TASK_PREFIX}{self.group.name}#{self.index}"

    def task(self, launch_id: str, log_group: str, status: str = TASK_FAILED) -> dict[str, object]:
        """The item of the task table."""
        return {
            TaskField.LAUNCH_ID: launch_id,
            TaskField.TASK_ID: self.task_id,
            TaskField.STATUS: status,
            TaskField.ERROR_TYPE: self.error_type,
            TaskField.REASON: self.reason,
            TaskField.EXIT_CODE: self.exit_code,
            TaskField.ATTEMPTS: self.attempts,
            TaskField.LOG_GROUP: log_group,
            TaskField.LOG_STREAM: self.log_stream,
            TaskField.LOG_TAIL: self.log_tail or None,
            TaskField.JOB_ID: self.job_id,
            TaskField.JOB_NAME: self.group.name,
        }


def classify(reasons: Sequence[str], exit_code: int | None, *, was_stopped: bool) -> ErrorType:
    """The type by Batch's reasons, then by how the job ended.

    The order matters: a job that ran too long, lost its host or was stopped ends with 137 as well.
    """
    for words, error_type in _REASONS:
        if any(words in reason for reason in reasons):
            return error_type
    if was_stopped:
        return ErrorType.STOPPED
    if exit_code == _KILLED_EXIT_CODE:
        return ErrorType.OUT_OF_MEMORY
    if exit_code == _OTHER_INPUTS_EXIT_CODE:
        return ErrorType.INPUTS_CHANGED
    if exit_code == _NO_FILE_SYSTEM_EXIT_CODE:
        return ErrorType.FILE_SYSTEM
    return ErrorType.APPLICATION_ERROR


def in_order_of_blame(jobs: Sequence[FailedJob]) -> list[FailedJob]:
    """By name and index, with those that were only stopped, because of others, behind."""
    return sorted(jobs, key=lambda job: (job.error_type is ErrorType.STOPPED, job.group.name, job.index))


def blamed(jobs: Sequence[FailedJob], run_name: str) -> list[FailedJob]:
    """With whose fault each was, now that its log is read: no author mends what broke in the platform's own code."""
    return [replace(job, error_type=ErrorType.PLATFORM) if _is_platforms(job, run_name) else job for job in jobs]


def _is_platforms(job: FailedJob, run_name: str) -> bool:
    """It ended with an error that is no other type's, in a phase of the platform's code, and names nobody else's."""
    return (
        job.error_type is ErrorType.APPLICATION_ERROR
        and job.group.name.removeprefix(f"{run_name}-").partition("-")[0] in _PHASES_OF_THE_PLATFORM
        and regenie_error(job.log_tail) is None
        and not any(words in job.log_tail for words in AUTHORS_WORDS)
    )


def sentence(jobs: Sequence[FailedJob], run_name: str) -> str:
    """What failed and why the first of them did; `jobs` in order of blame, at least one."""
    first = jobs[0]
    phase = first.group.name.removeprefix(f"{run_name}-")
    words = _words(phase)
    failed = sum(job.group == first.group for job in jobs)
    if first.group.size == 1:
        return f"The job of {words} failed ({_how(first)}): {_why(first, phase)}"
    return (
        f"{failed:,} of {first.group.size:,} jobs of {words} failed; "
        f"first: array index {first.index} ({_how(first)}): {_why(first, phase)}"
    )


def public_sentence(jobs: Sequence[FailedJob], run_name: str) -> str:
    """The same without a word of a job's log or of a person: those name traits and people."""
    first = jobs[0]
    reason = first.reason if first.error_type in _TOLD_BY_AWS else _SEE_LAUNCH
    return sentence([replace(first, reason=reason, log_tail=_SEE_LAUNCH), *jobs[1:]], run_name)


def _how(job: FailedJob) -> str:
    return "no exit code" if job.exit_code is None else f"exit code {job.exit_code}"


def _why(job: FailedJob, phase: str) -> str:
    match job.error_type:
        case ErrorType.OUT_OF_MEMORY:
            again = ", also with twice the memory" if MORE_MEMORY in phase else ""
            return f"it ran out of memory{again}; raise {_resources(phase)}.memory_gib and retry the launch."
        case ErrorType.SPOT_RECLAIMED:
            return f"its instance was lost in each of {job.attempts} attempts, the last on On-Demand; retry the launch."
        case ErrorType.NEVER_STARTED:
            return f"it could not start: {why_stuck(job.reason, _resources(phase))}."
        case ErrorType.TIMED_OUT:
            return "it exceeded the time limit of a job; make jobs smaller, or give them more vcpus."
        case ErrorType.STOPPED:
            return f"it was stopped ({job.reason})."
        case ErrorType.NO_SPACE_LEFT:
            return f"it ran out of disk space ({telling_line(job.log_tail)}); retry the launch in smaller jobs."
        case ErrorType.ACCESS_DENIED:
            return f"it was refused access: {telling_line(job.log_tail)}"
        case ErrorType.CONTAINER_START:
            return f"its container could not be started ({job.reason}); retry the launch."
        case ErrorType.IMAGE_PULL:
            return f"its container image could not be pulled ({job.reason}); tell the people who run the stage."
        case _:
            return telling_line(job.log_tail) or job.reason or "it gave no reason."


def _words(phase: str) -> str:
    """A job's name without its run's, for people: `step2-more-memory` is step 2 with more memory."""
    name, _, change = phase.partition("-")
    words = _PHASE_WORDS.get(name, name)
    return f"{words} ({change.replace('-', ' ')})" if change else words


def _resources(phase: str) -> str:
    """Where the launch config says what the phase's jobs get."""
    name = phase.partition("-")[0]
    return f"regenie.resources.{'small' if name in _PHASES_WITH_SMALL_RESOURCES else name}"


def telling_line(log: str) -> str:
    """The line in which regenie names its error, and what to do; or else the last one that says something, shortened.

    The job's own last line only says that regenie ended with an error, and that its log says why.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return (regenie_error(log) or (lines or [""])[-1])[:_LONGEST_LINE]
