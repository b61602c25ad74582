"""A queue that hears the stage's notices for as long as verify-stage runs."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from genolaunch.verify.account import Account

_SILENCE_SECONDS: Final = 120
"""SNS hands a notice to a queue within seconds: what has not come so long after the last one is missing."""
_LONG_POLL_SECONDS: Final = 10


class Notices:
    """What was told since."""

    def __init__(self, account: Account, url: str) -> None:
        self._sqs = account.client("sqs")
        self._url = url
        self.texts: list[str] = []

    def wait_until(self, is_enough: Callable[[list[str]], bool]) -> tuple[str, ...]:
        """All notices so far, once they are enough, or nothing more comes."""
        heard = time.monotonic()
        while not is_enough(self.texts) and time.monotonic() - heard < _SILENCE_SECONDS:
            if self._receive():
                heard = time.monotonic()
        return tuple(self.texts)

    def _receive(self) -> bool:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=_LONG_POLL_SECONDS
        )
        messages = answer.get("Messages", [])
        for message in messages:
            self.texts.append(message["Body"])
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)


@contextmanager
def hearing(account: Account, name: str) -> Iterator[Notices]:
    """Subscribe a new queue to the topic; both are gone afterwards."""
    sqs, sns = account.client("sqs"), account.client("sns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    subscription = None
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": account.topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscription = sns.subscribe(
            TopicArn=account.topic_arn, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        yield Notices(account, url)
    finally:
        if subscription:
            sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
