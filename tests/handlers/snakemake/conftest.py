"""What functions of Snakemake launches see: a launch that runs, queues, a topic; fakes of ECS and Step Functions."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from genolaunch.contract.launch import Status
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.snakemake import (
    answers,
    follow_launcher,
    prepare_snakemake,
    record_jobs,
    run_task,
    start_launcher,
    watch_launchers,
)

LAUNCH_BUCKET, DATA_BUCKET, RESULTS_BUCKET = "test-launch", "test-data", "test-results"
LAUNCH_ID = "exome-20261121t040000-1a2b3c4d"
ROLE = f"arn:aws:iam::123456789012:role/genolaunch/test/launches/{LAUNCH_ID}/1/{LAUNCH_ID}-1"
CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/launchers"
CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 30_000,
)


def message(**changes: Any) -> dict[str, Any]:
    """A good launch message, with changes; a value of `...` takes the key out."""
    values = {
        "launchId": LAUNCH_ID,
        "attempt": 1,
        "taskToken": "token",
        "runSheet": f"s3://{RESULTS_BUCKET}/run-1.json",
        "subnets": ["subnet-0123456789abcdef0"],
        "securityGroups": ["sg-0123456789abcdef0"],
        "container": "launcher",
        "role": ROLE,
        **changes,
    }
    return {key: value for key, value in values.items() if value is not ...}


def task_detail(arn: str, status: str = "STOPPED", **changes: Any) -> dict[str, Any]:
    """What ECS says of a task."""
    container = {"name": "launcher", **({"exitCode": changes.pop("exitCode")} if "exitCode" in changes else {})}
    return {
        "taskArn": arn,
        "clusterArn": CLUSTER,
        "startedBy": f"{LAUNCH_ID}-1",
        "lastStatus": status,
        "containers": [container | changes.pop("container", {})],
        **changes,
    }


def task_event(arn: str, status: str = "STOPPED", **changes: Any) -> dict[str, Any]:
    """An event of it."""
    return {"detail-type": "ECS Task State Change", "detail": task_detail(arn, status, **changes)}


@dataclass
class FakeEcs:
    """Answers RunTask as it is told to, else with a task."""

    refusals: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    described: list[dict[str, Any]] = field(default_factory=list)
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(InvalidParameterException=KeyError))

    def run_task(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        refusal = self.refusals.pop(0) if self.refusals else None
        if isinstance(refusal, tuple):
            code, text, *tasks = refusal
            answer: Any = {"Error": {"Code": code, "Message": text}, **({"resourceIds": tasks} if tasks else {})}
            raise ClientError(answer, "RunTask")
        if refusal:
            return {"tasks": [], "failures": [{"reason": refusal}]}
        return {"tasks": [{"taskArn": f"arn:task/{request['clientToken']}"}], "failures": []}

    def stop_task(self, **request: Any) -> None:
        self.stopped.append(request["task"])

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        return {"tasks": [task for task in self.described if task["taskArn"] in tasks]}


@dataclass
class FakeStates:
    """Notes what it is answered with, and refuses when nobody waits."""

    answers: list[tuple[str, ...]] = field(default_factory=list)
    waits: bool = True
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(TaskDoesNotExist=KeyError, TaskTimedOut=KeyError, InvalidToken=KeyError)
    )

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's name
        self._answer(taskToken, "done", output)

    def send_task_failure(self, taskToken: str, error: str, cause: str) -> None:  # noqa: N803 - AWS's name
        self._answer(taskToken, error, cause)

    def _answer(self, *answer: str) -> None:
        if not self.waits:
            raise KeyError
        self.answers.append(answer)


@dataclass
class Platform:
    """What a test gives and sees."""

    repository: LaunchRepository
    ecs: FakeEcs
    states: FakeStates
    queue: str
    dead_letters: str
    notices: str

    def broker(self, *bodies: Any, delivery: int = 1) -> list[str]:
        """Deliver messages to the broker; the numbers of those that are to come again."""
        sqs = boto3.client("sqs")
        records = []
        for number, body in enumerate(bodies):
            text = body if isinstance(body, str) else json.dumps(body)
            sqs.send_message(QueueUrl=self.queue, MessageBody=text)
            (got,) = sqs.receive_message(QueueUrl=self.queue)["Messages"]
            attributes = {"ApproximateReceiveCount": str(delivery)}
            handle = got["ReceiptHandle"]
            records.append({"messageId": str(number), "body": text, "receiptHandle": handle, "attributes": attributes})
        answer = start_launcher.handler({"Records": records}, CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def notifier(self, *events: Any) -> list[str]:
        """Deliver task events to the notifier; the numbers of those that are to come again."""
        records = [
            {"messageId": str(number), "body": json.dumps(event), "eventSource": "aws:sqs"}
            for number, event in enumerate(events)
        ]
        answer = follow_launcher.handler({"Records": records}, CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def recorder(self, *said: Any, sender: str) -> list[str]:
        """Deliver what somebody said to the recorder; the numbers of those that are to come again."""
        records = [
            {
                "messageId": str(number),
                "body": text if isinstance(text, str) else json.dumps(text),
                "attributes": {"SenderId": sender},
                "eventSource": "aws:sqs",
            }
            for number, text in enumerate(said)
        ]
        answer = record_jobs.handler({"Records": records}, CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def tasks(self) -> list[dict[str, Any]]:
        """The task table's items, but for the launcher's own."""
        items = boto3.resource("dynamodb").Table("launch-tasks").scan()["Items"]
        return [dict(item) for item in items if str(item["taskId"]).startswith("job#")]

    def received(self, queue: str) -> list[dict[str, Any]]:
        """What lies in a queue."""
        got = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(got.get("Messages", []))

    def launch(self) -> dict[str, Any]:
        """The launch's item."""
        return dict(boto3.resource("dynamodb").Table("launches").get_item(Key={"launchId": LAUNCH_ID})["Item"])

    def wrote(self, type_: str | None, text: str = "", failed: int = 0, warnings: Sequence[str] = ()) -> None:
        """The launcher left its outcome."""
        boto3.client("s3").put_object(
            Bucket=RESULTS_BUCKET,
            Key=f"results/{LAUNCH_ID}/launcher/outcome-1.json",
            Body=json.dumps({"type": type_, "message": text, "jobs": {"failed": failed}, "warnings": [*warnings]}),
        )


@pytest.fixture
def platform(repository: LaunchRepository, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Given: a Snakemake launch that runs its first attempt."""
    s3, sns, sqs = boto3.client("s3"), boto3.client("sns"), boto3.client("sqs")
    for bucket in (LAUNCH_BUCKET, DATA_BUCKET, RESULTS_BUCKET):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue, dead, notices = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("launches", "dead", "told"))
    arn = sqs.get_queue_attributes(QueueUrl=notices, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for name, value in {
        "LAUNCH_BUCKET": LAUNCH_BUCKET,
        "DATA_BUCKET": DATA_BUCKET,
        "RESULTS_BUCKET": RESULTS_BUCKET,
        "WRITABLE_BUCKETS": "lab-data",
        "ENGINES": json.dumps({"tibanna": {"containerImage": "image:1", "logBucket": "logs"}}),
        "PLACEMENTS": json.dumps({"queues": "queue", "zones": {"a": "subnet-1"}}),
        "CLUSTER": CLUSTER,
        "TASK_DEFINITION": "launcher:1",
        "LAUNCH_QUEUE": queue,
        "RECORD_QUEUE": "https://sqs/records",
        "DEAD_LETTER_QUEUE": dead,
        "NOTIFICATION_TOPIC": topic,
        "JOB_LOG_GROUP": "/jobs",
    }.items():
        monkeypatch.setenv(name, value)
    for module in (start_launcher, follow_launcher, record_jobs, watch_launchers, prepare_snakemake):
        module.settings.cache_clear()
    ecs, states = FakeEcs(), FakeStates()
    monkeypatch.setattr(run_task, "_client", lambda: ecs)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(answers, "_client", lambda: states)
    platform = Platform(repository, ecs, states, queue, dead, notices)
    launch = Launch(
        launch_id=LAUNCH_ID,
        name="exome",
        status=Status.SUBMITTED,
        submitted_at="2026-11-21T04:00:00.000Z",
        workflow="snakemake",
        data_path=f"s3://{DATA_BUCKET}/exome/",
        config_json=json.dumps(
            {
                "name": "exome",
                "workflow": "snakemake",
                "data": "exome",
                "snakemake": {"snakefile": "workflows/exome/Snakefile"},
            }
        ),
    )
    repository.register(launch, "fingerprint")
    repository.claim(LAUNCH_ID, "execution")
    return platform
