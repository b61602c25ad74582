"""Sends launch messages that cannot be handled to the dead letters, with a notice of the reason."""

from typing import TYPE_CHECKING, Final

from genolaunch.shared import aws

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

_LONGEST_REASON: Final = 1_000


def bury(body: str, *, reason: str, launch_id: str | None, queue: str, topic: str, stage: str) -> None:
    """Put the message into the dead-letter queue, with the reason as an attribute, and tell the topic."""
    reason = _printable(reason[:_LONGEST_REASON])
    sqs: SQSClient = aws.client("sqs")
    sqs.send_message(
        QueueUrl=queue,
        MessageBody=body,
        MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
    )
    who = f"the launcher of {launch_id}" if launch_id else "a launcher"
    sns: SNSClient = aws.client("sns")
    sns.publish(
        TopicArn=topic,
        Subject=f"Genolaunch {stage}: {'a launcher' if launch_id is None else launch_id} was not started"[:99],
        Message=(
            f"ECS did not start {who}.\n\n{reason}\n\nThe launch message is in the dead-letter queue {queue}. A launch"
            " that it was for has failed with this reason; `genolaunch retry` tries it again when the cause is mended."
        ),
    )


def _printable(text: str) -> str:
    """What SQS takes in an attribute: no control characters but tab and line ends."""
    return "".join(each if each.isprintable() or each in "\t\n" else " " for each in text) or "unknown"
