"""Tells the execution that waits for a launcher how it ended."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from genolaunch.shared import aws
from lambdas.shared.observability import logger

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

_LONGEST_CAUSE: Final = 20_000
"""Characters; Step Functions takes 32,768 (API reference, SendTaskFailure), and quotes it once more on its way."""


def succeed(token: str, output: Mapping[str, Any]) -> None:
    """The launcher is done. An execution that does not wait any more is no error."""
    client = _client()
    _send(lambda: client.send_task_success(taskToken=token, output=json.dumps(output)))


def fail(token: str, error: str, cause: str) -> bool:
    """The launcher failed, or was never started. False if the execution does not wait any more, which is no error."""
    client = _client()
    return _send(lambda: client.send_task_failure(taskToken=token, error=error, cause=cause[:_LONGEST_CAUSE]))


def _send(send: Any) -> bool:  # noqa: ANN401 - a call without arguments
    exceptions = _client().exceptions
    try:
        send()
    except (exceptions.TaskDoesNotExist, exceptions.TaskTimedOut, exceptions.InvalidToken) as gone:
        # Answered before (events come more than once), cancelled, or out of time.
        logger.info("No task waits for this answer", extra={"reason": str(gone)})
        return False
    return True


def _client() -> "SFNClient":
    client: SFNClient = aws.client("stepfunctions")
    return client
