"""A small world around the workflow manager's functions, in which anything may go wrong.

Tables, S3, SNS and EventBridge are moto's, and the functions are the real ones. What AWS does between them is played
here, as faulty as AWS may be: requests of the stream and endings of executions may come twice, late, in any order, or
never; a function may be killed before or after any of its calls; a table may throttle. The execution of **launch** is
played by its states: claim, workflow, record.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from contract import FINAL_STATUSES, PIPE_STATUSES, LaunchField, Status
from lambdas.shared import aws
from lambdas.shared.errors import StatusConflictError
from lambdas.shared.launch import Launch
from lambdas.workflow_manager import change_status, lost_requests, settle_launch
from lambdas.workflow_manager.launch_queue import LaunchQueue
from tests.handlers.workflow_manager.conftest import CONTEXT, Platform

CLIENTS = ("dynamodb", "sns", "events", "stepfunctions")


class KilledError(BaseException):
    """The function's process ended half way: no handler of exceptions sees it."""


class Trouble:
    """Lets one of the next calls of AWS be the function's last, or be refused."""

    def __init__(self) -> None:
        self.calls_left: int | None = None
        self.after = False
        self.refuse: str | None = None
        self.has_struck = False
        for service in CLIENTS:
            events = aws.client(service).meta.events
            events.register(f"before-call.{service}", self._before)
            events.register(f"after-call.{service}", self._after)

    def plan(self, call: int, *, after: bool = False, refuse: str | None = None) -> None:
        """The `call`-th call from now (0 is the next one) is the last one, or is refused with an error's code."""
        self.calls_left, self.after, self.refuse, self.has_struck = call, after, refuse, False

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.calls_left = None

    def _before(self, model: Any, **_: Any) -> None:
        if self.calls_left == 0 and not self.after:
            self._strike(model.name)

    def _after(self, model: Any, **_: Any) -> None:
        if self.calls_left == 0 and self.after:
            self._strike(model.name)
        elif self.calls_left:
            self.calls_left -= 1

    def _strike(self, operation: str) -> None:
        refuse = self.refuse
        self.clear()
        self.has_struck = True
        if refuse is None:
            raise KilledError(operation)
        raise ClientError({"Error": {"Code": refuse, "Message": "injected"}}, operation)


@dataclass
class Execution:
    """One execution of **launch**."""

    arn: str
    request: Mapping[str, str]
    status: str = "RUNNING"
    step: str = "claim"
    attempt: int = 0
    is_told: bool = False
    """Its ending reached clean-up."""


@dataclass
class World:
    """The platform, and what is under way in it."""

    platform: Platform
    trouble: Trouble
    onlooker: Any
    """A client of DynamoDB that never meets trouble."""
    launch_ids: list[str] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    stream: list[dict[str, str]] = field(default_factory=list)
    """Requests that the pipe has not delivered yet."""
    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Launch -> status and number of events when the stream was last read."""

    @property
    def queue(self) -> LaunchQueue:
        return LaunchQueue(self.platform.repository, int(lost_requests.settings().launches_at_once))

    # --- what people do --------------------------------------------------------------------------------------------
    def submit(self, user: str) -> None:
        number = len(self.launch_ids)
        launch = Launch(
            f"launch-{number:03}",
            f"launch {number}",
            Status.SUBMITTED,
            f"2026-11-21T04:00:{number:02}.000Z",
            workflow="regenie",
            requested_by=user,
        )
        self.platform.repository.register(launch, f"bytes {number}")
        self.launch_ids.append(launch.launch_id)
        self.read_stream()

    def ask(self, launch_id: str, to: Status) -> None:
        """As the command line does: a conditional write; nothing happens where it is not legal."""
        try:
            self.platform.repository.change_status(launch_id, to, execution_arn=None)
        except StatusConflictError:
            return
        self.read_stream()

    # --- what AWS does ---------------------------------------------------------------------------------------------
    def read_stream(self) -> None:
        """Every write of a status that the pipe's filter lets through becomes a request."""
        for item in self.onlooker.scan(TableName=self.platform.repository.launch_table)["Items"]:
            launch_id = item[LaunchField.LAUNCH_ID]["S"]
            now = (item[LaunchField.STATUS]["S"], len(item[LaunchField.EVENTS]["L"]))
            if now != self.seen.get(launch_id) and now[0] in PIPE_STATUSES:
                self.stream.append({LaunchField.LAUNCH_ID: launch_id, LaunchField.STATUS: now[0]})
            self.seen[launch_id] = now

    def start(self, request: Mapping[str, str]) -> None:
        self.executions.append(Execution(f"arn:launch:{len(self.executions)}", request))

    def advance(self, execution: Execution, outcome: str) -> None:
        """One state of an execution; `outcome` is the workflow's. A function that is killed is tried again later."""
        if execution.status != "RUNNING":
            return
        with suppress(KilledError, ClientError, TimeoutError):  # Retry: the same state again, later
            self._advance(execution, outcome)
        self.read_stream()

    def _advance(self, execution: Execution, outcome: str) -> None:
        launch_id = execution.request[LaunchField.LAUNCH_ID]
        try:
            if execution.request[LaunchField.STATUS] == Status.CANCEL_REQUESTED:
                self._cancel(launch_id, execution)
            elif execution.step == "claim":
                answer = self._change(launch_id, "RUNNING", execution)
                execution.step = "record" if answer["status"] == "RUNNING" else "done"
            elif execution.step == "record":
                error = {} if outcome == "COMPLETE" else {"error": {"Error": "ApplicationError", "Cause": "injected"}}
                self._change(launch_id, outcome, execution, **error)
                execution.step = "done"
        except StatusConflictError:
            execution.step = "done"
        if execution.step == "done":
            execution.status = "SUCCEEDED"

    def _cancel(self, launch_id: str, execution: Execution) -> None:
        launch = self.platform.repository.get(launch_id)
        assert launch is not None
        owner = {"executionArn": launch.execution_arn} if launch.execution_arn else {}
        for other in self.executions:
            if other.arn == launch.execution_arn and other.status == "RUNNING":
                other.status = "ABORTED"
        change_status.handler({"launchId": launch_id, "to": "CANCELLED", **owner}, CONTEXT)
        execution.step = "done"

    def _change(self, launch_id: str, to: str, execution: Execution, **more: Any) -> dict[str, Any]:
        event = {"launchId": launch_id, "to": to, "executionArn": execution.arn, **more}
        answer: dict[str, Any] = change_status.handler(event, CONTEXT)
        return answer

    def tell_ending(self, execution: Execution) -> None:
        """The event of an execution's end reaches clean-up; a function that is killed is tried again."""
        detail = {"executionArn": execution.arn, "status": execution.status, "input": json.dumps([execution.request])}
        try:
            settle_launch.handler(detail, CONTEXT)
        except (KilledError, ClientError, TimeoutError, StatusConflictError):
            return
        finally:
            self.read_stream()
        execution.is_told = True

    # --- how it ends -----------------------------------------------------------------------------------------------
    def settle_down(self, most_rounds: int = 60) -> None:
        """From now on nothing goes wrong: schedules come, executions run to their end."""
        self.trouble.clear()
        self.stream.clear()  # whatever the pipe had not delivered, it lost
        for _ in range(most_rounds):
            if self.is_quiet():
                return
            self._reconcile()
            for request in list(self.stream):
                self.stream.remove(request)
                self.start(request)
            for execution in list(self.executions):
                self.advance(execution, "COMPLETE")
                if execution.status != "RUNNING" and not execution.is_told:
                    self.tell_ending(execution)

    def is_quiet(self) -> bool:
        return all(status in FINAL_STATUSES for status in self.statuses().values())

    def statuses(self) -> dict[str, Status]:
        items = self.onlooker.scan(TableName=self.platform.repository.launch_table)["Items"]
        return {item[LaunchField.LAUNCH_ID]["S"]: Status(item[LaunchField.STATUS]["S"]) for item in items}

    def _reconcile(self) -> None:
        """The schedule: requests that nobody took become executions, and the queue is mended."""
        before = {execution["executionArn"] for execution in self._started()}
        lost_requests.start_lost_requests(datetime.now(UTC) + timedelta(hours=len(before)), timedelta(0))
        lost_requests.mend_queue(self.queue)
        for execution in self._started():
            if execution["executionArn"] not in before:
                described = aws.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
                self.start(json.loads(described["input"])[0])
        self.read_stream()

    def _started(self) -> list[dict[str, Any]]:
        arn = lost_requests.settings().launch_state_machine
        pages = aws.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=arn)
        return [execution for page in pages for execution in page["executions"]]
