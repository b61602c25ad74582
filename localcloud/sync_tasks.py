"""Step Functions' `.sync` tasks: those that wait until what they started has ended.

Stopping an execution, or the task's TimeoutSeconds, also stops what its tasks wait for, as AWS tries to.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final, TypeAlias

from localcloud import ministack_adapter as ministack
from localcloud.ministack_adapter import ExecutionStopped, TaskError
from localcloud.sdk_names import Value, operation_model, to_sdk
from localcloud.sdk_tasks import SdkTasks
from localcloud.service import Batch

Outcome: TypeAlias = dict[str, Any]

_QUERY_PAUSE: Final = 0.1
"""Seconds between two looks at a query, which tells nobody of its end; here it takes as long at most."""

_STOPPED: Final[Outcome] = {}
"""What a waiting task finds in its mailbox when its execution was stopped."""


class SyncTasks:
    """Runs `batch:submitJob(.sync)`, `states:startExecution.sync(:2)` and `athena:startQueryExecution(.sync)`."""

    def __init__(self, sdk: SdkTasks, batch: Batch) -> None:
        self._sdk = sdk
        self._batch = batch
        self._lock = Lock()
        # Mailboxes of the tasks that wait: by the execution they belong to, and by the execution they wait for.
        self._waiting: dict[str, set[SimpleQueue[Outcome]]] = defaultdict(set)
        self._parents: dict[str, SimpleQueue[Outcome]] = {}

    def submit_job(self, resource: str, arguments: Value) -> Value:
        """Submit a job; with `.sync`, wait and return its detail.

        Raises TaskError States.TaskFailed with the job's detail as Cause when it failed.
        """
        submitted = self._sdk.call("batch", "SubmitJob", arguments)
        if not resource.endswith(".sync"):
            return submitted
        job_id = submitted["JobId"]
        mailbox: SimpleQueue[Outcome] = SimpleQueue()
        self._batch.on_job_end(job_id, mailbox.put)
        reason = "The execution that waits for this job was stopped."
        job = self._wait(mailbox, lambda: self._sdk.call("batch", "TerminateJob", {"JobId": job_id, "Reason": reason}))
        detail = to_sdk({"jobs": [job]}, operation_model("batch", "DescribeJobs").output_shape)["Jobs"][0]
        if job["status"] != "SUCCEEDED":
            raise TaskError("States.TaskFailed", json.dumps(detail))
        return detail

    def start_execution(self, resource: str, arguments: Value) -> Value:
        """Start an execution, wait, and return its description; with `.sync:2` the output is JSON, not text.

        Raises TaskError States.TaskFailed with the description as Cause when it did not succeed.
        """
        try:
            arn = self._sdk.call("stepfunctions", "StartExecution", _start_request(arguments))["ExecutionArn"]
        except TaskError as refused:
            # The optimised integration spells the service out.
            raise TaskError(refused.error.replace("Sfn.", "StepFunctions."), refused.cause) from refused
        mailbox: SimpleQueue[Outcome] = SimpleQueue()
        with self._lock:
            self._parents[arn] = mailbox
        if not ministack.is_running(arn):
            mailbox.put({"executionArn": arn})
        try:
            self._wait(mailbox, lambda: self._sdk.call("stepfunctions", "StopExecution", {"ExecutionArn": arn}))
        finally:
            with self._lock:
                self._parents.pop(arn, None)
        return self._ended(arn, parsed=resource.endswith(".sync:2"))

    def run_query(self, resource: str, arguments: Value) -> Value:
        """Start a query of Athena; with `.sync`, wait and return its description.

        Raises TaskError States.TaskFailed with the description as Cause when it did not succeed.
        """
        started = self._sdk.call("athena", "StartQueryExecution", arguments)
        if not resource.endswith(".sync"):
            return started
        while True:
            described = self._sdk.call("athena", "GetQueryExecution", started)
            state = described["QueryExecution"]["Status"]["State"]
            if state == "SUCCEEDED":
                return described
            if state in {"FAILED", "CANCELLED"}:
                raise TaskError("States.TaskFailed", json.dumps(described))
            time.sleep(_QUERY_PAUSE)

    def on_execution_end(self, arn: str) -> None:
        """Tell those who wait for this execution, and those of its own tasks that still wait."""
        with self._lock:
            parent = self._parents.get(arn)
            abandoned = self._waiting.pop(arn, set())
        if parent:
            parent.put({"executionArn": arn})
        for mailbox in abandoned:
            mailbox.put(_STOPPED)

    def _wait(self, mailbox: "SimpleQueue[Outcome]", stop: Callable[[], object]) -> Outcome:
        execution = ministack.current_execution()
        with self._lock:
            self._waiting[execution].add(mailbox)
        if not ministack.is_running(execution):
            mailbox.put(_STOPPED)
        timeout = ministack.current_task_timeout()
        try:
            outcome = mailbox.get(timeout=timeout)
        except Empty:
            stop()
            raise TaskError("States.Timeout", f"The task did not end within {timeout} seconds.") from None
        finally:
            with self._lock:
                self._waiting[execution].discard(mailbox)
                if not self._waiting[execution]:
                    del self._waiting[execution]
        if outcome is _STOPPED:
            stop()
            raise ExecutionStopped
        return outcome

    def _ended(self, arn: str, *, parsed: bool) -> Value:
        described = self._sdk.call("stepfunctions", "DescribeExecution", {"ExecutionArn": arn})
        # This integration gives times as Unix milliseconds.
        for key in ("StartDate", "StopDate"):
            described[key] = int(datetime.fromisoformat(described[key]).timestamp() * 1000)
        if described["Status"] != "SUCCEEDED":
            described.pop("Output", None)
            raise TaskError("States.TaskFailed", json.dumps(described))
        if parsed:
            described["Output"] = json.loads(described["Output"])
        return described


def _start_request(arguments: dict[str, Any]) -> dict[str, Any]:
    data = arguments.get("Input", {})
    return {**arguments, "Input": data if isinstance(data, str) else json.dumps(data)}
