"""Findings of preflight: faults, with which a launch cannot run, and warnings for its author."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeVar

from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import FaultCollector, LaunchInputError

Item = TypeVar("Item")

_SHOWN_AT_MOST: Final = 5
_LONGEST_EXAMPLE: Final = 40
"""Characters: a whole line that was taken for one word helps nobody."""


class Findings(FaultCollector):
    """Gathers faults and warnings of all checks, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._warnings: dict[Fault, None] = {}
        self._suspected: dict[Fault, None] = {}

    def suspect(self, where: str, problem: str, remedy: str) -> None:
        """Note what is a warning by itself, and beside any fault the likely reason of it, which is told first."""
        self._suspected[Fault(where, problem, remedy)] = None

    def raise_if_any(self) -> None:
        """Raise LaunchInputError if there were faults, what is suspected first."""
        if self._faults:
            raise LaunchInputError(list(self._suspected | self._faults))

    def warn(self, where: str, problem: str, remedy: str) -> None:
        """Note what may spoil results without keeping regenie from making them."""
        self._warnings[Fault(where, problem, remedy)] = None

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is suspected, then the others in the order in which they were found."""
        return tuple(self._suspected | self._warnings)


def examples(items: Sequence[Item], total: int | None = None, *, show: Callable[[Item], str]) -> str:
    """The first few of `items`, and how many more there are of `total` (by default all of them)."""
    shown = [show(item)[:_LONGEST_EXAMPLE] for item in items[:_SHOWN_AT_MOST]]
    more = (len(items) if total is None else total) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def text(raw: bytes) -> str:
    """Bytes of a file, to show."""
    return raw.decode(errors="replace")


def more_than_once(hashes: Iterable[int]) -> set[int]:
    """Those that are repeated."""
    return {one for one, other in pairwise(sorted(hashes)) if one == other}


class Examples:
    """Counts what differs, and keeps the first few to show."""

    def __init__(self) -> None:
        self.total = 0
        self._first: list[bytes] = []

    def add(self, item: bytes) -> None:
        """One more."""
        self.total += 1
        if len(self._first) < _SHOWN_AT_MOST:
            self._first.append(item)

    def extend(self, other: "Examples") -> None:
        """What another has counted."""
        self._first = [*self._first, *other._first][:_SHOWN_AT_MOST]
        self.total += other.total

    def update(self, items: Iterable[bytes]) -> None:
        """Some more."""
        for item in items:
            self.add(item)

    def __str__(self) -> str:
        return examples(self._first, self.total, show=text)
