"""Finds errors in a program's log, which its exit code does not name."""

import re
from collections.abc import Sequence
from typing import Final

from genolaunch.contract.errors import ErrorType

_SIGNS: Final[Sequence[tuple[re.Pattern[str], ErrorType]]] = (
    # errno's texts (glibc, strerror), and how AWS's SDKs and S3 name a refusal.
    (re.compile(r"No space left on device|ENOSPC|Disk quota exceeded"), ErrorType.NO_SPACE_LEFT),
    (re.compile(r"std::bad_alloc|Cannot allocate memory|MemoryError\b"), ErrorType.OUT_OF_MEMORY),
    (re.compile(r"\bAccessDenied(Exception)?\b|\bAccess Denied\b|UnauthorizedOperation"), ErrorType.ACCESS_DENIED),
)
"""The first that fits, read from the end of the log: what came last is what ended the program."""


def error_in_log(log: str) -> ErrorType | None:
    """The type of error that the last telling line names; None if no line does."""
    for line in reversed(log.splitlines()):
        for sign, error_type in _SIGNS:
            if sign.search(line):
                return error_type
    return None
