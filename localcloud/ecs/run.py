"""Takes one task from PROVISIONING to STOPPED, on a thread of its own."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from localcloud import container_roles
from localcloud.batch.logs import LogSink, LogWriter
from localcloud.batch.mounts import OF_A_TASK
from localcloud.batch.runner import ContainerRun, ContainerRunner, ContainerStartError, Outcome
from localcloud.ecs.injections import Injections, TaskInjection
from localcloud.ecs.task import Task

logger = logging.getLogger(__name__)

DEFAULT_STOP_SECONDS: Final = 30.0
"""Between SIGTERM and SIGKILL (Amazon ECS API reference, ContainerDefinition)."""
AT_ONCE: Final = 8
"""Containers that run at a time; the tasks of others stay PROVISIONING, as they do while Fargate finds a place."""

_TERMINATED: Final = 143
_LOG_GROUP: Final = "/aws/ecs"

Announce = Callable[[dict[str, Any]], None]


class TaskRuns:
    """Runs tasks."""

    def __init__(self, *, runner: ContainerRunner, logs: LogSink, injections: Injections, announce: Announce) -> None:
        """`announce` is told each change, with the task's detail."""
        self._runner = runner
        self._logs = logs
        self._injections = injections
        self._announce = announce
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def start(self, task: Task) -> None:
        """Run it; answers at once."""
        threading.Thread(target=self._run, args=(task,), name=f"ecs-{task.id[:8]}", daemon=True).start()

    def _run(self, task: Task) -> None:
        try:
            self._announce(task.view())
            injection = self._injections.task(task.started_by)
            if injection is not None and injection.stopped_reason is not None:
                self._end(task, "TaskFailedToStart", injection.stopped_reason, None)
                return
            with self._places:
                self._in_place(task, injection)
        except Exception as error:
            logger.exception("Task %s could not be run", task.arn)
            reason = f"InternalError: the local cloud could not run the task: {error}"
            self._end(task, "TaskFailedToStart", reason, None)

    def _in_place(self, task: Task, injection: TaskInjection | None) -> None:
        if task.stop.requested:
            self._end(task, "UserInitiated", str(task.detail["stoppedReason"]), None)
            return
        now = datetime.now(UTC)
        self._announce(
            task.change(lastStatus="PENDING", connectivity="CONNECTED", connectivityAt=now, pullStartedAt=now)
        )
        try:
            outcome = self._pretend(task, injection) if injection else self._container(task)
        except ContainerStartError as error:
            self._end(task, "TaskFailedToStart", str(error), None, str(error))
            return
        if injection is not None and injection.vanishes:
            task.vanished = True
            return
        if task.stop.requested:
            self._end(task, "UserInitiated", str(task.detail["stoppedReason"]), outcome.exit_code, outcome.reason)
        else:
            reason = "Essential container in task exited"
            self._end(task, "EssentialContainerExited", reason, outcome.exit_code, outcome.reason)

    def _pretend(self, task: Task, injection: TaskInjection) -> Outcome:
        stopped = threading.Event()
        self._running(task)
        task.stop.on_request(stopped.set)
        return Outcome(_TERMINATED if stopped.wait(injection.seconds) else injection.exit_code)

    def _container(self, task: Task) -> Outcome:
        options = task.container.get("logConfiguration", {}).get("options", {})
        stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{task.container['name']}/{task.id}"
        log = LogWriter(self._logs, options.get("awslogs-group", _LOG_GROUP), stream)
        log.open()
        try:
            return self._runner.run(_container_run(task), task.stop, log, lambda: self._running(task))
        finally:
            log.close()

    def _running(self, task: Task) -> None:
        now = datetime.now(UTC)
        self._announce(
            task.change(
                lastStatus="RUNNING",
                pullStoppedAt=now,
                startedAt=now,
                container={"lastStatus": "RUNNING", "runtimeId": f"{task.id}-1"},
            )
        )

    def _end(
        self, task: Task, code: str, reason: str, exit_code: int | None, container_reason: str | None = None
    ) -> None:
        container: dict[str, object] = {"lastStatus": "STOPPED"}
        now = datetime.now(UTC)
        times = {"stoppingAt": task.detail.get("stoppingAt", now)}
        if exit_code is not None:
            container["exitCode"] = exit_code
            times["executionStoppedAt"] = now
        if container_reason:
            container["reason"] = container_reason
        task.change(desiredStatus="STOPPED", stopCode=code, stoppedReason=reason, container=container, **times)
        self._announce(task.change(lastStatus="DEPROVISIONING"))
        self._announce(task.change(lastStatus="STOPPED", stoppedAt=datetime.now(UTC), tags=[]))


def _container_run(task: Task) -> ContainerRun:
    container = task.container
    return ContainerRun(
        task_id=task.id,
        image=container["image"],
        command=container.get("command", []),
        environment={**_environment(container, task.detail["overrides"]), **_keys(task)},
        # A volume of Fargate's is an empty folder of the task's own.
        volumes=[
            {"name": name, "host": {"sourcePath": f"{OF_A_TASK}{task.id}/{name}"}}
            # By the mount points: of a definition that a template made, ministack forgets the volumes' names.
            for name in dict.fromkeys(point["sourceVolume"] for point in container.get("mountPoints", []))
        ],
        mount_points=container.get("mountPoints", []),
        vcpus=max(1, int(task.detail["cpu"]) // 1024),
        user=container.get("user"),
        grace_seconds=float(container.get("stopTimeout", DEFAULT_STOP_SECONDS)),
    )


def _keys(task: Task) -> Mapping[str, str]:
    """Raises ContainerStartError."""
    roles = {**task.definition, **task.detail["overrides"]}
    options = task.container.get("logConfiguration", {}).get("options", {})
    return container_roles.environment_of(
        roles.get("taskRoleArn"),
        roles.get("executionRoleArn"),
        options.get("awslogs-group", _LOG_GROUP),
        task.id,  # a task's session has its id, by which what it does is told apart (CloudTrail)
    )


def _environment(container: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, str]:
    pairs = list(container.get("environment", []))
    for override in overrides.get("containerOverrides", []):
        if override.get("name") == container["name"]:
            pairs += override.get("environment", [])
    return {pair["name"]: pair.get("value", "") for pair in pairs}
