"""Stops a stage's intake, which makes launches from files and executions from launches, before the stage is deleted."""

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Final

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

_LOOK_EVERY_SECONDS: Final = 2
_LOOKS: Final = 150
"""Five minutes. AWS documents only that mappings and pipes stop asynchronously, but not how long it takes."""

_GONE: Final = frozenset({"ResourceNotFoundException", "NotFoundException"})
"""Error codes of Lambda, EventBridge and Pipes for a resource that was deleted (their API references)."""

_OFF: Final = frozenset({"STOPPED", "CREATE_FAILED", "START_FAILED"})
"""States in which a pipe delivers nothing (EventBridge Pipes API reference, DescribePipe)."""


class Intake:
    """The event source mapping of registrations, the pipe of requests, and the rules of the workflow manager.

    The rules are included, since one of them starts launches that the pipe lost. What was stopped before stays stopped.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._undo: list[tuple[str, Callable[[], Any]]] = []

    def stop(self) -> None:
        """Stop the intake, and wait until AWS reports it as stopped; if that fails, start again what was stopped.

        Raises:
            GenolaunchError: the intake does not stop.
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
                        _unless_gone(stop, each["PhysicalResourceId"])
        except BaseException:
            self.put_back()
            raise

    def put_back(self) -> None:
        """Start again what `stop` has stopped.

        Raises:
            GenolaunchError: something does not start; the text says what to start by hand, and why. The rest starts.
        """
        failed = []
        while self._undo:
            what, start = self._undo.pop()
            try:
                start()
            except Exception as error:  # start the others anyway
                failed.append(f"{what} ({' '.join(str(error).split())})")
        if failed:
            raise GenolaunchError(
                f"Nothing was deleted, since something of the stage is not over; but start by hand {', '.join(failed)}."
            )

    def _disable_rule(self, physical_id: str) -> None:
        # For a rule on another bus the id is `<bus>|<rule>` (CloudFormation template reference, AWS::Events::Rule).
        bus, _, name = physical_id.rpartition("|")
        rule = {"Name": name, **({"EventBusName": bus} if bus else {})}
        events = self._account.client("events")
        if events.describe_rule(**rule)["State"] != "DISABLED":
            self._undo.append((f"the rule {name}", lambda: events.enable_rule(**rule)))
            events.disable_rule(**rule)

    def _disable_mapping(self, uuid: str) -> None:
        functions = self._account.client("lambda")

        def state() -> str:
            return str(functions.get_event_source_mapping(UUID=uuid)["State"])

        if state() not in ("Disabled", "Disabling"):
            start = partial(functions.update_event_source_mapping, UUID=uuid, Enabled=True)
            self._undo.append((f"the event source mapping {uuid}", start))
            functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        _wait_for(state, {"Disabled"}, f"the event source mapping {uuid}")

    def _stop_pipe(self, name: str) -> None:
        pipes = self._account.client("pipes")

        def state() -> str:
            return str(pipes.describe_pipe(Name=name)["CurrentState"])

        if state() not in {*_OFF, "STOPPING"}:
            self._undo.append((f"the pipe {name}", lambda: pipes.start_pipe(Name=name)))
            pipes.stop_pipe(Name=name)
        _wait_for(state, _OFF, f"the pipe {name}")


def _unless_gone(stop: Callable[[str], None], id_: str) -> None:
    from botocore.exceptions import ClientError

    try:
        stop(id_)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise


def _wait_for(state: Callable[[], str], wanted: Collection[str], what: str) -> None:
    for _ in range(_LOOKS):
        seen = state()
        if seen in wanted:
            return
        time.sleep(_LOOK_EVERY_SECONDS)
    raise GenolaunchError(
        f"Nothing was deleted: {what} is {seen} after {_LOOKS * _LOOK_EVERY_SECONDS // 60} minutes, and should be off. "
        "What had been stopped is started again; look at it in the console, and repeat this."
    )
