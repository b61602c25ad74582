"""What is wrong with a launch's inputs, so that its author can mend it."""

from collections.abc import Callable
from typing import TypeVar

from lambdas.shared.faults import Fault
from lambdas.shared.input_error import LaunchInputError

__all__ = ["FaultCollector", "LaunchInputError", "UnusableInputError"]

Result = TypeVar("Result")


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
