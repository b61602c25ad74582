"""What Step Functions says of a failure, to what a launch's `error` says of it."""

import json
from collections.abc import Mapping
from typing import Any

from contract import ErrorType

_DEEPEST_NESTING = 5
"""A launch nests one execution in another; more levels than this is not a cause but a riddle."""

_LONGEST_MESSAGE = 20_000
"""Characters: room for every fault of a launch's inputs. The whole cause is in the execution's history."""

_TYPES = {error_type.value: error_type for error_type in ErrorType} | {"States.Timeout": ErrorType.TIMED_OUT}

_TYPE_OF_ENDING = {"ABORTED": ErrorType.STOPPED, "TIMED_OUT": ErrorType.TIMED_OUT}
"""How an execution ended without saying why -> type."""

_DEFAULT_MESSAGES = {
    ErrorType.STOPPED: "The execution was stopped.",
    ErrorType.TIMED_OUT: "The launch took longer than it may.",
}


def failure(error: Mapping[str, Any]) -> dict[str, str]:
    """`{Error, Cause}` of Step Functions, or `{type, message}`, as the launch table's `{type, message}`.

    The causes of nested executions and of functions are JSON: they are opened, down to the innermost one. An error
    that people know no name for (contract.ErrorType) is a PlatformError, with its own name in the message.
    """
    name = str(error.get("Error") or error.get("type") or "")
    cause = str(error.get("Cause") or error.get("message") or "")
    name, cause = _innermost(name, cause)
    error_type = _TYPES.get(name, ErrorType.PLATFORM)
    message = cause or _DEFAULT_MESSAGES.get(error_type, "The platform gave no reason.")
    if name and name not in _TYPES:
        message = f"{name}: {message}"
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "…"
    return {"type": error_type.value, "message": message}


def failure_of_ending(ending: str, error: Mapping[str, Any]) -> dict[str, str]:
    """The error of an execution that ended as `ending` (ABORTED, TIMED_OUT, ...) without recording it."""
    if ending in _TYPE_OF_ENDING:
        return failure({**error, "Error": _TYPE_OF_ENDING[ending].value})
    return failure(error)


def _innermost(name: str, cause: str) -> tuple[str, str]:
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
        ended_as = _TYPE_OF_ENDING.get(str(inner.get("Status")), name)
        return str(inner.get("Error") or ended_as), str(inner.get("Cause") or "")
    return None
