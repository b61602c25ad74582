"""The error inside an error of Step Functions: causes of functions and of nested executions are JSON."""

import json
from typing import Final

from genolaunch.contract.errors import ErrorType

_DEEPEST_NESTING: Final = 5
"""Levels. A launch nests two executions."""

TYPE_OF_ENDING: Final = {"ABORTED": ErrorType.STOPPED, "TIMED_OUT": ErrorType.TIMED_OUT}
"""Status of an execution that ended without a cause -> type of error."""


def innermost(name: str, cause: str) -> tuple[str, str]:
    """`Error` and `Cause` of the innermost function or execution that failed; those given if there is none."""
    for _ in range(_DEEPEST_NESTING):
        opened = _opened(name, cause)
        if opened is None:
            break
        name, cause = opened
    return name, cause


def _opened(name: str, cause: str) -> tuple[str, str] | None:
    """Name and cause one level further in; None when the cause is plain text."""
    try:
        inner = json.loads(cause)
    except (ValueError, RecursionError):
        return None
    if not isinstance(inner, dict):
        return None
    if "errorMessage" in inner:  # a Lambda function's
        return str(inner.get("errorType") or name), str(inner["errorMessage"])
    if "ExecutionArn" in inner:  # a nested execution's
        ended_as = TYPE_OF_ENDING.get(str(inner.get("Status")), name)
        return str(inner.get("Error") or ended_as), str(inner.get("Cause") or "")
    return None
