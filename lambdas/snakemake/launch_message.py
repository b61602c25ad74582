"""The launch message, which the state machine sends and the broker checks before it starts a task."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from genolaunch.contract.launcher import LAUNCHER_CONTAINER
from genolaunch.shared.public_errors import OpenError

_SUBNET: Final = re.compile(r"subnet-[0-9a-f]{8,17}")
_SECURITY_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,17}")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_LAUNCH_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,54}")

MOST_SUBNETS: Final = 16
MOST_SECURITY_GROUPS: Final = 5
"""Of one awsvpc configuration (Amazon ECS API reference, AwsVpcConfiguration)."""


class InvalidArguments(OpenError):  # noqa: N818 - the name under which people meet it, as ECS and Step Functions write it
    """A launch message that no number of tries would start. Names every fault."""

    def __init__(self, faults: Sequence[str], task_token: str | None = None) -> None:
        super().__init__("; ".join(faults))
        self.task_token = task_token
        """Of the execution that waits, if the message has at least that."""


@dataclass(frozen=True, slots=True)
class LaunchMessage:
    """A launcher that is to be started."""

    launch_id: str
    attempt: int
    task_token: str
    run_sheet: str
    """s3:// URL."""
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    container: str
    role: str = ""
    """ARN of the launcher's role; empty in a message of before launches had roles of their own."""

    def as_json(self) -> str:
        """As read_message reads it."""
        values = asdict(self)
        return json.dumps({key: values[field] for key, field in _KEYS.items()}, sort_keys=True)


_KEYS: Final[Mapping[str, str]] = {
    "launchId": "launch_id",
    "attempt": "attempt",
    "taskToken": "task_token",
    "runSheet": "run_sheet",
    "subnets": "subnets",
    "securityGroups": "security_groups",
    "container": "container",
    "role": "role",
}


def read_message(text: str) -> LaunchMessage:
    """The message, checked.

    Raises:
        InvalidArguments: with every fault, and with the token of the execution that waits for an answer.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidArguments([f"the message is not JSON: {error}"]) from error
    if not isinstance(given, dict):
        raise InvalidArguments(["the message is no JSON object"])
    faults = [*_faults(given)]
    if faults:
        token = given.get("taskToken")
        raise InvalidArguments(faults, token if isinstance(token, str) and token else None)
    values = {field: given.get(key, "") for key, field in _KEYS.items()}
    return LaunchMessage(
        **{**values, "subnets": tuple(values["subnets"]), "security_groups": tuple(values["security_groups"])}
    )


def _faults(given: Mapping[str, Any]) -> list[str]:
    attempt = given.get("attempt")
    checks = {
        "launchId": _matches(given.get("launchId"), _LAUNCH_ID) or "must be the id of a launch",
        "attempt": (isinstance(attempt, int) and attempt > 0) or "must be a whole number from 1 on",
        "taskToken": _is_text(given.get("taskToken")) or "must be the token of the task that waits",
        "runSheet": str(given.get("runSheet")).startswith("s3://") or "must be an s3:// URL",
        "subnets": _are(given.get("subnets"), _SUBNET, MOST_SUBNETS)
        or f"must be 1 to {MOST_SUBNETS} ids of subnets (subnet-...)",
        "securityGroups": _are(given.get("securityGroups"), _SECURITY_GROUP, MOST_SECURITY_GROUPS)
        or f"must be 1 to {MOST_SECURITY_GROUPS} ids of security groups (sg-...)",
        "container": given.get("container") == LAUNCHER_CONTAINER
        or f"must be {LAUNCHER_CONTAINER}, the container of the task definition",
        "role": given.get("role", "") == "" or _matches(given["role"], _ROLE) or "must be the ARN of a role",
    }
    return [f"{key} {fault}; it is {_shown(given.get(key))}" for key, fault in checks.items() if fault is not True]


def _shown(value: object) -> str:
    return "missing" if value is None else json.dumps(value)[:80]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _matches(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _are(values: object, pattern: re.Pattern[str], most: int) -> bool:
    return isinstance(values, list) and 1 <= len(values) <= most and all(_matches(value, pattern) for value in values)
