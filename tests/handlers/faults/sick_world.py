"""A world in which people write into items by hand: what they may, and nonsense that makes a launch sick.

What a function does with a sick launch is left open here, but for this: nothing of it may reach a healthy one, and once
its item is mended, it comes to a true end as well.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from genolaunch.contract.events import GRACE_MINUTES, MOST_RECEIVES
from genolaunch.contract.launch import ALLOWED_FROM, FINAL_STATUSES, LaunchField, Status
from genolaunch.contract.launch_bucket import feedback_key
from lambdas.cleanup import lost_endings
from lambdas.pricing import retry_pricing
from lambdas.workflow_manager import lost_requests, register_launch
from tests.handlers.conftest import LAUNCH_TABLE
from tests.handlers.faults import played_pricing
from tests.handlers.faults.hand_edits import Value, edited
from tests.handlers.faults.world import Execution, World
from tests.handlers.workflow_manager.conftest import CONTEXT, LAUNCH_BUCKET

_MOST_TRIES = 6
"""Of a state whose function fails (Retry in the state machines), before its execution ends FAILED."""


class ShiftedTime(datetime):
    """What the functions' clocks say: as many hours later as rounds of the schedules were made."""

    hours = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "ShiftedTime":
        return cls.fromtimestamp(time.time() + cls.hours * 3600, tz)


class _Statuses(dict[str, Status]):
    """Statuses of healthy launches; of a sick one it is nobody's business."""

    def __missing__(self, _: str) -> None:
        return None


@dataclass
class SickWorld(World):
    """A world with sick launches beside healthy ones."""

    sick: dict[str, dict[str, Value]] = field(default_factory=dict)
    """Launch -> what its attributes were before they became nonsense."""
    was_sick: set[str] = field(default_factory=set)
    edits: int = 0
    """Writes by hand, with sense or without."""
    deaths: Counter[str] = field(default_factory=Counter)
    """Function and error -> how often it ended so over a sick launch."""
    receives: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)

    # --- what people do --------------------------------------------------------------------------------------------
    def write(self, launch_id: str, changes: Mapping[str, Value], *, is_nonsense: bool) -> None:
        """UpdateItem without a condition."""
        self.edits += 1
        item = self.items()[launch_id]
        asked = changes.get(LaunchField.STATUS)
        if (
            not is_nonsense
            and asked
            and item.get(LaunchField.STATUS, {}).get("S") not in ALLOWED_FROM[Status(asked["S"])]
        ):
            self.was_sick.add(launch_id)  # asked for out of turn: what becomes of its own jobs is its person's doing
        if is_nonsense:
            before = self.sick.setdefault(launch_id, {})
            self.was_sick.add(launch_id)
            for name in changes:
                before.setdefault(name, item.get(name))
        self.tables.write(LAUNCH_TABLE, edited(item, changes))
        self.read_streams()

    def mend(self) -> None:
        """People put back what was there; but a status that makes sense has been written since, and stays."""
        for launch_id, before in self.sick.items():
            item = self.items()[launch_id]
            if item.get(LaunchField.STATUS, {}).get("S") in set(Status):
                before.pop(LaunchField.STATUS, None)
            mended = edited(item, before)
            history = mended.get(LaunchField.COST_HISTORY, {}).get("M")
            if history:  # priced under an attempt that was none
                whole = {attempt: cost for attempt, cost in history.items() if attempt.isdigit()}
                mended[LaunchField.COST_HISTORY] = {"M": whole}
            self.tables.write(LAUNCH_TABLE, mended)
        self.sick.clear()
        self.read_streams()

    def ask(self, launch_id: str, to: Status) -> None:
        """Of a sick launch a person may be told anything."""
        if launch_id not in self.sick:
            super().ask(launch_id, to)
            return
        try:
            super().ask(launch_id, to)
        except Exception as error:
            self._died("ask", error)

    # --- what is looked at -----------------------------------------------------------------------------------------
    def statuses(self) -> "_Statuses":
        """Of healthy launches."""
        return _Statuses(
            (launch_id, Status(item[LaunchField.STATUS]["S"]))
            for launch_id, item in self.items().items()
            if launch_id not in self.sick
        )

    def at_work(self) -> int:
        """How many launches really run."""
        return sum(each.step == "work" and each.status == "RUNNING" for each in self.executions)

    def unanswered(self) -> list[str]:
        """Delivered files without an answer."""
        return [
            key
            for key in self.dropped
            if key not in self.undelivered and (LAUNCH_BUCKET, feedback_key(key)) not in self.s3.objects
        ]

    # --- what AWS does ---------------------------------------------------------------------------------------------
    def register(self, key: str, *, again: bool = False) -> None:
        """As the queue does: after the last try the message is a dead letter."""
        self.receives[key] += 1
        super().register(key, again=again)
        if self.receives[key] >= MOST_RECEIVES * 4 and key in self.undelivered:
            self.undelivered.remove(key)

    def deliver(self, *keys: str) -> Any:
        messages = [
            {
                "messageId": key,
                "body": json.dumps({"Records": [self.dropped[key]]}),
                "attributes": {"ApproximateReceiveCount": str(min(self.receives[key], MOST_RECEIVES))},
            }
            for key in keys
        ]
        return register_launch.handler({"Records": messages}, CONTEXT)

    def read_streams(self) -> None:
        """Filters of pipes pass over what does not have their form."""
        for launch_id, image in self.items().items():
            if "S" not in image.get(LaunchField.STATUS, {}) or "N" not in image.get(LaunchField.ATTEMPT, {}):
                self.seen[launch_id] = image
        super().read_streams()

    def advance(self, execution: Execution, outcome: str = "COMPLETE") -> None:
        """An execution over a sick launch may fail, after its states' tries; no other."""
        try:
            super().advance(execution, outcome)
        except Exception as error:
            if _launch_of(execution) not in self.sick:  # it may have become so meanwhile
                raise
            execution.is_busy = False
            self._died(execution.machine, error)
            self.tries[execution.arn] += 1
            if self.tries[execution.arn] >= _MOST_TRIES:
                self.end(execution, "FAILED")
        self.read_streams()

    def reconcile(self) -> None:
        """An hour later. Each schedule's function may end with an error over a sick launch, when it is through with
        the others."""
        self.hours += 1
        ShiftedTime.hours = self.hours
        for function in (lost_requests, lost_endings, retry_pricing):
            try:
                self._try(partial(function.handler, {GRACE_MINUTES: "0"}, CONTEXT))
            except Exception as error:
                # One that is refused a call goes on with the others, and fails when it is through.
                if not (self.sick or isinstance(error, RuntimeError)):
                    raise
                self._died(function.__name__.rpartition(".")[2], error)
        self._sweep(ShiftedTime.now(UTC))
        self.read_streams()

    def _sweep(self, now: Any) -> None:
        """As lambdas/cleanup/sweep.py: one launch that cannot be looked at keeps no other from it."""
        everything = set(self.made)
        for launch_id in {launch_id for launch_id, _ in everything}:
            self.made = {made for made in everything if made[0] == launch_id}
            try:
                super()._sweep(now)
            except Exception as error:
                if launch_id not in self.sick:
                    raise
                self._died("sweep", error)
            everything = {made for made in everything if made[0] != launch_id} | self.made
        self.made = everything

    def _delete(self, launch_id: str | None, ended_attempt: int) -> None:
        """Of a sick launch, whose attempt may be anything, jobs that are at work may be deleted, too."""
        with suppress(*[AssertionError] * (launch_id in self.was_sick)):
            super()._delete(launch_id, ended_attempt)

    def is_over(self) -> bool:
        """Nobody is at anything about a healthy launch, and nothing is left to do."""
        sick = self.sick
        made = [made for made in self.made if made[0] not in sick]
        at_work = [each for each in self.executions if each.status == "RUNNING" and _launch_of(each) not in sick]
        return (
            not [*self.undelivered, *made, *at_work]
            and not [request for _, request in self.requests if request[LaunchField.LAUNCH_ID] not in sick]
            and all(
                item[LaunchField.STATUS]["S"] in FINAL_STATUSES and played_pricing.is_settled(item)
                for launch_id, item in self.items().items()
                if launch_id not in sick
            )
        )

    def _died(self, function: str, error: Exception) -> None:
        self.deaths[f"{function}: {type(error).__name__}"] += 1


def _launch_of(execution: Execution) -> str | None:
    """The launch that an execution is about."""
    request = execution.request
    if isinstance(request, list):
        found: str | None = request[0].get(LaunchField.LAUNCH_ID)
        return found
    given = json.loads(request["detail"]["input"])
    return given[0].get(LaunchField.LAUNCH_ID) if isinstance(given, list) else None
