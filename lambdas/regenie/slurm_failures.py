"""Reads what a script of slurm_scripts.py reported about failed tasks of a cluster."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.failed_jobs import NO_NODE_OF_ITS_PARTITION, FailedJob, JobGroup, classify
from lambdas.regenie.resubmission import Failure, SubmittedJob

_NO_CODE: Final = "none"
_NODE_LOST_TWICE: Final = 75
"""Exit code of a job (slurm/jobs.sh)."""

_PENDING: Final = "PENDING"
_FAILED: Final = "FAILED"
_HELD: Final = ("JobHeldUser", "JobHeldAdmin")
_LIMITS: Final = ("Assoc", "QOS", "Invalid", "Account", "MaxMemPerLimit")
"""Prefixes of the reasons with which the cluster's accounting refuses a job on every node."""
_REFUSED: Final = ("BadConstraints",)
"""Reason of a job that `sbatch` refused, and that Slurm keeps as failed all the same (seen with 22.05)."""

_STATES: Final[Mapping[str, ErrorType]] = {
    "OUT_OF_MEMORY": ErrorType.OUT_OF_MEMORY,
    "TIMEOUT": ErrorType.TIMED_OUT,
    "DEADLINE": ErrorType.TIMED_OUT,
    "CANCELLED": ErrorType.STOPPED,
    "NODE_FAIL": ErrorType.SPOT_RECLAIMED,
    "PREEMPTED": ErrorType.SPOT_RECLAIMED,
    "BOOT_FAIL": ErrorType.NEVER_STARTED,
    "LAUNCH_FAILED": ErrorType.NEVER_STARTED,
    _PENDING: ErrorType.NEVER_STARTED,
}
"""Slurm's words ("Job state codes" of squeue) for what a job's own exit code does not tell."""

_KILLED: Final = 9
"""Signal by which Slurm, or Linux itself, ends what needs more memory than it has."""
_NO_OUTPUT_FILE: Final = 53
"""Slurm's exit code of a task whose output file cannot be opened (seen with 22.05, where squeue has it as a signal)."""

_ATTEMPTS_OF_A_LOST_NODE: Final = 2

_WORDS_OF_ENDING: Final = 5
"""`ended <job> <code> <state>:<signal>:<reason> <indices>`."""
_WORDS_OF_LOG: Final = 4
"""`log <job> <index> <base64>`."""
_QUANTUM: Final = 4
"""Characters of base64 that stand for three bytes (RFC 4648)."""


def read_failures(answer: str, jobs: Sequence[SubmittedJob]) -> list[Failure]:
    """The failures of each job that had some, with the ends of the first logs.

    Of an answer that was cut short (Systems Manager shows 24,000 characters, and says so) the last words of some tasks
    are missing. If it does not even tell how each task ended, the failures have no tasks, and nothing is tried again.
    """
    lines = [line.split(" ") for line in answer.splitlines()]
    told = int(lines[0][3])
    logs = {
        (line[1], int(line[2])): _text(line[3]) for line in lines if line[0] == "log" and len(line) == _WORDS_OF_LOG
    }
    ended = [line for line in lines if _is_whole_ending(line)]
    by_name = {job.name: job for job in jobs}
    found: dict[str, list[FailedJob]] = {}
    for _, name, code, state, indices in ended:
        found.setdefault(name, []).extend(_failed(by_name[name], code, state, indices, logs))
    if sum(map(len, found.values())) != told:
        return [Failure(by_name[name], []) for name in found] or [Failure(jobs[0], [])]
    return [Failure(by_name[name], sorted(failed, key=lambda job: job.index)) for name, failed in found.items()]


def _failed(
    job: SubmittedJob, code: str, state: str, indices: str, logs: Mapping[tuple[str, int], str]
) -> Iterator[FailedJob]:
    exit_code = None if code == _NO_CODE else int(code)
    word, number, why = f"{state}::".split(":")[:3]
    signal = int(number or 0)
    for index in map(int, indices.split(",")):
        failed = FailedJob(
            job_id=f"{job.name}_{index}",
            group=JobGroup(job.name, job.size),
            index=index,
            error_type=_error_type(exit_code, word, signal, why),
            reason=_reason(word, signal, why),
            exit_code=exit_code,
            attempts=_ATTEMPTS_OF_A_LOST_NODE if exit_code == _NODE_LOST_TWICE else 1,
            log_stream=None,
        )
        yield failed.told_by(logs.get((job.name, index), ""))


def _error_type(exit_code: int | None, state: str, signal: int, why: str) -> ErrorType:
    if exit_code == _NODE_LOST_TWICE:
        return ErrorType.SPOT_RECLAIMED
    if state in _STATES:
        return _STATES[state]
    if exit_code is not None:
        return classify([], exit_code, was_stopped=False)
    if state == _FAILED and signal == _KILLED:
        return ErrorType.OUT_OF_MEMORY
    if state == _FAILED and signal == _NO_OUTPUT_FILE:
        return ErrorType.PLATFORM
    if state == _FAILED and why in _REFUSED:
        return ErrorType.NEVER_STARTED
    return ErrorType.SPOT_RECLAIMED  # it ended between two looks, and Slurm has forgotten it


def _reason(state: str, signal: int, why: str) -> str:
    """For people; `why` is squeue's word, or nothing."""
    if state == _PENDING and why in _HELD:
        return f"Slurm: {state} ({why}): a user or administrator holds it; have the hold released, and retry the launch"
    if state == _PENDING and why.startswith(_LIMITS):
        return (
            f"Slurm: {state} ({why}): a limit of the cluster forbids such a job; ask the people who run it to raise it"
        )
    if state == _PENDING or (state == _FAILED and why in _REFUSED):
        return f"{NO_NODE_OF_ITS_PARTITION}: {state} ({why})"
    if state == _FAILED and signal == _NO_OUTPUT_FILE:
        return f"Slurm: {state} ({why}): its node could not open the task's log in the shared folder"
    return f"Slurm: {state}"


def _is_whole_ending(line: Sequence[str]) -> bool:
    """Not the line in which the answer was cut: that one may lack words, or end with a comma."""
    return line[0] == "ended" and len(line) == _WORDS_OF_ENDING and line[-1].rpartition(",")[2].isdecimal()


def _text(encoded: str) -> str:
    whole = len(encoded) // _QUANTUM * _QUANTUM  # of one that was cut, what is left of it
    try:
        return base64.b64decode(encoded[:whole]).decode(errors="replace")
    except ValueError:
        return ""
