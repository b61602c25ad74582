"""Moves the messages of a dead-letter queue back to the queue that they are of, and waits for the end of it."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef, StartMessageMoveTaskRequestTypeDef

_ACTIVE: Final = ("RUNNING", "CANCELLING")
_LOOK_EVERY_SECONDS: Final = 2.0
"""SQS tells nobody of the end of a move: it has to be asked."""


def move(sqs: "SQSClient", dead_letters: str, sources: Sequence[str]) -> "ListMessageMoveTasksResultEntryTypeDef":
    """Move all messages, and wait until SQS says how that ended (its tasks end by themselves, after 36 hours at most).

    SQS knows where a message came from only if it moved it itself. What was put into the dead-letter queue directly, by
    EventBridge or a function, fails the move with CouldNotDetermineMessageSource unless a destination is given (Amazon
    SQS developer guide, "Troubleshoot Amazon SQS dead-letter queue and DLQ redrive issues"). So it is given where there
    is but one. A move that somebody else has begun is waited for first, since SQS makes one at a time of a queue.

    Args:
        sqs: the client.
        dead_letters: ARN of the dead-letter queue.
        sources: ARNs of the queues whose dead letters are there.
    """
    while _newest(sqs, dead_letters).get("Status") in _ACTIVE:
        time.sleep(_LOOK_EVERY_SECONDS)
    request: StartMessageMoveTaskRequestTypeDef = {"SourceArn": dead_letters}
    if len(sources) == 1:
        request["DestinationArn"] = sources[0]
    sqs.start_message_move_task(**request)
    while (task := _newest(sqs, dead_letters)).get("Status") in _ACTIVE:
        time.sleep(_LOOK_EVERY_SECONDS)
    return task


def _newest(sqs: "SQSClient", dead_letters: str) -> "ListMessageMoveTasksResultEntryTypeDef":
    """The newest move of the queue's messages; empty if there was none."""
    found = sqs.list_message_move_tasks(SourceArn=dead_letters, MaxResults=1).get("Results", [])
    return found[0] if found else {}
