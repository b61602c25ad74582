"""Errors of a launch's inputs, for its author, in a text that passes through state machines unchanged."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from genolaunch.shared.counted import counted
from genolaunch.shared.faults import Fault

Result = TypeVar("Result")

_LONGEST_REPORT: Final = 20_000
"""Characters of all faults. The launch's item, at most 400 KB, also holds its config and its events."""


class KeptError(Exception):
    """An error with details that quote a launch's data. Its own text is one sentence without data.

    The function that raises it keeps the details (kept_errors.py). `public`, which passes through Lambda and two
    state machines, names the place.
    """

    def __init__(self, summary: str) -> None:
        self.summary = summary
        """One sentence, which quotes nothing."""
        self.kept: str | None = None
        """Reference to the kept details, set by the function that keeps them."""
        super().__init__(summary)

    @property
    def public(self) -> str:
        """The text that logs, events and notices may contain."""
        return self.kept or self.summary

    @property
    def report(self) -> dict[str, Any]:
        """`{"message", "faults"?}`, for the launch table."""
        raise NotImplementedError


class LaunchInputError(KeptError):
    """A launch cannot run on the data as it is. Names every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"The launch's inputs have {counted(len(self.faults), 'fault')}.")

    @property
    def report(self) -> dict[str, Any]:
        """`{"message", "faults": [{"where", "problem", "remedy"}]}`, for the launch table."""
        return {"message": self.summary, "faults": [fault.as_dict() for fault in _reported(self.faults)]}


def _reported(faults: Sequence[Fault]) -> Iterator[Fault]:
    """As many faults as fit, and the number of the others."""
    room = _LONGEST_REPORT
    for number, fault in enumerate(faults):
        room -= len(json.dumps(fault.as_dict(), ensure_ascii=False))
        if room < 0:
            yield Fault(
                "the launch",
                f"has {counted(len(faults) - number, 'more fault')}",
                "Correct these first, and launch again.",
            )
            return
        yield fault


class UnusableInputError(Exception):
    """An input cannot be used. `problem` continues a sentence that begins with the config key of the input."""

    public = "An input cannot be used."
    """The text that logs, events and notices may contain, because the problem quotes the data."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class FaultCollector:
    """Collects faults of several inputs, so that their author sees all of them at once."""

    def __init__(self) -> None:
        # A mapping keeps the order and drops repetitions: two checks may trip over one missing file.
        self._faults: dict[Fault, None] = {}

    @property
    def count(self) -> int:
        """Faults so far."""
        return len(self._faults)

    def add(self, where: str, problem: str, remedy: str) -> None:
        """Note a fault of the config key `where`."""
        self._faults[Fault(where, problem, remedy)] = None

    def attempt(self, where: str, read: Callable[[], Result], otherwise: Result) -> Result:
        """Call `read` and return its result. An UnusableInputError becomes a fault of the config key `where`."""
        try:
            return read()
        except UnusableInputError as error:
            self.add(where, error.problem, error.remedy)
            return otherwise

    def raise_if_any(self) -> None:
        """Raise LaunchInputError if there were faults."""
        if self._faults:
            raise LaunchInputError(list(self._faults))
