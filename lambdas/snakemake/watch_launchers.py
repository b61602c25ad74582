"""Looks for launchers whose end caused no event.

ECS sends its events at least once, but a task can also vanish without one (DescribeTasks forgets a stopped task after
an hour). Without this look its launch would be RUNNING until the state machine's time-out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.workflow import Workflow
from genolaunch.shared import aws
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.settings import settings_of
from lambdas.snakemake.launcher_repository import Launcher, LauncherRepository
from lambdas.snakemake.outcome import written_outcome
from lambdas.snakemake.settlement import follow
from lambdas.snakemake.task_event import LauncherTask

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_DESCRIBE_LIMIT: Final = 100
"""Tasks of one DescribeTasks call (Amazon ECS API reference)."""
_SETTLING: Final = timedelta(minutes=5)
"""ECS is eventually consistent: a task that was just started may not be found yet."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str
    results_bucket: str
    job_log_group: str
    cluster: str


settings = settings_of(WatchSettings)


@function
def handler(_event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """Anything (a schedule) -> `{ended: n}`."""
    one_by_one = OneByOne("A launcher was not looked at")
    ended = watch(datetime.now(UTC), one_by_one)
    metrics.add_metric(name="LaunchersFoundEnded", unit=MetricUnit.Count, value=ended)
    one_by_one.raise_if_any()
    return {"ended": ended}


def watch(now: datetime, one_by_one: OneByOne) -> int:
    """Answer for every launcher whose task has stopped or is gone; how many there were."""
    repository = LauncherRepository(settings().task_table, settings().launch_table)
    running = _running(repository, now, one_by_one)
    launchers = {launcher.task_arn: launcher for launcher in running if launcher.task_arn}
    described = _describe(list(launchers))
    ended = 0
    for arn, launcher in launchers.items():
        with one_by_one.launch(launcher.message.launch_id):
            detail = described.get(arn)
            task = LauncherTask.read(detail) if detail else _vanished(arn, launcher)
            if task is not None:
                ended += task.status == "STOPPED"
                # Also for one that runs: the event that it began may have been lost as well.
                follow(task, repository, results_bucket=settings().results_bucket, log_group=settings().job_log_group)
    return ended


def _running(repository: LauncherRepository, now: datetime, one_by_one: OneByOne) -> list[Launcher]:
    """Launchers of the attempts that run, but for the newest."""
    launches = LaunchRepository(settings().launch_table)
    found = []
    for launch in launches.with_status(Status.RUNNING, **{LaunchField.WORKFLOW: Workflow.SNAKEMAKE.value}):
        with one_by_one.launch(launch.launch_id):
            if launch.started_at and datetime.fromisoformat(launch.started_at) < now - _SETTLING:
                launcher = repository.get(launch.launch_id, launch.attempt)
                found += [launcher] if launcher else []
    return found


def _describe(arns: list[str]) -> Mapping[str, Mapping[str, Any]]:
    tasks: dict[str, Mapping[str, Any]] = {}
    for chunk in _chunks(arns):
        answer = aws.client("ecs").describe_tasks(cluster=settings().cluster, tasks=chunk)
        tasks.update({task["taskArn"]: task for task in answer["tasks"]})
    return tasks


def _chunks(arns: list[str]) -> Iterable[list[str]]:
    return (arns[start : start + _DESCRIBE_LIMIT] for start in range(0, len(arns), _DESCRIBE_LIMIT))


def _vanished(arn: str, launcher: Launcher) -> LauncherTask:
    """A task that ECS does not know any more. What it wrote at its end still counts."""
    message = launcher.message
    written = written_outcome(message.launch_id, message.attempt, settings().results_bucket)
    done = written is not None and not written.get("type")
    return LauncherTask(
        arn=arn,
        launch_id=message.launch_id,
        attempt=message.attempt,
        status="STOPPED",
        stop_code="",
        stopped_reason="its task is gone, and ECS sent no event about its end",
        exit_code=0 if done else None,
        container_reason="",
    )
