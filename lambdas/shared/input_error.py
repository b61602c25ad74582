"""What is wrong with a launch's inputs, so that its author can mend it: as one text that survives state machines."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from lambdas.shared.counted import counted
from lambdas.shared.faults import Fault

Result = TypeVar("Result")

_LONGEST_REPORT: Final = 20_000
"""Characters of all faults: Step Functions has room for 32,768 in a cause (API reference, TaskFailedEventDetails), and
on its way to the launch table this text is quoted once in another one, with two characters for a quotation mark."""


class LaunchInputError(Exception):
    """A launch cannot run on the data as it is. Names every fault that was found.

    Its text is JSON, `{"message", "faults": [{"where", "problem", "remedy"}]}`: through Lambda and two state machines
    only text gets to the launch table, which keeps the faults one by one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        message = f"The launch's inputs have {count} fault{'' if count == 1 else 's'}."
        reported = [fault.as_dict() for fault in _reported(self.faults)]
        super().__init__(json.dumps({"message": message, "faults": reported}, ensure_ascii=False))


def _reported(faults: Sequence[Fault]) -> Iterator[Fault]:
    """As many as there is room for, and how many there are beside them."""
    room = _LONGEST_REPORT
    for number, fault in enumerate(faults):
        room -= len(json.dumps(fault.as_dict(), ensure_ascii=False))
        if room < 0:
            yield Fault(
                "the launch",
                f"has {counted(len(faults) - number, 'more fault')}",
                "Mend these first, and launch again.",
            )
            return
        yield fault


class UnusableInputError(Exception):
    """One input does not do. `problem` reads on from the name of the config key that gives the input."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class FaultCollector:
    """Gathers faults of several inputs, so that their author sees all of them at once."""

    def __init__(self) -> None:
        # A mapping keeps the order and drops repetitions: two checks may trip over one missing file.
        self._faults: dict[Fault, None] = {}

    def add(self, where: str, problem: str, remedy: str) -> None:
        """Note a fault of the config key `where`."""
        self._faults[Fault(where, problem, remedy)] = None

    def attempt(self, where: str, read: Callable[[], Result], otherwise: Result) -> Result:
        """What `read` returns; if it raises UnusableInputError, that is a fault of the config key `where`."""
        try:
            return read()
        except UnusableInputError as error:
            self.add(where, error.problem, error.remedy)
            return otherwise

    def raise_if_any(self) -> None:
        """Raise LaunchInputError if there were faults."""
        if self._faults:
            raise LaunchInputError(list(self._faults))
