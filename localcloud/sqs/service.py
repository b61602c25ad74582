"""Moves of the messages of a dead-letter queue, as SQS makes them on request."""

import contextvars
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from localcloud.endpoint import Endpoint
from localcloud.interceptor import Interceptor
from localcloud.service import ServiceError, operation_of

NO_SOURCE: Final = "CouldNotDetermineMessageSource"
NO_QUEUE: Final = "AWS.SimpleQueueService.NonExistentQueue"
"""FailureReason of a task (Amazon SQS developer guide, "Troubleshoot Amazon SQS dead-letter queue and DLQ redrive
issues")."""

_SOURCE: Final = "DeadLetterQueueSourceArn"
_MOST_LISTED: Final = 10
_ACTIVE: Final = ("RUNNING", "CANCELLING")

Queue = dict[str, Any]
"""ministack's record of a queue: `attributes`, `messages`."""


class Queues(Protocol):
    """Where the queues are: the part of ministack's adapter that this module needs."""

    def message_queue(self, arn: str) -> Queue | None:
        """The record of a queue."""

    def message_queues(self) -> Iterable[Queue]:
        """The records of all queues."""


@dataclass(eq=False, slots=True)
class Task:
    """A move that was asked for."""

    source: str
    destination: str | None
    rate: int | None
    to_move: int
    """Messages that there were when it began."""
    handle: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    status: str = "RUNNING"
    moved: int = 0
    failure: str | None = None

    def describe(self) -> dict[str, Any]:
        """A `ListMessageMoveTasksResultEntry`: a handle only while there is something to cancel."""
        return {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": self.started,
        }


class SqsService:
    """The operations of SQS that redrive dead letters; the others are ministack's."""

    name = "sqs"

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._lock = threading.Lock()
        self._tasks: list[Task] = []
        self.operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ListDeadLetterSourceQueues": self._list_sources,
            "StartMessageMoveTask": self._start,
            "ListMessageMoveTasks": self._list,
            "CancelMessageMoveTask": self._cancel,
        }
        self._endpoint = Endpoint(self)

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """What is answered here of what ministack is asked for."""
        return (self._endpoint.interceptor(self.operations),)

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """See localcloud.service.Service."""
        return operation_of("SQS", self.operations, operation)(params)

    def _list_sources(self, params: dict[str, Any]) -> dict[str, Any]:
        named = params["QueueUrl"].rpartition("/")[2]
        queues = list(self._queues.message_queues())
        arn = next((_arn(queue) for queue in queues if queue["name"] == named), None)
        if arn is None:
            raise ServiceError("QueueDoesNotExist", "The specified queue does not exist.")
        return {"queueUrls": [queue["url"] for queue in queues if _dead_letters_of(queue) == arn]}

    def _start(self, params: dict[str, Any]) -> dict[str, Any]:
        source, destination = params["SourceArn"], params.get("DestinationArn")
        queue = self._existing(source, "SourceArn")
        if all(_dead_letters_of(each) != source for each in self._queues.message_queues()):
            raise ServiceError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if destination is not None:
            self._existing(destination, "DestinationArn")
        if destination == source:
            raise ServiceError(
                "InvalidParameterValue", "Source queue arn and destination queue arn cannot be the same."
            )
        with self._lock:
            if any(task.source == source and task.status in _ACTIVE for task in self._tasks):
                raise ServiceError(
                    "UnsupportedOperation",
                    "There is already a task running. Only one active task is allowed for a source queue at a time.",
                )
            rate = params.get("MaxNumberOfMessagesPerSecond")
            task = Task(source, destination, rate, len(queue["messages"]))
            self._tasks.insert(0, task)
        run_in_scope = contextvars.copy_context().run  # the request's account and region
        threading.Thread(target=run_in_scope, args=(self._move_all, task), name="sqs-move", daemon=True).start()
        return {"TaskHandle": task.handle}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        self._existing(params["SourceArn"], "SourceArn")
        wanted = min(params.get("MaxResults", 1), _MOST_LISTED)
        with self._lock:
            found = [task.describe() for task in self._tasks if task.source == params["SourceArn"]]
        return {"Results": found[:wanted]}

    def _cancel(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            task = next((each for each in self._tasks if each.handle == params["TaskHandle"]), None)
            if task is None or task.status != "RUNNING":
                raise ServiceError("ResourceNotFoundException", "Task does not exist.")
            task.status = "CANCELLING"
        return {"ApproximateNumberOfMessagesMoved": task.moved}

    def _existing(self, arn: str, parameter: str) -> Queue:
        queue = self._queues.message_queue(arn)
        if queue is None:
            raise ServiceError(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
            )
        return queue

    def _move_all(self, task: Task) -> None:
        while task.status == "RUNNING":
            if task.rate:
                time.sleep(1 / task.rate)
            with self._lock:
                self._move_next(task)
        if task.status == "CANCELLING":
            task.status = "CANCELLED"

    def _move_next(self, task: Task) -> None:
        """Move a message that nobody is working on; the task is over if there is none, or none can be moved."""
        source = self._queues.message_queue(task.source)
        now = time.time()
        message = next((each for each in source["messages"] if each["visible_at"] <= now), None) if source else None
        if source is None or message is None or task.status != "RUNNING":
            task.status = "COMPLETED" if task.status == "RUNNING" else task.status
            return
        arn = task.destination or message["sys"].get(_SOURCE)
        target = self._queues.message_queue(arn) if arn else None
        if target is None:
            task.status, task.failure = "FAILED", NO_QUEUE if arn else NO_SOURCE
            return
        source["messages"].remove(message)
        target["messages"].append(_as_new(message, now))
        task.moved += 1


def _as_new(message: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A message that was moved has an id and a time of its own (Amazon SQS API reference, StartMessageMoveTask)."""
    known = {name: value for name, value in message["sys"].items() if name != _SOURCE}
    return {
        **message,
        "id": str(uuid.uuid4()),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "sent_at": now,
        "visible_at": now,
        "sys": {**known, "SentTimestamp": str(int(now * 1000))},
    }


def _arn(queue: Queue) -> str:
    return str(queue["attributes"]["QueueArn"])


def _dead_letters_of(queue: Queue) -> str | None:
    """ARN of the queue's dead-letter queue, if it has one."""
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    arn: str | None = policy.get("deadLetterTargetArn")
    return arn
