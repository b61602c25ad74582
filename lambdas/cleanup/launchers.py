"""Finds the running launchers of Snakemake launches: ECS tasks, by the run for which they were started."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from genolaunch.contract.project import run_name
from genolaunch.shared import aws
from lambdas.cleanup.launch_resources import Owner

_DESCRIBE_LIMIT: Final = 100
"""Tasks of one DescribeTasks call (Amazon ECS API reference)."""
_DESIRED: Final[tuple[Literal["RUNNING", "STOPPED"], ...]] = ("RUNNING", "STOPPED")
"""A task that was asked to stop counts as STOPPED here, and may go on for its stop time-out."""


@dataclass(frozen=True, slots=True)
class LauncherTask:
    """A launcher's task that has not stopped."""

    arn: str
    owner: Owner
    created_at: datetime
    vcpus: float
    memory_gib: float


def unfinished_tasks(cluster: str, launch_id: str, ended_attempt: int) -> list[str]:
    """ARNs of the tasks of the attempts 1 ... `ended_attempt`: those too that are about to stop."""
    arns = [
        arn
        for attempt in range(1, ended_attempt + 1)
        for arn in _listed(cluster, startedBy=run_name(launch_id, attempt))
    ]
    return [task["taskArn"] for task in _unfinished(cluster, arns)]


def tasks(cluster: str) -> Iterator[LauncherTask]:
    """Launchers of all launches of the stage. Nothing else runs on its cluster; a task that stops has lost its tags."""
    for task in _unfinished(cluster, _listed(cluster)):
        launch_id, _, attempt = task.get("startedBy", "").rpartition("-")
        if launch_id and attempt.isdecimal():
            yield LauncherTask(
                task["taskArn"],
                Owner(launch_id, int(attempt)),
                task["createdAt"],
                int(task.get("cpu", 0)) / 1024,
                int(task.get("memory", 0)) / 1024,
            )


def _listed(cluster: str, **having: str) -> list[str]:
    pages = aws.client("ecs").get_paginator("list_tasks")
    found = [
        arn
        for desired in _DESIRED
        for page in pages.paginate(cluster=cluster, desiredStatus=desired, **having)
        for arn in page["taskArns"]
    ]
    return list(dict.fromkeys(found))  # one that is stopped between the two calls is in both


def _unfinished(cluster: str, arns: Iterable[str]) -> Iterator[dict[str, Any]]:
    listed = list(arns)
    for start in range(0, len(listed), _DESCRIBE_LIMIT):
        answer = aws.client("ecs").describe_tasks(cluster=cluster, tasks=listed[start : start + _DESCRIBE_LIMIT])
        yield from (task for task in answer["tasks"] if task["lastStatus"] != "STOPPED")
