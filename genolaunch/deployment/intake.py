"""A stage's intake: by what files become launches, and launches executions. It is stopped before a stage is deleted."""

import time
from collections.abc import Callable
from typing import Any, Final

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

_LOOK_EVERY_SECONDS: Final = 2
_LOOKS: Final = 150
"""Five minutes: AWS says of neither how long it takes, only that it is done asynchronously."""


class Intake:
    """The event source mapping of registrations, the pipe of requests, and the rules of the workflow manager.

    The rules too, since one of them starts on schedule what the pipe lost. What was stopped already stays so.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._undo: list[Callable[[], Any]] = []

    def stop(self) -> None:
        """Stop it, and wait until AWS says that it has; if that fails, put back what was stopped.

        Raises:
            GenolaunchError: it does not stop.
        """
        resources = self._account.resources("workflow-manager")
        by_type = {
            "AWS::Events::Rule": self._disable_rule,
            "AWS::Lambda::EventSourceMapping": self._disable_mapping,
            "AWS::Pipes::Pipe": self._stop_pipe,
        }
        try:
            for type_, stop in by_type.items():
                for each in resources:
                    if each["ResourceType"] == type_:
                        stop(each["PhysicalResourceId"])
        except BaseException:
            self.put_back()
            raise

    def put_back(self) -> None:
        """Start again what `stop` has stopped."""
        while self._undo:
            self._undo.pop()()

    def _disable_rule(self, physical_id: str) -> None:
        # Of a rule on a bus of its own it is `<bus>|<rule>` (CloudFormation template reference, AWS::Events::Rule).
        bus, _, name = physical_id.rpartition("|")
        rule = {"Name": name, **({"EventBusName": bus} if bus else {})}
        events = self._account.client("events")
        if events.describe_rule(**rule)["State"] != "DISABLED":
            self._undo.append(lambda: events.enable_rule(**rule))
            events.disable_rule(**rule)

    def _disable_mapping(self, uuid: str) -> None:
        functions = self._account.client("lambda")

        def state() -> str:
            return str(functions.get_event_source_mapping(UUID=uuid)["State"])

        if state() not in ("Disabled", "Disabling"):
            self._undo.append(lambda: functions.update_event_source_mapping(UUID=uuid, Enabled=True))
            functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        _wait_for(state, "Disabled", f"the event source mapping {uuid}")

    def _stop_pipe(self, name: str) -> None:
        pipes = self._account.client("pipes")

        def state() -> str:
            return str(pipes.describe_pipe(Name=name)["CurrentState"])

        if state() not in ("STOPPED", "STOPPING"):
            self._undo.append(lambda: pipes.start_pipe(Name=name))
            pipes.stop_pipe(Name=name)
        _wait_for(state, "STOPPED", f"the pipe {name}")


def _wait_for(state: Callable[[], str], wanted: str, what: str) -> None:
    for _ in range(_LOOKS):
        seen = state()
        if seen == wanted:
            return
        time.sleep(_LOOK_EVERY_SECONDS)
    raise GenolaunchError(
        f"Nothing was deleted: {what} is {seen} after {_LOOKS * _LOOK_EVERY_SECONDS // 60} minutes, not {wanted}. "
        "What had been stopped is started again; look at it in the console, and repeat this."
    )
