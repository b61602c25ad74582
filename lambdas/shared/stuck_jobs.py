"""AWS Batch's codes for jobs that stay RUNNABLE, in plain words."""

from collections.abc import Mapping
from typing import Final

GIVEN_UP: Final = "Given up by the platform, since no instance took it"
"""Begins the statusReason of a job that was ended for that (lambdas/cleanup/stuck.py)."""

UNDETERMINED: Final = "UNDETERMINED"
"""Batch's code where it does not know why; on it, a queue cannot give a job up by itself."""

_TOO_LARGE: Final = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
_NONE_IS_LARGE_ENOUGH: Final = "none of the stage's instance types is large enough"
_REASONS: Final[Mapping[str, str]] = {
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": "AWS had no instance for it; retry the launch, which tries another zone "
    "if the stage has one, or use batch-on-demand",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": "it needs more than the stage may use at once; lower "
    "{resources}, or ask for a higher batch.max_vcpus of the stage",
    _TOO_LARGE: f"{_NONE_IS_LARGE_ENOUGH}; lower {{resources}}, or ask for larger types in the stage's "
    "batch.instance_types",
    UNDETERMINED: "AWS Batch does not know why; most often the account's quota of vCPUs for EC2 is used up, or its "
    "instances' set-up fails, which their console output tells; ask the people who run the stage (runbook, "
    "“Jobs that do not start”)",
}
"""Codes of AWS Batch's user guide, “Jobs stuck in a RUNNABLE status”."""


def is_code(reason: str) -> bool:
    """Whether Batch says so of a job that waits in vain. Else it is of an earlier attempt."""
    return any(reason.startswith(code) for code in _REASONS)


def asks_for_too_much(message: str) -> bool:
    """Whether a launch's error says that a job of it wants more than any instance of the stage has."""
    return _TOO_LARGE in message or _NONE_IS_LARGE_ENOUGH in message


def why_stuck(reason: str, resources: str) -> str:
    """Why, and what to do about it; Batch's own words if they are not known.

    `resources` says in words or by its key what asks for the job's vCPUs and memory.
    """
    known = [words for code, words in _REASONS.items() if code in reason]
    return known[0].format(resources=resources) if known else reason
