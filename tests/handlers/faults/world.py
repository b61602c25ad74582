"""A small world around the platform's functions, in which anything may go wrong.

The functions are the real ones, the services fakes in memory. What AWS does between the functions is played here, as
faulty as AWS may be: notifications of dropped files, requests of the stream and endings of executions may come twice,
late, in any order, or (but for the files, which a queue keeps) never; a function may be killed before or after any of
its calls, others may come between two of them, and any service may throttle. Executions are played by their states:
* **launch**: claim, work, record; or, in the queue, a look for its files;
* **cleanup**: settle, and delete what the ended attempts made;
* **benchmark**: claim, price.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from genolaunch.contract.events import GRACE_MINUTES
from genolaunch.contract.launch import FINAL_STATUSES, PIPE_STATUSES, LaunchField, Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.contract.project import run_name
from genolaunch.shared.errors import StatusConflictError
from lambdas.cleanup import lost_endings
from lambdas.cleanup.overdue import Leftover, overdue_attempt
from lambdas.pricing import retry_pricing
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.one_by_one import OneByOne
from lambdas.workflow_manager import change_status, lost_requests, register_launch, settle_launch
from lambdas.workflow_manager.launch_queue import LaunchQueue
from tests.handlers.conftest import LAUNCH_TABLE, TASK_TABLE
from tests.handlers.faults import played_pricing
from tests.handlers.faults.services import FakeBuses, FakeS3, FakeStepFunctions, FakeTopics, etag
from tests.handlers.faults.trouble import KilledError, Trouble, Troubled
from tests.handlers.workflow_manager.conftest import CONTEXT, GOOD, LAUNCH_BUCKET

MACHINES = {
    name: f"arn:aws:states:eu-central-1:123456789012:stateMachine:{name}" for name in ("launch", "cleanup", "benchmark")
}

AT_ONCE = 2
"""Launches that may run at the same time."""

_FAULT = {"where": "data", "problem": "needs a file that does not exist", "remedy": "Upload it."}
MISSING = {"Error": "LaunchInputError", "Cause": json.dumps({"message": "1 fault", "faults": [_FAULT]})}

_TRIED_AGAIN = (KilledError, ClientError, TimeoutError)
"""Whatever ends a function so: the state machine's Retry, or the queue, lets it begin anew."""


@dataclass
class Execution:
    """An execution of one of the state machines."""

    arn: str
    machine: str
    request: Any
    """Its input."""
    step: str = "begin"
    attempt: int = 0
    outcome: str = ""
    """Of the workflow, once it is over."""
    status: str = "RUNNING"
    is_busy: bool = False
    """It is in the middle of a state, and makes no other one meanwhile."""


@dataclass
class World:
    """The platform, and what is under way in it."""

    trouble: Trouble
    tables: Any
    """A FakeTables, or what else answers like it."""
    clients: dict[str, object]
    """Service -> what the functions have for its client."""
    s3: FakeS3 = field(default_factory=FakeS3)
    step_functions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    has_prices: bool = True
    """Usage and unit prices can be told."""
    without_files: set[str] = field(default_factory=set)
    """Launches whose inputs are missing."""
    dropped: dict[str, Any] = field(default_factory=dict)
    """Key of a file -> S3's notification of it."""
    undelivered: list[str] = field(default_factory=list)
    """Keys whose notification is still in the queue."""
    executions: list[Execution] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """What the pipes have not delivered yet: machine, and input."""
    endings: list[dict[str, Any]] = field(default_factory=list)
    """Events of ended executions of **launch** that nobody has heard yet."""
    made: set[tuple[str, int]] = field(default_factory=set)
    """Launch and attempt of the file systems and jobs that exist."""
    seen: dict[str, Any] = field(default_factory=dict)
    """Launch -> its item when the stream was last read."""
    hours: int = 0
    """Since the world began, by the clock of the schedules."""

    @property
    def repository(self) -> LaunchRepository:
        return LaunchRepository(LAUNCH_TABLE, TASK_TABLE)

    @property
    def queue(self) -> LaunchQueue:
        return LaunchQueue(self.repository, int(lost_requests.settings().launches_at_once))

    def use(self, tables: Any) -> None:
        """Let the functions work on these tables, and on the other services of this world."""
        self.tables = tables
        services = {
            "dynamodb": tables,
            "s3": self.s3,
            "stepfunctions": self.step_functions,
            "sns": FakeTopics(),
            "events": FakeBuses(),
        }
        self.clients.update({name: Troubled(name, service, self.trouble) for name, service in services.items()})

    def items(self) -> dict[str, dict[str, Any]]:
        """Launch -> its item."""
        return {item[LaunchField.LAUNCH_ID]["S"]: item for item in self.tables.items(LAUNCH_TABLE)}

    def statuses(self) -> dict[str, Status]:
        return {launch_id: Status(item[LaunchField.STATUS]["S"]) for launch_id, item in self.items().items()}

    # --- what people do --------------------------------------------------------------------------------------------
    def drop(self, user: str, text: str = GOOD) -> str:
        """Put a file into the launch bucket; its key."""
        number = len(self.dropped)
        key = f"launches/{number:03}.yaml"
        self.s3.objects[LAUNCH_BUCKET, key] = text.encode()
        entity = {"key": key, "eTag": etag(text.encode()).strip('"'), "sequencer": f"{number:016X}"}
        self.dropped[key] = {
            "eventName": "ObjectCreated:Put",
            "eventTime": f"2026-11-21T04:00:{number:02}.000Z",
            "userIdentity": {"principalId": user},
            "s3": {"bucket": {"name": LAUNCH_BUCKET}, "object": entity},
        }
        self.undelivered.append(key)
        return key

    def submit(self, user: str) -> str:
        """Drop a file that is registered at once; its launch."""
        key = self.drop(user)
        self.register(key)
        return self.launch_of(key)

    def launch_of(self, key: str) -> str:
        """The launch that answers a dropped file."""
        answer: str = json.loads(self.s3.objects[LAUNCH_BUCKET, feedback_key(key)])["launchId"]
        return answer

    def ask(self, launch_id: str, to: Status) -> None:
        """As the command line does: a conditional write; nothing happens where it is not legal."""
        with suppress(StatusConflictError):
            self.repository.change_status(launch_id, to, execution_arn=None)
        self.read_streams()

    # --- what AWS does ---------------------------------------------------------------------------------------------
    def register(self, key: str, *, again: bool = False) -> None:
        """The queue delivers a notification, which is gone when the function did not fail; `again`: a copy is left."""
        answer = self._try(lambda: self.deliver(key))
        if answer == {"batchItemFailures": []} and not again and key in self.undelivered:
            self.undelivered.remove(key)
        self.read_streams()

    def deliver(self, *keys: str) -> Any:
        """One batch of the queue; what the function answers."""
        messages = [{"messageId": key, "body": json.dumps({"Records": [self.dropped[key]]})} for key in keys]
        return register_launch.handler({"Records": messages}, CONTEXT)

    def read_streams(self) -> None:
        """Every change of an item that a pipe's filter lets through becomes a request."""
        for launch_id, image in self.items().items():
            if image == self.seen.get(launch_id):
                continue
            self.seen[launch_id] = image
            status = image[LaunchField.STATUS]["S"]
            if status in PIPE_STATUSES:
                self.requests.append(("launch", {"launchId": launch_id, "status": status}))
            if played_pricing.passes_the_filter(image):
                attempt = image[LaunchField.ATTEMPT]["N"]
                self.requests.append(("benchmark", {"launchId": launch_id, "attempt": attempt}))

    def start(self, machine: str, given: Any) -> Execution:
        self.step_functions.start_execution(stateMachineArn=MACHINES[machine], input=json.dumps(given))
        return self.adopt()[-1]

    def adopt(self) -> list[Execution]:
        """Executions that were started since the last look."""
        known = {execution.arn for execution in self.executions}
        names = {arn: name for name, arn in MACHINES.items()}
        new = [
            Execution(found.arn, names[found.machine], json.loads(found.given))
            for found in self.step_functions.executions.values()
            if found.arn not in known
        ]
        self.executions += new
        return new

    def advance(self, execution: Execution, outcome: str = "COMPLETE") -> None:
        """One state of an execution; `outcome` is the workflow's. A function that is killed is tried again later."""
        if execution.status == "RUNNING" and not execution.is_busy:
            execution.is_busy = True
            states = {"launch": self._launch, "cleanup": self._clean_up, "benchmark": self._price}
            self._try(lambda: states[execution.machine](execution, outcome))
            execution.is_busy = False
            if execution.step == "done" and execution.status == "RUNNING":
                self.end(execution, "SUCCEEDED")
        self.read_streams()

    def end(self, execution: Execution, status: str) -> None:
        """An execution ends, of itself or not; of one of **launch** there is an event."""
        execution.status = status
        self.step_functions.end(execution.arn, status)
        if execution.machine == "launch":
            told = json.dumps(execution.request)
            self.endings.append({"executionArn": execution.arn, "status": status, "input": told})

    def _try(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except _TRIED_AGAIN:
            return None
        finally:
            self.trouble.clear()
            self.adopt()

    def _launch(self, execution: Execution, outcome: str) -> None:
        request = execution.request[0]
        launch_id = request[LaunchField.LAUNCH_ID]
        try:
            if request[LaunchField.STATUS] == Status.CANCEL_REQUESTED:
                self._cancel(launch_id)
                execution.step = "done"
            elif execution.step == "begin":
                answer = self._change(launch_id, "RUNNING", execution)
                execution.step, execution.attempt = "look", answer["attempt"]
                if answer["status"] == "RUNNING":
                    execution.step = "work"
                    self.made.add((launch_id, execution.attempt))
            elif execution.step == "work":
                execution.outcome = "FAILED" if launch_id in self.without_files else outcome
                execution.step = "record"
            elif execution.step == "look":  # while it is in the queue
                if launch_id in self.without_files:
                    self._change(launch_id, "FAILED", execution, error=MISSING)
                execution.step = "done"
            else:
                error = MISSING if launch_id in self.without_files else {"Error": "ApplicationError"}
                failed = {"error": error} if execution.outcome == "FAILED" else {}
                self._change(launch_id, execution.outcome, execution, **failed)
                execution.step = "done"
        except StatusConflictError:
            execution.step = "done"

    def _cancel(self, launch_id: str) -> None:
        arn = self.items()[launch_id].get(LaunchField.EXECUTION_ARN, {}).get("S")
        for other in self.executions:
            if other.arn == arn and other.status == "RUNNING":
                self.end(other, "ABORTED")
        owner = {LaunchField.EXECUTION_ARN: arn} if arn else {}
        change_status.handler({"launchId": launch_id, "to": "CANCELLED", **owner}, CONTEXT)

    def _change(self, launch_id: str, to: str, execution: Execution, **more: Any) -> dict[str, Any]:
        event = {"launchId": launch_id, "to": to, "executionArn": execution.arn, **more}
        answer: dict[str, Any] = change_status.handler(event, CONTEXT)
        return answer

    def _clean_up(self, execution: Execution, _: str) -> None:
        try:
            settled = settle_launch.handler(execution.request["detail"], CONTEXT)
        except StatusConflictError:
            return  # the table kept changing: tried again
        self._delete(settled["launchId"], settled["endedAttempt"])
        execution.step = "done"

    def _delete(self, launch_id: str | None, ended_attempt: int) -> None:
        """What attempts that are over made is deleted; what works on would be lost with it."""
        for made in [made for made in self.made if made[0] == launch_id and made[1] <= ended_attempt]:
            at_work = [each for each in self.executions if each.step == "work" and each.status == "RUNNING"]
            working = {(each.request[0]["launchId"], each.attempt) for each in at_work}
            assert made not in working, f"clean-up took {run_name(*made)} from under its workflow"
            self.made.remove(made)

    def _price(self, execution: Execution, _: str) -> None:
        played_pricing.advance(self.tables, LAUNCH_TABLE, execution, has_price=self.has_prices)

    # --- the schedules ---------------------------------------------------------------------------------------------
    def reconcile(self) -> None:
        """An hour later: whatever is older than no time at all counts as missed. Each may be killed half way."""
        self.hours += 1
        now = datetime.now(UTC) + timedelta(hours=self.hours)
        self._try(lambda: lost_requests.start_lost_requests(now, timedelta(0), OneByOne("x")))
        self._try(lambda: lost_requests.mend_queue(self.queue, OneByOne("x")))
        self._try(lambda: lost_endings.settle_lost_endings(now, OneByOne("x")))
        self._try(lambda: retry_pricing.handler({GRACE_MINUTES: "0"}, CONTEXT))
        self._sweep(now)
        self.read_streams()

    def _sweep(self, now: datetime) -> None:
        """By the rule of lambdas/cleanup/sweep.py."""
        for launch_id in {launch_id for launch_id, _ in self.made}:
            left = [Leftover(attempt, now) for of, attempt in self.made if of == launch_id]
            self._delete(launch_id, overdue_attempt(self.repository.get_salvaged(launch_id), left, now))

    # --- how it ends -----------------------------------------------------------------------------------------------
    def settle_down(self, most_hours: int = 12) -> None:
        """From now on nothing goes wrong. What was under way between the functions is lost, but in queues."""
        self.trouble.clear()
        self.requests.clear()
        self.endings.clear()
        for _ in range(most_hours):
            self.reconcile()
            self.let_an_hour_pass()
            if self.is_over():
                return

    def let_an_hour_pass(self, most_rounds: int = 60) -> None:
        """Whatever is under way is delivered, and runs to its end."""
        for _ in range(most_rounds):
            for key in list(self.undelivered):
                self.register(key)
            self.deliver_everything()
            at_work = [execution for execution in self.executions if execution.status == "RUNNING"]
            for execution in at_work:
                self.advance(execution)
            if not at_work and not self.requests and not self.endings:
                return

    def deliver_everything(self) -> None:
        """Requests and endings reach their state machines."""
        requests, self.requests[:] = list(self.requests), []
        for machine, request in requests:
            self.start(machine, [request])
        endings, self.endings[:] = list(self.endings), []
        for detail in endings:
            self.start("cleanup", {"detail": detail})

    def is_over(self) -> bool:
        """Nobody is at anything, and nothing is left to do."""
        under_way = [*self.undelivered, *self.requests, *self.endings, *self.made]
        at_work = [execution for execution in self.executions if execution.status == "RUNNING"]
        return (
            not under_way
            and not at_work
            and all(
                item[LaunchField.STATUS]["S"] in FINAL_STATUSES and played_pricing.is_settled(item)
                for item in self.items().values()
            )
        )
