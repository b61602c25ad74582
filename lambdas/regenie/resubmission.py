"""Decides which failed jobs of a phase to submit again, and with what change.

Every resubmission changes what the failure was about (the capacity, the memory, or the host that did not start the
container), and each changes once: so a task is submitted four times at the most, and this needs no memory of earlier
rounds.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.failed_jobs import MORE_MEMORY, FailedJob
from lambdas.regenie.task_indices import compact, expand

_LONGEST_INDICES: Final = 6000
"""Characters of TASK_INDICES. The overrides of a container may have 8,192 with their JSON (Amazon ECS API reference,
RunTask), of which this project's command, resources and names take some hundreds."""

_ON_DEMAND: Final = "on-demand"
_STARTED_AGAIN: Final = "again"


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A plain job or an array, as **jobs** submits it."""

    name: str
    """Of the Batch job; a resubmission's tells what changed."""
    queue: str
    memory: str
    """MiB."""
    size: int
    tasks: str
    """Lines of the plan, one for each array index (task_indices)."""
    hasMoreMemory: bool  # noqa: N815 - a key of the state machine's data, as all of its keys
    isStartedAgain: bool = False  # noqa: N815
    """It is submitted again since its container could not be started."""

    @classmethod
    def from_event(cls, job: Mapping[str, Any]) -> "SubmittedJob":
        """From the state machine's data, which may hold more."""
        return cls(**{name: job[name] for name in cls.__dataclass_fields__ if name in job})

    def as_event(self) -> dict[str, Any]:
        """For the state machine."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Failure:
    """A job of **jobs** that failed, with its failed tasks."""

    job: SubmittedJob
    failed: Sequence[FailedJob]
    """One for each failed array index; none if Batch does not know the job."""


def resubmit(failures: Sequence[Failure], on_demand_queue: str) -> list[SubmittedJob]:
    """The jobs to submit next; none if there is any failure that another job would not mend.

    A phase needs all of its tasks, so that one hopeless task makes further work on the others a waste.
    """
    lines: dict[SubmittedJob, list[int]] = defaultdict(list)
    for failure in failures:
        if not failure.failed:
            return []
        tasks = expand(failure.job.tasks)
        for failed in failure.failed:
            changed = _changed(failure.job, failed, on_demand_queue)
            if changed is None:
                return []
            lines[changed].append(tasks[failed.index])
    return [job for changed, tasks in lines.items() for job in _jobs(changed, tasks)]


def _changed(job: SubmittedJob, failed: FailedJob, on_demand_queue: str) -> SubmittedJob | None:
    """The job with what its failure asks for; None if there is nothing left to change."""
    if failed.may_run_on_demand and job.queue != on_demand_queue:
        return replace(job, name=f"{job.name}-{_ON_DEMAND}", queue=on_demand_queue)
    if failed.may_start_elsewhere and not job.isStartedAgain:
        return replace(job, name=f"{job.name}-{_STARTED_AGAIN}", isStartedAgain=True)
    if failed.error_type is ErrorType.OUT_OF_MEMORY and not job.hasMoreMemory:
        memory = str(2 * int(job.memory))
        return replace(job, name=f"{job.name}-{MORE_MEMORY}", memory=memory, hasMoreMemory=True)
    return None


def _jobs(job: SubmittedJob, tasks: Sequence[int]) -> Iterator[SubmittedJob]:
    """One job, or several where the list of tasks is too long for one."""
    for number, indices in enumerate(compact(tasks, _LONGEST_INDICES), start=1):
        name = job.name if number == 1 else f"{job.name}-{number}"
        yield replace(job, name=name, tasks=indices, size=len(expand(indices)))
