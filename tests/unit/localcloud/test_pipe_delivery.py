"""Pipes: filter, template, order, retries and dead letters."""

import json
import threading
from queue import SimpleQueue
from typing import Any

import pytest

from localcloud.pipe_delivery import Deliverer, Poller, fill

TARGET = "arn:aws:states:us-east-1:000000000000:stateMachine:launch"
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"


def record(number: int, status: str = "SUBMITTED") -> dict[str, Any]:
    image = {"launchId": {"S": f"launch-{number}"}, "status": {"S": status}, "attempt": {"N": "1"}}
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}


class FakeStream:
    """A stream with a position; a pattern is the status it matches."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)
        self.position = 0

    def next_records(self, _pipe: dict[str, Any]) -> list[dict[str, Any]]:
        return self.records[self.position :]

    def pass_records(self, _pipe: dict[str, Any], count: int) -> None:
        self.position += count

    def matches(self, pattern: str, one: dict[str, Any]) -> bool:
        return bool(one["dynamodb"]["NewImage"]["status"]["S"] == pattern)


class Target:
    """Refuses the first `refusals` deliveries to the target."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.sent: list[tuple[str, Any]] = []

    def __call__(self, arn: str, text: str) -> None:
        if arn == TARGET and self.refusals:
            self.refusals -= 1
            raise RuntimeError("throttled")
        self.sent.append((arn, json.loads(text)))


def pipe(**stream: Any) -> dict[str, Any]:
    return {
        "Name": "launches",
        "Arn": "arn:pipe",
        "Source": "arn:stream",
        "Target": TARGET,
        "SourceParameters": {
            "FilterCriteria": {"Filters": [{"Pattern": "SUBMITTED"}]},
            "DynamoDBStreamParameters": {"BatchSize": 1, "DeadLetterConfig": {"Arn": DEAD}, **stream},
        },
        "TargetParameters": {"InputTemplate": '{"launchId": "<$.dynamodb.NewImage.launchId.S>"}'},
    }


def deliver(stream: FakeStream, target: Target, **parameters: Any) -> None:
    Deliverer(stream, target, pause=lambda _seconds: None).deliver(pipe(**parameters))


def test_each_matching_record_is_one_input_array_in_order() -> None:
    stream, target = FakeStream(record(1), record(2, "RUNNING"), record(3)), Target()

    deliver(stream, target)

    assert target.sent == [(TARGET, [{"launchId": "launch-1"}]), (TARGET, [{"launchId": "launch-3"}])]
    assert stream.position == 3


def test_batches_hold_as_many_records_as_asked() -> None:
    target = Target()

    deliver(FakeStream(record(1), record(2), record(3)), target, BatchSize=2)

    assert [len(payload) for _, payload in target.sent] == [2, 1]


def test_refused_batch_is_tried_again() -> None:
    target = Target(refusals=2)

    deliver(FakeStream(record(1)), target, MaximumRetryAttempts=2)

    assert target.sent == [(TARGET, [{"launchId": "launch-1"}])]


def test_given_up_batch_leaves_a_pointer_in_the_dead_letters_and_the_next_is_delivered() -> None:
    stream, target = FakeStream(record(1), record(2)), Target(refusals=2)

    deliver(stream, target, MaximumRetryAttempts=1)

    (queue, letter), (_, payload) = target.sent
    assert queue == DEAD
    assert letter["DDBStreamBatchInfo"]["startSequenceNumber"] == "1"
    assert payload == [{"launchId": "launch-2"}]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"id": "<$.dynamodb.NewImage.launchId.S>"}', {"id": "launch-1"}),
        ('{"image": <$.dynamodb.NewImage.attempt>}', {"image": {"N": "1"}}),
        ('{"none": <$.dynamodb.Nothing>, "text": "<$.dynamodb.Nothing>"}', {"none": None, "text": ""}),
        ('{"inside": "launch <$.dynamodb.NewImage.launchId.S>!"}', {"inside": "launch launch-1!"}),
        ("<$.eventName>", "INSERT"),
    ],
)
def test_template_is_filled(template: str, expected: object) -> None:
    assert fill(template, record(1)) == expected


def test_text_with_quotes_stays_one_string() -> None:
    one = record(1)
    one["dynamodb"]["NewImage"]["launchId"]["S"] = 'a "b"'

    assert fill('{"id": "<$.dynamodb.NewImage.launchId.S>"}', one) == {"id": 'a "b"'}


def test_a_write_is_delivered_at_once_without_waiting_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.pipe_delivery.IDLE_SECONDS", 3600)
    looks: SimpleQueue[None] = SimpleQueue()
    written = threading.Event()
    Poller(lambda: looks.put(None), written).start()
    looks.get(timeout=60)

    for _ in range(3):
        written.set()

        looks.get(timeout=60)
