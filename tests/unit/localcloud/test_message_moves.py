"""Dead letters are moved as SQS moves them, and refused as SQS refuses it."""

import json
import time

import pytest

from localcloud.service import ServiceError
from localcloud.sqs import SqsService

PREFIX = "arn:aws:sqs:us-east-1:000000000000:"


class Queues:
    """Queues as ministack keeps them: `work` has the dead-letter queue `dead`, `other` has none."""

    def __init__(self):
        self.queues = {name: self.make(name) for name in ("work", "dead", "other")}
        policy = {"deadLetterTargetArn": PREFIX + "dead", "maxReceiveCount": 5}
        self.queues["work"]["attributes"]["RedrivePolicy"] = json.dumps(policy)

    @staticmethod
    def make(name):
        return {"name": name, "url": f"http://sqs/0/{name}", "attributes": {"QueueArn": PREFIX + name}, "messages": []}

    def put(self, body, source=None, hidden=False):
        sys = {"DeadLetterQueueSourceArn": PREFIX + source} if source else {}
        message = {"id": body, "body": body, "visible_at": time.time() + 60 * hidden, "receive_count": 3, "sys": sys}
        self.queues["dead"]["messages"].append(message)

    def bodies(self, name):
        return [message["body"] for message in self.queues[name]["messages"]]

    def message_queue(self, arn):
        return self.queues.get(arn.removeprefix(PREFIX))

    def message_queues(self):
        return list(self.queues.values())


@pytest.fixture
def queues():
    return Queues()


@pytest.fixture
def moves(queues):
    return SqsService(queues)


def started(moves, **request):
    return moves.call("StartMessageMoveTask", {"SourceArn": PREFIX + "dead", **request})


def newest(moves, source="dead"):
    results = moves.call("ListMessageMoveTasks", {"SourceArn": PREFIX + source})["Results"]
    return results[0] if results else None


def ended(moves):
    deadline = time.monotonic() + 10
    while (task := newest(moves))["Status"] in ("RUNNING", "CANCELLING"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return task


def test_the_queues_that_have_a_dead_letter_queue_are_told(moves):
    def of(name):
        return moves.call("ListDeadLetterSourceQueues", {"QueueUrl": f"http://elsewhere/0/{name}"})["queueUrls"]

    assert (of("dead"), of("work")) == (["http://sqs/0/work"], [])


def test_what_sqs_moved_there_goes_back_and_is_new(moves, queues):
    queues.put("a", source="work")
    queues.put("b", source="work")

    started(moves)
    task = ended(moves)

    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["FailureReason"]) == ("COMPLETED", 2, None)
    assert task["TaskHandle"] is None
    assert (queues.bodies("dead"), queues.bodies("work")) == ([], ["a", "b"])
    (first, _) = queues.queues["work"]["messages"]
    assert first["id"] != "a"
    assert first["receive_count"] == 0
    assert "DeadLetterQueueSourceArn" not in first["sys"]


def test_what_was_put_there_directly_fails_the_move_unless_a_destination_is_given(moves, queues):
    queues.put("a", source="work")
    queues.put("put by a rule")

    started(moves)
    task = ended(moves)

    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert (queues.bodies("dead"), task["ApproximateNumberOfMessagesMoved"]) == (["put by a rule"], 1)

    started(moves, DestinationArn=PREFIX + "work")

    assert ended(moves)["Status"] == "COMPLETED"
    assert (queues.bodies("dead"), queues.bodies("work")) == ([], ["a", "put by a rule"])


def test_what_somebody_is_looking_at_stays(moves, queues):
    queues.put("a", source="work", hidden=True)

    started(moves)

    assert ended(moves)["ApproximateNumberOfMessagesMoved"] == 0
    assert queues.bodies("dead") == ["a"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"SourceArn": PREFIX + "other"}, "InvalidParameterValue"),
        ({"SourceArn": PREFIX + "work"}, "InvalidParameterValue"),
        ({"SourceArn": PREFIX + "nowhere"}, "ResourceNotFoundException"),
        ({"DestinationArn": PREFIX + "nowhere"}, "ResourceNotFoundException"),
        ({"DestinationArn": PREFIX + "dead"}, "InvalidParameterValue"),
    ],
)
def test_what_sqs_refuses_is_refused(moves, queues, request_, code):
    with pytest.raises(ServiceError) as refused:
        started(moves, **request_)

    assert refused.value.code == code
    assert newest(moves) is None


def test_a_queue_has_one_active_move_which_can_be_cancelled(moves, queues):
    for number in range(3):
        queues.put(str(number), source="work")
    handle = started(moves, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert newest(moves)["Status"] == "RUNNING"
    assert newest(moves)["TaskHandle"] == handle

    with pytest.raises(ServiceError, match="already a task running"):
        started(moves)
    moves.call("CancelMessageMoveTask", {"TaskHandle": handle})

    assert ended(moves)["Status"] == "CANCELLED"
    assert queues.bodies("dead")
