"""What Step Functions says of a failure, to what a launch's `error` says of it."""

import json
from collections.abc import Mapping
from typing import Any

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import LaunchErrorField, Status
from genolaunch.launch_configs.workflows import workflow_type
from genolaunch.shared.printable import printable
from genolaunch.shared.public_errors import redacted
from lambdas.shared.nested_errors import TYPE_OF_ENDING, innermost
from lambdas.shared.stuck_jobs import asks_for_too_much

_LONGEST_MESSAGE = 20_000
"""Characters: room for every fault of a launch's inputs. The whole cause is in the execution's history."""

_STAND_IN = frozenset({LaunchErrorField.MESSAGE, LaunchErrorField.KEPT})

_TYPES = {error_type.value: error_type for error_type in ErrorType} | {"States.Timeout": ErrorType.TIMED_OUT}

_DEFAULT_MESSAGES = {
    ErrorType.STOPPED: "The execution was stopped.",
    ErrorType.TIMED_OUT: "The launch exceeded its time limit.",
}


def failure(error: Mapping[str, Any]) -> dict[str, Any]:
    """`{Error, Cause}` of Step Functions, or `{type, message}`, as the launch table's `{type, message, kept?}`.

    The causes of nested executions and of functions are JSON: they are opened, down to the innermost one. An error
    that people know no name for (genolaunch.contract.errors.ErrorType) is a PlatformError, with its own name in the
    message. What stands for an error that was kept (kept_errors.py) names the item in `kept`: in_full opens it.
    """
    name = str(error.get("Error") or error.get("type") or "")
    cause = str(error.get("Cause") or error.get("message") or "")
    name, cause = innermost(name, cause)
    error_type = _TYPES.get(name, ErrorType.PLATFORM)
    stand_in = _object(cause) or {}
    if stand_in.keys() >= _STAND_IN:
        return {LaunchErrorField.TYPE: error_type.value} | {name: str(stand_in[name]) for name in sorted(_STAND_IN)}
    if error_type is ErrorType.LAUNCH_INPUT and LaunchErrorField.FAULTS in stand_in:
        # Of a function from before errors were kept: an execution goes on over a deployment.
        return {"type": error_type.value, "message": stand_in["message"], "faults": stand_in["faults"]}
    message = cause or _DEFAULT_MESSAGES.get(error_type, "The platform gave no reason.")
    if name and name not in _TYPES:
        message = f"{name}: {message}"
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "…"
    return {"type": error_type.value, "message": message}


def public_message(error: Mapping[str, Any]) -> str:
    """What may be told anywhere of a launch's `error`: its message may quote the data, a log or the config."""
    public = error.get(LaunchErrorField.PUBLIC)
    if public is None:
        public = redacted(str(error.get(LaunchErrorField.MESSAGE) or ""))
    return printable(str(public))


def status_after(error: Mapping[str, Any]) -> Status:
    """Of a launch that ended with this `error` (see failure).

    REJECTED if its own inputs are at fault: this attempt built nothing, and another makes sense when they are mended.
    """
    return Status.REJECTED if error["type"] == ErrorType.LAUNCH_INPUT else Status.FAILED


def is_platforms_fault(error: Mapping[str, Any], workflow: str | None) -> bool:
    """Whether the people who run the stage have to look at a launch that FAILED with this `error` (see failure).

    Not if its author can mend it (WorkflowType.users_errors), or asked for a larger job than the stage takes.
    """
    if error["type"] == ErrorType.NEVER_STARTED:
        return not asks_for_too_much(str(error.get("message")))
    return error["type"] not in workflow_type(workflow).users_errors


def failure_of_ending(ending: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """The error of an execution that ended as `ending` (ABORTED, TIMED_OUT, ...) without recording it."""
    if ending in TYPE_OF_ENDING:
        return failure({**error, "Error": TYPE_OF_ENDING[ending].value})
    return failure(error)


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None if it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
