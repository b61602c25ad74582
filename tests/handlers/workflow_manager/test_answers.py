"""Every drop is answered: whatever is in the file, whatever fails at it; of quick puts, the last one's answer stays."""

import itertools
import json
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.events import MOST_RECEIVES
from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.contract.metrics import Metric
from genolaunch.shared import aws
from lambdas.workflow_manager import dropped_file, register_launch, registration
from lambdas.workflow_manager.dropped_file import is_later

from .conftest import CONTEXT, GOOD, LAUNCH_BUCKET, Platform
from .test_register_launch import FIVE_FAULTS

KEY, ANSWER = "launches/height.yaml", "feedback/height.yaml.json"


class Refusing:
    """S3, of which one operation is refused."""

    def __init__(self, operation: str, code: str) -> None:
        self._client, self._operation, self._code = boto3.client("s3"), operation, code

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)
        return self._refuse

    def _refuse(self, **given: Any) -> Any:
        if given["Key"].startswith("feedback/"):
            return getattr(self._client, self._operation)(**given)
        raise ClientError({"Error": {"Code": self._code, "Message": "injected"}}, self._operation)


def use(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    """Given: the functions have this client of S3."""
    real = aws.client
    client = Mock(side_effect=lambda service: s3 if service == "s3" else real(service))
    monkeypatch.setattr(aws, "client", client)


def refuse(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Given: S3 refuses to give the dropped file."""
    use(monkeypatch, Refusing("get_object", code))


def deliver(receives: int, *records: dict[str, Any]) -> dict[str, Any]:
    """One message, received for the n-th time."""
    message = {
        "messageId": "m",
        "body": json.dumps({"Records": records}),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }
    answer: dict[str, Any] = register_launch.handler({"Records": [message]}, CONTEXT)
    return answer


# --- which put is answered -------------------------------------------------------------------------------------------
def three_puts(platform: Platform) -> list[dict[str, Any]]:
    """Given: three versions of a file, the second with faults."""
    bodies = (GOOD, FIVE_FAULTS, GOOD.replace("height-gwas", "third"))
    records = [platform.put(KEY, body) for body in bodies]
    for record, sequencer in zip(
        records, ("0055AED6DCD90281E5", "0055AED6DCD90281E6", "0055AED6DCD90281E7"), strict=True
    ):
        record["s3"]["object"]["sequencer"] = sequencer
    return records


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_three_quick_puts_the_last_ones_answer_stays(platform, order):
    records = three_puts(platform)

    for number in (*order, *order, order[0]):  # each twice, and one three times
        assert platform.register(records[number]) == {"batchItemFailures": []}

    answer = platform.feedback(ANSWER)
    third = next(launch for launch in platform.launches() if launch.name == "third")
    assert (answer["accepted"], answer["launchId"]) == (True, third.launch_id)
    assert answer["object"]["sequencer"] == "0055AED6DCD90281E7"
    assert answer["object"]["versionId"] == records[2]["s3"]["object"]["versionId"]
    assert sorted(launch.status for launch in platform.launches()) == ["REJECTED", "SUBMITTED", "SUBMITTED"]


def test_an_answer_to_a_later_put_that_is_written_between_reading_and_writing_stays(platform, monkeypatch):
    first, _, third = three_puts(platform)
    s3 = boto3.client("s3")
    raced: list[str] = []

    class Racing:
        """S3, in which the third put is answered just before the first one's answer is put."""

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def put_object(self, **given: Any) -> Any:
            if not raced:
                raced.append(given["IfNoneMatch"])
                platform.register(third)
            if given.get("IfNoneMatch") and s3.list_objects_v2(Bucket=LAUNCH_BUCKET, Prefix=given["Key"])["KeyCount"]:
                raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "412"}}, "PutObject")
            return s3.put_object(**given)

    use(monkeypatch, Racing())
    platform.register(first)

    assert raced == ["*"]
    assert platform.feedback(ANSWER)["object"]["sequencer"] == "0055AED6DCD90281E7"


@pytest.mark.parametrize(
    ("theirs", "ours", "later"),
    [
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),
        ("0055aed6dcd90281e6", "0055AED6DCD90281E5", True),
        # The shorter one is filled up with zeros at its end.
        ("0055AED6DCD90281E501", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E501", False),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E501", True),
        ("0055AED6DCD90281E500", "0055AED6DCD90281E5", False),
        (None, "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E5", None, False),
        (17, "0055AED6DCD90281E5", False),
    ],
)
def test_sequencers_say_which_put_is_later(platform, theirs, ours, later):
    record = platform.put(KEY, GOOD)
    record["s3"]["object"]["sequencer"] = ours
    (drop,) = dropped_file.drops(json.dumps({"Records": [record]}))

    assert is_later({"key": KEY, "sequencer": theirs}, drop) is later
    assert is_later({"key": "launches/other.yaml", "sequencer": "F" * 20}, drop) is False
    assert is_later(None, drop) is False


@pytest.mark.parametrize("there", [b"", b"[]", b"{", b'{"object": []}', b"\xff"])
def test_an_answer_that_nobody_can_read_is_replaced(platform, there):
    boto3.client("s3").put_object(Bucket=LAUNCH_BUCKET, Key=ANSWER, Body=there)

    assert platform.register(platform.put(KEY, GOOD)) == {"batchItemFailures": []}

    assert platform.feedback(ANSWER)["accepted"] is True


# --- what fails at a file --------------------------------------------------------------------------------------------
class OddError(Exception):
    """Nobody expects it."""


@pytest.mark.parametrize("raised", [KeyError("height"), RecursionError(), OddError("ldl"), TypeError(), MemoryError()])
def test_whatever_reading_a_file_raises_is_an_answer_a_notice_and_an_alarm(platform, monkeypatch, capsys, raised):
    def read(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(registration, "read_config", read)

    assert platform.register(platform.put(KEY, GOOD)) == {"batchItemFailures": []}

    (launch,) = platform.launches()
    assert (launch.status, launch.error["type"]) == (Status.REJECTED, ErrorType.PLATFORM)
    answer = platform.feedback(ANSWER)
    (fault,) = answer["faults"]
    assert f"the platform failed ({type(raised).__name__}), which is not your fault" in fault["problem"]
    (notice,) = platform.notices()
    assert "The launch config has 1 fault." in notice["Message"]
    assert "the people who run it were told" in fault["remedy"].lower()
    told = capsys.readouterr().out
    assert f'"{Metric.PLATFORM_FAULTS}"' in told
    assert "height" not in told.replace(KEY, "").replace("height-2026", "")  # an error may quote the file
    assert "ldl" not in told


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("InvalidObjectState", "is archived"),
        ("InvalidRequest", "SSE-C"),
        ("KMS.DisabledException", "KMS key that cannot be used"),
        ("KMS.KMSInvalidStateException", "KMS key that cannot be used"),
    ],
)
@pytest.mark.parametrize("key", [KEY, "snakefiles/calls/Snakefile"])
def test_a_file_that_nobody_can_read_as_it_is_is_refused(platform, monkeypatch, key, code, problem):
    record = platform.put(key, GOOD)
    refuse(monkeypatch, code)

    assert platform.register(record) == {"batchItemFailures": []}

    (launch,) = platform.launches()
    (fault,) = platform.feedback(f"feedback/{key.removeprefix('launches/')}.json")["faults"]
    assert launch.status is Status.REJECTED
    assert problem in fault["problem"]


def test_what_fails_for_the_last_time_is_answered_and_again_when_it_is_mended(platform, monkeypatch):
    record = platform.put(KEY, GOOD)
    with monkeypatch.context() as broken:
        refuse(broken, "AccessDenied")
        for receives in range(1, MOST_RECEIVES):
            assert deliver(receives, record) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
            assert platform.feedback_keys() == []
        assert deliver(MOST_RECEIVES, record) == {"batchItemFailures": [{"itemIdentifier": "m"}]}

    (fault,) = platform.feedback(ANSWER)["faults"]
    assert "the platform failed 5 times (ClientError)" in fault["problem"]
    assert "do not drop it again" in fault["remedy"]

    # When the cause is mended, and the dead letter is moved back
    assert deliver(1, record) == {"batchItemFailures": []}
    assert platform.feedback(ANSWER)["accepted"] is True


def test_an_event_that_comes_again_and_fails_leaves_the_answer_to_its_put(platform, monkeypatch):
    record = platform.put(KEY, GOOD)
    platform.register(record)
    refuse(monkeypatch, "AccessDenied")

    deliver(MOST_RECEIVES, record)

    assert platform.feedback(ANSWER)["accepted"] is True


def test_a_file_that_fails_keeps_no_other_of_its_message_from_being_registered(platform):
    bad, good = platform.put("launches/bad.yaml", GOOD), platform.put(KEY, GOOD)
    bad["s3"]["bucket"]["name"] = "a-bucket-that-is-not-there"

    assert deliver(1, bad, good) == {"batchItemFailures": [{"itemIdentifier": "m"}]}

    assert platform.feedback(ANSWER)["accepted"] is True


# --- keys of which no answer can be called ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "subject"),
    [(GOOD, "a file was accepted"), (FIVE_FAULTS, "was rejected")],
)
def test_an_answer_without_a_key_is_told_by_notice(platform, body, subject):
    key = f"launches/{'a' * (1024 - len('launches/.yaml'))}.yaml"

    assert platform.register(platform.put(key, body)) == {"batchItemFailures": []}

    (launch,) = platform.launches()
    assert platform.feedback_keys() == []
    notices = platform.notices()
    assert any(subject in notice["Subject"] for notice in notices)
    if body == GOOD:
        (notice,) = notices
        assert notice["Facts"]["answer"]["launchId"] == launch.launch_id
        assert notice["Facts"]["answer"]["object"]["key"] == key
        assert "give the file a shorter name" in notice["Message"]


def test_a_stray_without_a_key_for_its_answer_is_told_by_notice(platform):
    key = "ä" * 510 + ".yaml"[: 1024 - 1020]
    event = {
        "detail-type": "Object Created",
        "time": "2026-11-21T04:00:00Z",
        "detail": {"bucket": {"name": LAUNCH_BUCKET}, "object": {"key": key, "sequencer": "1"}},
    }

    assert platform.deliver(event) == {"batchItemFailures": []}

    (notice,) = platform.notices()
    assert notice["Subject"] == "Genolaunch test: a file was refused"
    assert "is in a place from which nothing is launched" in notice["Message"]
    assert platform.feedback_keys() == []


def test_a_file_called_like_a_request_or_a_snakefile_does_not_replace_its_answer(platform):
    """Whoever may drop launches could else take the answer from another's request, which would be done again then."""
    names = ["requests/height-1/1.json", "snakefiles/exome/Snakefile", "launches/height.yaml", "height.yaml"]
    keys = [*(f"launches/{name}" for name in names), *names[:2]]

    assert len({feedback_key(key) for key in keys}) == len(keys)
    platform.register(platform.put("launches/requests/height-1/1.json", "{}"))
    assert platform.feedback_keys() == ["feedback/launches/requests/height-1/1.json.json"]
