"""What a restore costs per object: API calls, table writes, time of the functions, and their memory.

    python -m benchmarks.restore [--objects 1000 10000 100000]

The functions run as they are, one after another in a process of their own for each size, with the tables, the queue and
real AWS clients of the embedded cloud. S3 alone is simulated, since a hundred thousand objects would be its work and
not theirs: it lists them in pages, accepts every restore, and tells of each by an event. So the times leave out S3's
part (some 50 ms for each RestoreObject, ten at a time).
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.tasks import TaskField
from genolaunch.contract.usage import UsageField

SIZES: Final = (1_000, 10_000, 100_000)
_BUCKET: Final = "data"
_LAUNCH_ID: Final = "benchmark-20261121t040000-1a2b3c4d"
_CONFIG_KEY: Final = f"restores/{_LAUNCH_ID}/1.json"
_OBJECT_BYTES: Final = 1 << 20
_EVENTS: Final = 1000
"""Of one invocation, as the event source mapping has it."""


class SimulatedS3:
    """Objects that exist by their number only, so that they take no memory."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        self.calls: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}

    def list_objects_v2(self, *, StartAfter: str, **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls["ListObjectsV2"] += 1
        start = int(StartAfter.rpartition("/")[2]) + 1 if StartAfter else 0
        stop = min(start + 1000, self.objects)
        entries = [
            {"Key": key_of(number), "Size": _OBJECT_BYTES, "StorageClass": "GLACIER"} for number in range(start, stop)
        ]
        return {"Contents": entries, "IsTruncated": stop < self.objects}

    def restore_object(self, **_: object) -> dict[str, Any]:
        self.calls["RestoreObject"] += 1
        return {"ResponseMetadata": {"HTTPStatusCode": 202}}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803 - boto3's names
        self.files[Key] = Body

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"Body": io.BytesIO(self.files[Key])}


def key_of(number: int) -> str:
    """The key of an object."""
    return f"cohort/{number:08}"


class Run:
    """One restore, measured."""

    def __init__(self, objects: int) -> None:
        from genolaunch.shared import aws

        self.objects = objects
        self.s3 = SimulatedS3(objects)
        self.calls: Counter[str] = Counter()
        self.writes = 0
        self.seconds: Counter[str] = Counter()
        make = aws.client.__wrapped__

        @cache
        def counted(service: str) -> Any:  # noqa: ANN401 - as aws.client
            if service == "s3":
                return self.s3
            client = make(service)
            client.meta.events.register("before-parameter-build", self._count)
            return client

        aws.client = counted

    def measure(self) -> dict[str, Any]:
        """Restore everything, and answer with the numbers."""
        from genolaunch.shared import aws
        from lambdas.restore import complete_restores, find_archived, index_objects, request_restores
        from lambdas.shared.launch import Launch
        from lambdas.shared.launch_repository import LaunchRepository

        queue = self._make_places()
        repository = LaunchRepository(os.environ["LAUNCH_TABLE"], os.environ["TASK_TABLE"])
        repository.register(
            Launch(
                launch_id=_LAUNCH_ID,
                name="benchmark",
                status=Status.SUBMITTED,
                submitted_at="2026-11-21T04:00:00.000Z",
                data_path=f"s3://{_BUCKET}/cohort/",
                config_json="{}",
            ),
            "benchmark",
        )
        repository.claim(_LAUNCH_ID, "execution")
        self.calls.clear()
        self.writes = 0
        self._call("find", find_archived.handler, {"launchId": _LAUNCH_ID, "executionArn": "execution"})
        cursor: dict[str, Any] | None = {}
        while cursor is not None:
            event = {"bucket": "launch-files", "key": _CONFIG_KEY, "cursor": cursor}
            cursor = self._call("index", index_objects.handler, event).get("cursor")
        for records in self._messages(aws.client("sqs"), queue):
            self._call("request", request_restores.handler, {"Records": records})
        for start in range(0, self.objects, _EVENTS):
            keys = map(key_of, range(start, min(start + _EVENTS, self.objects)))
            self._call("complete", complete_restores.handler, {"Records": list(map(_event, keys))})
        launch = repository.get(_LAUNCH_ID)
        if launch is None or launch.status is not Status.READY:
            raise RuntimeError(f"The launch is not READY: {launch}")
        calls = sum(self.calls.values()) + self.s3.calls.total() - self.s3.calls["RestoreObject"]
        return {
            "objects": self.objects,
            "restoreCallsPerObject": self.s3.calls["RestoreObject"] / self.objects,
            "otherCallsPerObject": calls / self.objects,
            "writesPerObject": self.writes / self.objects,
            "millisecondsPerObject": {name: 1000 * took / self.objects for name, took in self.seconds.items()},
            "peakMib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def _call(self, name: str, handler: Any, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a decorated function
        started = time.perf_counter()
        with redirect_stdout(io.StringIO()):  # logs and metrics
            answer: dict[str, Any] = handler(event, _CONTEXT)
        self.seconds[name] += time.perf_counter() - started  # type: ignore[assignment]  # a Counter adds floats, too
        if answer.get("batchItemFailures"):
            raise RuntimeError(f"{name} gave messages back")
        return answer

    def _messages(self, sqs: Any, queue: str) -> Iterator[list[dict[str, Any]]]:  # noqa: ANN401 - a client
        """One message after another, as the event source mapping gives them."""
        while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                yield [{"messageId": message["MessageId"], "body": message["Body"]}]
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def _count(self, params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's model
        if model.name in ("ReceiveMessage", "DeleteMessage"):  # Lambda's own part
            return
        self.calls[model.name] += 1
        if model.name == "TransactWriteItems":
            self.writes += len(params["TransactItems"])
        elif model.name in ("PutItem", "UpdateItem", "DeleteItem"):
            self.writes += 1

    def _make_places(self) -> str:
        """Tables and queue; the queue's URL."""
        from genolaunch.shared import aws

        dynamodb: Any = aws.client("dynamodb")
        tables = {
            os.environ["LAUNCH_TABLE"]: {LaunchField.LAUNCH_ID: "HASH"},
            os.environ["TASK_TABLE"]: {TaskField.LAUNCH_ID: "HASH", TaskField.TASK_ID: "RANGE"},
            os.environ["USAGE_TABLE"]: {UsageField.OWNER: "HASH", UsageField.USAGE_ID: "RANGE"},
        }
        for table, keys in tables.items():
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            )
        queue: str = aws.client("sqs").create_queue(QueueName=f"requests-{self.objects}")["QueueUrl"]
        os.environ["RESTORE_QUEUE"] = queue
        return queue


def _event(key: str) -> dict[str, str]:
    detail = {"bucket": {"name": _BUCKET}, "object": {"key": key, "size": _OBJECT_BYTES}}
    return {"messageId": key, "body": json.dumps({"detail-type": "Object Restore Completed", "detail": detail})}


_CONTEXT: Final = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:function",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 900_000,
)

_POLICY: Final = {"mixedTier": "Bulk", "days": 10, "mostBytes": 1 << 50, "mostUsd": 1e6}


def environment(endpoint_variables: dict[str, str], objects: int) -> dict[str, str]:
    """The functions' environment in a process of their own."""
    return {
        **os.environ,
        **endpoint_variables,
        "STAGE": "benchmark",
        "LAUNCH_TABLE": f"launches-{objects}",
        "TASK_TABLE": f"tasks-{objects}",
        "USAGE_TABLE": f"usage-{objects}",
        "LAUNCH_BUCKET": "launch-files",
        "RESTORE_QUEUE": "made-later",
        "RESTORE_POLICY": json.dumps(_POLICY),
        "NOTIFICATION_TOPIC": "nobody",
        "EVENT_BUS": "default",
        "POWERTOOLS_METRICS_NAMESPACE": "genolaunch",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }


def measure_all(sizes: list[int]) -> list[dict[str, Any]]:
    """One process for each size, so that its peak of memory is its own."""
    from genolaunch.local_stage import control

    results = []
    with tempfile.TemporaryDirectory() as folder:
        cloud = control.up(Path(folder), port=control.free_port())
        try:
            for objects in sizes:
                command = [sys.executable, "-m", "benchmarks.restore", "--measure", str(objects)]
                variables = environment(dict(cloud.environment()), objects)
                done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
                results.append(json.loads(done.stdout))
        finally:
            control.down(Path(folder))
    return results


def show(results: list[dict[str, Any]]) -> None:
    """A table; the columns ought not to grow downwards."""
    print("             calls per object        table writes   ms per object                           peak")
    print("  objects  RestoreObject   others     per object     find  index  request  complete  all  memory")
    for each in results:
        took = each["millisecondsPerObject"]
        print(
            f"{each['objects']:>9,}  {each['restoreCallsPerObject']:>13.3f}  {each['otherCallsPerObject']:>7.4f}"
            f"  {each['writesPerObject']:>13.3f}"
            f"  {took['find']:>7.3f}{took['index']:>7.2f}{took['request']:>9.2f}{took['complete']:>10.2f}"
            f"{sum(took.values()):>5.1f}  {each['peakMib']:>3.0f} MiB"
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="What a restore costs per object.")
    parser.add_argument("--objects", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(Run(options.measure).measure()))
        return
    results = measure_all(options.objects)
    print(json.dumps(results, indent=2)) if options.json else show(results)


if __name__ == "__main__":
    main()
