"""AWS Step Functions (Developer guide, "Step Functions service quotas")."""

import re
from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import KIB, bytes_in, refuse

MOST_PAYLOAD: Final = 256 * KIB
"""Bytes of the input or output of a task, state or execution, in UTF-8. The model counts characters."""

MOST_EVENTS: Final = 25_000
"""Events of an execution's history."""

_NAME: Final = re.compile(r"[^\s?*<>{}\[\]\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff]{1,80}")
"""Names of state machines, executions and activities."""


def _name(params: Mapping[str, Any]) -> None:
    name = params.get("name")
    if name is not None and not _NAME.fullmatch(name):
        refuse("InvalidName", f"Invalid Name: '{name}'")


def _input(params: Mapping[str, Any]) -> None:
    if bytes_in(params.get("input")) > MOST_PAYLOAD:
        refuse("InvalidExecutionInput", f"Invalid State Machine Execution Input: longer than {MOST_PAYLOAD} bytes.")


def _output(params: Mapping[str, Any]) -> None:
    if bytes_in(params.get("output")) > MOST_PAYLOAD:
        refuse("InvalidOutput", f"Invalid Output: longer than {MOST_PAYLOAD} bytes.")


LIMITS: Final = {
    "CreateStateMachine": (_name,),
    "CreateActivity": (_name,),
    "StartExecution": (_name, _input),
    "StartSyncExecution": (_name, _input),
    "SendTaskSuccess": (_output,),
}
