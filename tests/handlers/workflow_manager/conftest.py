"""The workflow manager's buckets and topic, what is dropped into them, and what comes out."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.workflow_manager import register_launch, status_function

LAUNCH_BUCKET = "genolaunch-test-launches"
PRINCIPAL = "AWS:AROAEXAMPLE:ada"

GOOD = """
name: height-gwas
workflow: regenie
data: cohort
regenie:
  genotypes: cohort.bed
  phenotypes: phenotypes.txt
  traits: [height]
  trait_type: quantitative
"""

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 30_000,
)


@dataclass
class Platform:
    """What a test gives to the workflow manager and sees of it."""

    repository: LaunchRepository
    notice_queue: str
    _puts: int = field(default=0)

    def put(self, key: str, body: str | bytes, **extra: Any) -> dict[str, Any]:
        """Put a file into the launch bucket; S3's notification of it."""
        answer = boto3.client("s3").put_object(Bucket=LAUNCH_BUCKET, Key=key, Body=body, **extra)
        self._puts += 1
        entity = {
            "key": key,
            "eTag": answer["ETag"].strip('"'),
            "sequencer": f"{self._puts:016X}",
            "versionId": answer.get("VersionId"),
        }
        return {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-21T04:00:00.000Z",
            "userIdentity": {"principalId": PRINCIPAL},
            "s3": {"bucket": {"name": LAUNCH_BUCKET}, "object": entity},
        }

    def register(self, *records: dict[str, Any]) -> dict[str, Any]:
        """One SQS message for each record; what the function answers."""
        return self.deliver(*({"Records": [record]} for record in records))

    def deliver(self, *bodies: Any) -> dict[str, Any]:
        """SQS messages with these bodies; what the function answers."""
        messages = [
            {"messageId": str(number), "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
        answer: dict[str, Any] = register_launch.handler({"Records": messages}, CONTEXT)
        return answer

    def feedback(self, key: str) -> dict[str, Any]:
        """The answer beside a dropped file."""
        answer = boto3.client("s3").get_object(Bucket=LAUNCH_BUCKET, Key=key)
        document: dict[str, Any] = json.loads(answer["Body"].read())
        return document

    def feedback_keys(self) -> list[str]:
        listing = boto3.client("s3").list_objects_v2(Bucket=LAUNCH_BUCKET, Prefix="feedback/")
        return [entry["Key"] for entry in listing.get("Contents", [])]

    def launches(self) -> list[Launch]:
        """All of the launch table."""
        items = boto3.resource("dynamodb").Table(self.repository.launch_table).scan()["Items"]
        found = (self.repository.get(str(item["launchId"])) for item in items)
        return [launch for launch in found if launch]

    def notices(self) -> list[dict[str, str]]:
        """Subject and Message (for people) of what was published since the last look; Facts are those for programs."""
        messages = boto3.client("sqs").receive_message(QueueUrl=self.notice_queue, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in messages.get("Messages", [])]
        return [_notice(body["Subject"], json.loads(body["Message"])) for body in bodies]


def _notice(subject: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {"Subject": subject, "Message": facts.pop("text"), "Facts": facts}


@pytest.fixture
def platform(repository: LaunchRepository, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Given: an empty launch bucket that keeps versions, and a topic with one subscriber."""
    s3, sns, sqs = boto3.client("s3"), boto3.client("sns"), boto3.client("sqs")
    s3.create_bucket(Bucket=LAUNCH_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=LAUNCH_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("NOTIFICATION_TOPIC", topic)
    boto3.client("events").create_event_bus(Name="genolaunch-test")
    monkeypatch.setenv("EVENT_BUS", "genolaunch-test")
    monkeypatch.setenv("COMPUTE_SERVICES", "batch-spot,batch-on-demand,ec2-spot,ec2-on-demand")
    monkeypatch.setenv("LAUNCHES_AT_ONCE", "3")
    monkeypatch.setenv("DATA_BUCKET", "genolaunch-test-data")
    for cached in (register_launch.settings, status_function.settings):
        cached.cache_clear()
    return Platform(repository, queue)
