"""Hears what the stage tells by its topic."""

import json
import uuid

from tests.local.platform_client import PlatformClient


def notices_queue(platform: PlatformClient) -> str:
    """URL of a new queue that is subscribed to the stage's notices, and lets SNS send to it."""
    sqs, sns = platform.client("sqs"), platform.client("sns")
    url: str = sqs.create_queue(QueueName=f"notices-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sending = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**sending, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"] if "Notices" in each["TopicArn"]]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url
