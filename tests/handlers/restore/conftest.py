"""The restore functions, with tables and queue as moto plays them, S3 with archives, and S3's events by hand."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.restore import RestoreField
from genolaunch.shared import aws
from lambdas.restore import (
    complete_restores,
    counted_writes,
    fail_restore,
    find_archived,
    index_objects,
    look_after,
    request_queue,
    request_restores,
)
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.restore.fake_s3 import FakeS3

POLICY = {"mixedTier": "Bulk", "days": 10, "mostBytes": 10 << 40, "mostUsd": 100}
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:genolaunch-test-launch:one"
FUNCTIONS = (complete_restores, fail_restore, find_archived, index_objects, look_after, request_restores)


def context(remaining: Iterable[int] = ()) -> Any:
    """Lambda's context; `remaining` are the milliseconds that it tells one after another, then 15 minutes."""
    given = iter(remaining)
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: next(given, 900_000),
    )


@dataclass
class Restores:
    """What a test does to the restore functions, and sees of them."""

    repository: LaunchRepository
    s3: FakeS3
    queue_url: str
    notices_url: str
    bus: "FakeEvents"
    started: list[dict[str, Any]]
    """Executions that were started."""

    # --- The launch --------------------------------------------------------------------------------------------------
    def launch(self, launch_id: str = "gwas-1", **changes: Any) -> str:
        """Given: a RUNNING launch in its first attempt, on s3://data/cohort/."""
        config = {"name": "gwas", **changes.pop("config", {})}
        launch = Launch(
            launch_id=launch_id,
            name="gwas",
            status=Status.SUBMITTED,
            submitted_at="2026-11-21T04:00:00.000Z",
            workflow=changes.pop("workflow", "regenie"),
            data_path="s3://data/cohort/",
            config_uri=f"s3://launch-files/launches/{launch_id}.yaml",
            config_json=json.dumps(config),
        )
        self.repository.register(launch, launch_id)
        answer = json.dumps({"launchId": launch_id, "accepted": True, "status": "SUBMITTED", "faults": []})
        self.s3.put_object(Bucket="launch-files", Key=f"feedback/{launch_id}.yaml.json", Body=answer.encode())
        self.repository.claim(launch_id, EXECUTION + launch_id)
        return launch_id

    def find(self, launch_id: str = "gwas-1", inputs: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """The answer of find_archived."""
        event: dict[str, Any] = {"launchId": launch_id, "executionArn": EXECUTION + launch_id, "inputs": "", "scan": {}}
        if inputs is not None:
            event["inputs"] = "inputs/list.json"
            self.s3.put_object(Bucket="launch-files", Key="inputs/list.json", Body=json.dumps(inputs).encode())
        remaining = more.pop("remaining", ())
        answer: dict[str, Any] = find_archived.handler({**event, **more}, context(remaining))
        return answer

    def wait(self, launch_id: str = "gwas-1") -> str:
        """Given: a launch that is WAITING, everything indexed and nothing asked for yet."""
        self.launch(launch_id)
        assert self.find(launch_id)["decision"] == "WAITING"
        self.index(launch_id)
        return launch_id

    def index(self, launch_id: str = "gwas-1", attempt: int = 1, **more: Any) -> dict[str, Any]:
        """What the restore state machine does, to the end of the index."""
        event = {"bucket": "launch-files", "key": f"restores/{launch_id}/{attempt}.json", "cursor": {}, **more}
        answer: dict[str, Any] = index_objects.handler(event, context())
        return answer

    # --- Queue and events --------------------------------------------------------------------------------------------
    def messages(self) -> list[dict[str, Any]]:
        """Takes everything from the request queue, as an event of Lambda has it."""
        sqs = boto3.client("sqs")
        taken: list[dict[str, Any]] = []
        while batch := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", []):
            taken += [{"messageId": each["MessageId"], "body": each["Body"]} for each in batch]
            for each in batch:
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=each["ReceiptHandle"])
        return taken

    def request(self, messages: list[dict[str, Any]] | None = None) -> list[str]:
        """Messages go to the worker; the ids of those that it gives back."""
        records = self.messages() if messages is None else messages
        answer = request_restores.handler({"Records": records}, context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def tell(self, *keys: str, bucket: str = "data") -> list[str]:
        """S3's events that these objects are restored; the ids of the messages that are given back."""
        detail = [{"bucket": {"name": bucket}, "object": {"key": key, "size": 1}} for key in keys]
        records = [{"messageId": str(n), "body": json.dumps({"detail": each})} for n, each in enumerate(detail)]
        answer = complete_restores.handler({"Records": records}, context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def look_after(self, *, late: bool = False, too_late: bool = False, remaining: Iterable[int] = ()) -> int:
        """The schedule comes round; before that, the restores' time may be over. `remaining`: see `context`."""
        if late or too_late:
            for launch in self.repository.with_status(Status.WAITING):
                self.change(launch.launch_id, **{RestoreField.CHECK_AT: "2026-01-01T00:00:00.000Z"})
                if too_late:
                    self.change(launch.launch_id, **{RestoreField.GIVE_UP_AT: "2026-01-01T00:00:00.000Z"})
        count: int = look_after.handler({}, context(remaining))["late"]
        return count

    def change(self, launch_id: str, **values: Any) -> None:
        """Changes the item of the first attempt's restore."""
        table = boto3.resource("dynamodb").Table(self.repository.task_table)
        for name, value in values.items():
            table.update_item(
                Key={"launchId": launch_id, "taskId": "restore#1"},
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": value},
            )

    def charges(self, launch_id: str = "gwas-1") -> dict[str, tuple[int, ...]]:
        """What is to be paid for, by usageId: requests, bytes retrieved, bytes of which a copy is kept."""
        items = boto3.resource("dynamodb").Table("usage").scan()["Items"]
        return {
            str(item["usageId"]): tuple(int(str(item[n])) for n in ("requests", "retrievedBytes", "copiedBytes"))
            for item in items
            if item["owner"] == launch_id
        }

    # --- What there is -----------------------------------------------------------------------------------------------
    def status(self, launch_id: str = "gwas-1") -> Status:
        launch = self.repository.get(launch_id)
        assert launch
        return launch.status

    def get(self, launch_id: str = "gwas-1") -> Launch:
        launch = self.repository.get(launch_id)
        assert launch
        return launch

    def counts(self, launch_id: str = "gwas-1", attempt: int = 1) -> dict[str, Any]:
        """The restore's counts."""
        table = boto3.resource("dynamodb").Table(self.repository.task_table)
        item = table.get_item(Key={"launchId": launch_id, "taskId": f"restore#{attempt}"})["Item"]
        names = ("objects", "pending", "restored", "failed")
        return {name: int(str(item[name])) for name in names}

    def open(self) -> list[str]:
        """Launches whose completions are looked for."""
        table = boto3.resource("dynamodb").Table(self.repository.task_table)
        items = table.scan()["Items"]
        return sorted(str(item["taskId"]) for item in items if item["launchId"] == "open-restores")

    def notices(self) -> list[str]:
        """Subjects of what people were told."""
        found = boto3.client("sqs").receive_message(QueueUrl=self.notices_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"])["Subject"] for message in found.get("Messages", [])]

    def told(self) -> list[str]:
        """Statuses that other systems were told of, by the stage's bus."""
        return [json.loads(entry["Detail"])["status"] for entry in self.bus.entries]

    def feedback(self, launch_id: str = "gwas-1") -> dict[str, Any]:
        """The answer beside the launch's file."""
        answer: dict[str, Any] = json.loads(self.s3.objects["launch-files", f"feedback/{launch_id}.yaml.json"].body)
        return answer

    def age(self, launch_id: str, hours: int) -> None:
        """The launch has not changed for so long."""
        launch = self.get(launch_id)
        assert launch.updated_at
        before = (datetime.fromisoformat(launch.updated_at) - timedelta(hours=hours)).isoformat()
        boto3.resource("dynamodb").Table(self.repository.launch_table).update_item(
            Key={LaunchField.LAUNCH_ID: launch_id},
            UpdateExpression="SET updatedAt = :before",
            ExpressionAttributeValues={":before": before},
        )


@pytest.fixture
def restores(repository: LaunchRepository, monkeypatch: pytest.MonkeyPatch) -> Restores:
    """Given: empty buckets, an empty queue, a topic with one subscriber, and the functions' environment."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue = sqs.create_queue(QueueName="requests")["QueueUrl"]
    notices = sqs.create_queue(QueueName="notices")["QueueUrl"]
    topic = sns.create_topic(Name="notices")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=notices, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    boto3.client("dynamodb").create_table(
        TableName="usage",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("owner", "usageId")],
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "usageId", "KeyType": "RANGE"}],
    )
    for name, value in {
        "USAGE_TABLE": "usage",
        "LAUNCH_BUCKET": "launch-files",
        "RESTORE_QUEUE": queue,
        "RESTORE_STATE_MACHINE": "arn:aws:states:eu-central-1:123456789012:stateMachine:restore",
        "RESTORE_POLICY": json.dumps(POLICY),
        "NOTIFICATION_TOPIC": topic,
        "EVENT_BUS": "default",
    }.items():
        monkeypatch.setenv(name, value)
    for function in FUNCTIONS:
        function.settings.cache_clear()
    # moto copies all tables for each transaction: with fewer objects in each, a few objects are several of them.
    monkeypatch.setattr(counted_writes, "MOST_IN_TRANSACTION", 10)
    monkeypatch.setattr(request_queue, "_MOST_OBJECTS", 10)
    s3, bus, started = FakeS3(), FakeEvents(), list[dict[str, Any]]()
    machines = FakeStepFunctions(started)
    fakes = {"s3": s3, "stepfunctions": machines, "events": bus}
    client = aws.client.__wrapped__
    monkeypatch.setattr(aws, "client", cache(lambda service: fakes.get(service) or client(service)))
    return Restores(repository, s3, queue, notices, bus, started)


class FakeStepFunctions:
    """StartExecution: a name is taken once."""

    class exceptions:  # noqa: N801 - botocore's name
        class ExecutionAlreadyExists(Exception):  # noqa: N818 - botocore's name
            pass

    def __init__(self, started: list[dict[str, Any]]) -> None:
        self.started = started

    def start_execution(self, **request: Any) -> dict[str, Any]:
        if any(each["name"] == request["name"] for each in self.started):
            raise self.exceptions.ExecutionAlreadyExists
        self.started.append(request)
        return {}


@dataclass
class FakeEvents:
    """PutEvents."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"FailedEntryCount": 0}
