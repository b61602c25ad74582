"""A launch's whole history: each change of its status, each step of its workflow, each job that failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from genolaunch.contract.tasks import TASK_RESUBMITTED
from genolaunch.launch import Launch
from genolaunch.launches import Launches
from genolaunch.steps import Step, StepState, read_steps

if TYPE_CHECKING:
    from genolaunch.platform import Platform


@dataclass(frozen=True)
class Event:
    """Something that happened to a launch. `kind` is status, step or job."""

    at: datetime
    kind: str
    name: str
    """The status, the step, or the job."""
    detail: str | None = None


def history_of(platform: "Platform", launch: Launch) -> list[Event]:
    """All that is known, oldest first.

    Statuses and failed jobs are those of every attempt. Steps are the last attempt's, from the workflow's execution
    history, which AWS keeps for 90 days.
    """
    steps = read_steps(platform.stepfunctions, launch.workflow_execution_arn) if launch.workflow_execution_arn else []
    found = [*_statuses(launch), *_steps(steps), *_jobs(platform, launch)]
    return sorted(found, key=lambda event: event.at)


def _statuses(launch: Launch) -> Iterator[Event]:
    for change in launch.events:
        error = f"{change.error.type}: {change.error.message}" if change.error else None
        yield Event(change.at, "status", change.status.value, change.asked or error)


def _steps(steps: list[Step]) -> Iterator[Event]:
    for step in steps:
        yield Event(step.started_at, "step", step.name, "begins")
        if step.ended_at is not None and step.state is not StepState.RUNNING:
            yield Event(step.ended_at, "step", step.name, step.state.lower())


def _jobs(platform: "Platform", launch: Launch) -> Iterator[Event]:
    for task in Launches(platform).job_tasks(launch):
        if task.updated_at is None:
            continue
        again = ", its task is done again by another job" if task.status == TASK_RESUBMITTED else ""
        yield Event(task.updated_at, "job", task.label, f"{task.error_type}: {task.reason or 'no reason'}{again}")
