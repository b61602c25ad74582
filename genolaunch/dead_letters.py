"""Dead letters of a stage, and how to try them again once the cause is fixed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.project import PROJECT, TAG_DEAD_LETTERS
from genolaunch.message_moves import move

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef

    from genolaunch.platform import Platform

_COUNT: Final = "ApproximateNumberOfMessages"
_RECONCILER: Final = "workflow-manager-lost-requests"
"""End of the name of the function that reads from the table what the pipe's dead letters only point to."""


@dataclass(frozen=True)
class DeadLetters:
    """A dead-letter queue that holds something. `action` says what became of it, or what would."""

    queue: str
    count: int
    action: str
    failure: str | None = None
    """Why SQS stopped before all were moved: its `FailureReason`, or what the status of the move says."""


def redrive(platform: "Platform", *, is_rehearsal: bool = False) -> list[DeadLetters]:
    """Try again what waits in the stage's dead-letter queues, or only tell what would be tried.

    Messages of a queue go back to it, and SQS is waited for. Events that a rule could not deliver go to the
    state machine, or the queue, that they were for.
    Of the launch table's pipe there are only pointers: the table itself says what was lost.
    """
    return [_redrive(platform, url, count, is_rehearsal) for url, count in _filled(platform)]


def _filled(platform: "Platform") -> Iterator[tuple[str, int]]:
    """URL and number of messages of each dead-letter queue that is not empty."""
    sqs = platform.sqs
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{PROJECT}-{platform.stage}-"):
        for url in page.get("QueueUrls", []):
            if sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(TAG_DEAD_LETTERS):
                count = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_COUNT])["Attributes"][_COUNT])
                if count:
                    yield url, count


def _redrive(platform: "Platform", url: str, count: int, is_rehearsal: bool) -> DeadLetters:
    name = url.rsplit("/", 1)[1]
    sources = platform.sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls", [])
    if sources and is_rehearsal:
        return DeadLetters(name, count, "moved back to their queue")
    if sources:
        return _moved(name, count, move(platform.sqs, _arn(platform, url), [_arn(platform, each) for each in sources]))
    if is_rehearsal:
        return DeadLetters(name, count, "tried again one by one")
    handled, asked = 0, False
    while messages := _receive(platform, url):
        for message in messages:
            body = json.loads(message["Body"])
            if "DDBStreamBatchInfo" in body and not asked:
                _reconcile(platform)
                asked = True
            if not ("DDBStreamBatchInfo" in body or _start(platform, message)):
                continue
            platform.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            handled += 1
    left = f", {count - handled} are left to be looked at" if handled < count else ""
    return DeadLetters(name, count, f"{handled} tried again{left}")


def _moved(name: str, count: int, end: "ListMessageMoveTasksResultEntryTypeDef") -> DeadLetters:
    moved, status = end.get("ApproximateNumberOfMessagesMoved", 0), end["Status"]
    if status == "COMPLETED":
        return DeadLetters(name, count, f"{moved} moved back to their queue")
    reason = end.get("FailureReason") or status
    return DeadLetters(name, count, f"{moved} moved back to their queue, then SQS stopped: {reason}", reason)


def _receive(platform: "Platform", url: str) -> list[Any]:
    """The next messages; what is left in the queue on purpose stays hidden for a while and does not come twice."""
    answer = platform.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=300, WaitTimeSeconds=1
    )
    return list(answer.get("Messages", []))


def _start(platform: "Platform", message: Mapping[str, Any]) -> bool:
    """Start the state machine, or tell the queue, that EventBridge could not; False if the message is none of these."""
    target = message.get("MessageAttributes", {}).get("TARGET_ARN", {}).get("StringValue", "")
    if ":stateMachine:" in target:
        platform.stepfunctions.start_execution(stateMachineArn=target, input=message["Body"])
        return True
    if ":sqs:" in target:
        url = platform.sqs.get_queue_url(QueueName=target.rpartition(":")[2])["QueueUrl"]
        platform.sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
        return True
    return False


def _reconcile(platform: "Platform") -> None:
    name = f"{PROJECT}-{platform.stage}-{_RECONCILER}"
    platform.lambda_.invoke(FunctionName=name, Payload=json.dumps({"graceMinutes": 0}).encode())


def _arn(platform: "Platform", url: str) -> str:
    attributes = platform.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])
