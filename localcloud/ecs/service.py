"""The operations of ECS that run, stop and describe tasks."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from localcloud.batch.logs import LogSink
from localcloud.batch.runner import ContainerRunner, StopRequest
from localcloud.ecs.injections import Injections, Refusal
from localcloud.ecs.run import TaskRuns
from localcloud.ecs.task import Task, new_task
from localcloud.endpoint import Endpoint
from localcloud.interceptor import Interceptor
from localcloud.paging import BadTokenError, page
from localcloud.service import ServiceError, operation_of

_KEEP_SECONDS: Final = 3600.0
"""DescribeTasks shows a stopped task for about an hour (Amazon ECS API reference)."""
_PAGE: Final = 100
_STOP_SECONDS: Final = 30.0
"""How long the cloud waits for its tasks when it stops; the signals that were sent to later tasks still end them. A
launcher ends its jobs within a moment, or some moments on a busy machine."""

Listener = Callable[[dict[str, Any]], None]


class EcsService:
    """Answers ECS's operations on tasks. For ECS's other resources it asks `ecs` (a client of ministack)."""

    name = "ecs"

    def __init__(
        self,
        *,
        runner: ContainerRunner,
        logs: LogSink,
        ecs: Any,  # noqa: ANN401 - a boto3 client
        region: str,
        account: str,
        may_assume: Callable[[str], bool] = lambda _role: True,
    ) -> None:
        """Keep what running tasks needs.

        Args:
            runner: runs the tasks' containers.
            logs: takes their log lines.
            ecs: a client of ministack's ECS.
            region: the cloud's region.
            account: the cloud's account.
            may_assume: whether a role (ARN) exists that ECS may assume for tasks.
        """
        self.injections = Injections()
        self._may_assume = may_assume
        self._ecs = ecs
        self._region = region
        self._account = account
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._tokens: dict[str, tuple[str, list[str]]] = {}
        self._listeners: list[Listener] = []
        self._runs = TaskRuns(runner=runner, logs=logs, injections=self.injections, announce=self._announce)
        self.operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "RunTask": self._run_task,
            "StopTask": self._stop_task,
            "DescribeTasks": self._describe_tasks,
            "ListTasks": self._list_tasks,
        }
        self._endpoint = Endpoint(self)

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """Return what answers requests here that would otherwise reach ministack."""
        return (self._endpoint.interceptor(self.operations),)

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """See localcloud.service.Service."""
        return operation_of("ECS", self.operations, operation)(params)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each change of a task, as EventBridge reports it."""
        self._listeners.append(listener)

    def refuse(self, *, code: str | None, reason: str, times: int) -> None:
        """Answer the next `times` calls of RunTask with an error, or (without `code`) with a failure."""
        self.injections.add_refusal(Refusal(code, reason, times))

    def close(self) -> None:
        """Stop every container, and wait for them a moment."""
        with self._lock:
            running = [task for task in self._tasks.values() if not task.is_stopped and not task.vanished]
        for task in running:
            self._stop(task, "The local cloud ends.")
        deadline = time.monotonic() + _STOP_SECONDS
        while any(not task.is_stopped for task in running) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _run_task(self, params: dict[str, Any]) -> dict[str, Any]:
        refusal = self.injections.refusal()
        if refusal is not None:
            if refusal.code:
                raise ServiceError(refusal.code, refusal.reason)
            return {"tasks": [], "failures": [{"arn": params.get("cluster", ""), "reason": refusal.reason}]}
        definition = self._definition(params["taskDefinition"])
        cluster = self._cluster(params.get("cluster", "default"))
        _check_overrides(params, definition)
        self._check_roles({**definition, **params.get("overrides", {})})
        with self._lock:
            known = self._of_token(params)
            tasks = known or [self._new_task(params, definition, cluster) for _ in range(params.get("count", 1))]
            if params.get("clientToken"):
                self._tokens[params["clientToken"]] = (_fingerprint(params), [task.arn for task in tasks])
        if not known:
            for task in tasks:
                self._runs.start(task)
        return {"tasks": [task.view() for task in tasks], "failures": []}

    def _check_roles(self, task: Mapping[str, Any]) -> None:
        """Refuse roles that ECS may not assume, with the text of public reports (pulumi/pulumi-awsx#927)."""
        for role in filter(None, (task.get("taskRoleArn"), task.get("executionRoleArn"))):
            if not self._may_assume(role):
                raise ServiceError(
                    "ClientException",
                    f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that "
                    "the role being passed has the proper trust relationship and permissions and that your IAM user "
                    "has permissions to pass this role.",
                )

    def _of_token(self, params: Mapping[str, Any]) -> list[Task]:
        """Return the tasks that an earlier call with this token started."""
        fingerprint, arns = self._tokens.get(params.get("clientToken", ""), ("", []))
        if arns and fingerprint != _fingerprint(params):
            raise ServiceError("ConflictException", "The clientToken is in use with a different RunTask request.")
        return [self._tasks[arn] for arn in arns if arn in self._tasks]

    def _new_task(self, params: Mapping[str, Any], definition: Mapping[str, Any], cluster_arn: str) -> Task:
        self._forget_old()
        cluster = cluster_arn.rpartition("/")[2]
        arn = f"arn:aws:ecs:{self._region}:{self._account}:task/{cluster}/{uuid.uuid4().hex}"
        task = new_task(params, definition, cluster_arn, arn, f"{self._region}a")
        self._tasks[arn] = task
        return task

    def _forget_old(self) -> None:
        before = time.monotonic() - _KEEP_SECONDS
        for arn in [arn for arn, task in self._tasks.items() if task.stopped_at and task.stopped_at < before]:
            del self._tasks[arn]

    def _definition(self, name: str) -> Mapping[str, Any]:
        try:
            definition: Mapping[str, Any] = self._ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        except ClientError as error:
            raise ServiceError("ClientException", "TaskDefinition not found.") from error
        return definition

    def _cluster(self, name: str) -> str:
        found = self._ecs.describe_clusters(clusters=[name])["clusters"]
        if not found:
            raise ServiceError("ClusterNotFoundException", "Cluster not found.")
        return str(found[0]["clusterArn"])

    def _stop_task(self, params: dict[str, Any]) -> dict[str, Any]:
        task = self._found(params["task"])
        if task is None:
            raise ServiceError("InvalidParameterException", "The referenced task was not found.")
        self._stop(task, params.get("reason", "Task stopped by user"))
        return {"task": task.view()}

    def _stop(self, task: Task, reason: str) -> None:
        if task.ask_to_stop(reason):
            task.stop.request(StopRequest(reason))

    def _describe_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        found = {name: self._found(name) for name in params["tasks"]}
        with_tags = "TAGS" in params.get("include", [])
        return {
            "tasks": [_without_tags(task.view(), with_tags) for task in found.values() if task],
            "failures": [{"arn": name, "reason": "MISSING"} for name, task in found.items() if not task],
        }

    def _list_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster(params.get("cluster", "default"))
        wanted = {
            "clusterArn": cluster,
            "desiredStatus": params.get("desiredStatus", "RUNNING"),
            **({"startedBy": params["startedBy"]} if "startedBy" in params else {}),
        }
        with self._lock:
            views = [task.view() for task in self._tasks.values() if not task.vanished]
        arns = [view["taskArn"] for view in views if all(view[key] == value for key, value in wanted.items())]
        try:
            shown, token = page(arns, params.get("maxResults", _PAGE), params.get("nextToken"))
        except BadTokenError as error:
            raise ServiceError("InvalidParameterException", "Invalid token.") from error
        return {"taskArns": list(shown), "nextToken": token}

    def _found(self, name: str) -> Task | None:
        """By ARN or id."""
        with self._lock:
            task = next((each for arn, each in self._tasks.items() if name in (arn, each.id)), None)
        return None if task is None or task.vanished else task

    def _announce(self, detail: dict[str, Any]) -> None:
        task = self._tasks[detail["taskArn"]]
        if detail["lastStatus"] == "STOPPED":
            task.stopped_at = time.monotonic()
        told = json.loads(json.dumps(detail, default=_text))
        told.pop("tags")  # events have none
        for listener in self._listeners:
            listener({"detail-type": "ECS Task State Change", "resources": [task.arn], "detail": told})


def _check_overrides(params: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    names = {container["name"] for container in definition["containerDefinitions"]}
    for override in params.get("overrides", {}).get("containerOverrides", []):
        if override.get("name") not in names:
            raise ServiceError(
                "InvalidParameterException",
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition.",
            )
    if definition.get("networkMode") == "awsvpc" and not params.get("networkConfiguration"):
        raise ServiceError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )


def _fingerprint(params: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in params.items() if key != "clientToken"}, sort_keys=True)


def _without_tags(view: dict[str, Any], with_tags: bool) -> dict[str, Any]:
    return view if with_tags else {key: value for key, value in view.items() if key != "tags"}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    raise TypeError(f"{type(value).__name__} cannot be in an event.")
