"""A line of the examination, and what a check is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genolaunch.doctor.account import Account


class State(StrEnum):
    """What is to be done about a line."""

    OK = "ok"
    MEND = "mend"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and of what is to be mended the command that does."""

    check: str
    state: State
    text: str
    command: str | None = None


@dataclass(frozen=True)
class Check:
    """Something to look at. `examine` may raise what botocore raises: the line then says that nobody can tell."""

    name: str
    examine: "Callable[[Account], Sequence[Finding]]"


def ok(check: str, text: str) -> Finding:
    """It is as the stage needs it."""
    return Finding(check, State.OK, text)


def mend(check: str, text: str, command: str) -> Finding:
    """The stage would not work as it is; `command` changes that."""
    return Finding(check, State.MEND, text, command)


def unknown(check: str, text: str) -> Finding:
    """AWS does not say, or not to this caller."""
    return Finding(check, State.UNKNOWN, text)
