"""complete_restores on S3's event as AWS documents it."""

import json

import pytest

from genolaunch.contract.launch import Status
from lambdas.restore import complete_restores
from tests.documented_events import documented
from tests.handlers.restore.conftest import context

KEYS = ["cohort/a.bed", "cohort/größe + 100%.bim"]


def complete(*events):
    batch = documented("lambda-sqs-batch")
    (message,) = batch["Records"]
    batch["Records"] = [
        {**message, "messageId": f"m{number}", "body": json.dumps(event)} for number, event in enumerate(events)
    ]
    return complete_restores.handler(batch, context())


def restored(key, **changes):
    """Keys are as they are, not encoded as in S3's own notifications."""
    return documented("s3-object-restore-completed", detail__bucket__name="data", detail__object__key=key, **changes)


@pytest.fixture
def waiting(restores):
    """Given: a launch that waits for two archived objects."""
    for key in KEYS:
        restores.s3.add(key, storage_class="GLACIER")
    restores.wait()
    restores.request()
    return restores


def test_the_last_object_makes_the_launch_ready(waiting):
    assert complete(restored(KEYS[0])) == {"batchItemFailures": []}
    assert waiting.status() is Status.WAITING

    assert complete(restored(KEYS[1]), restored(KEYS[0])) == {"batchItemFailures": []}
    assert waiting.status() is Status.READY


def test_an_object_of_intelligent_tiering_has_no_copy_that_expires(waiting):
    events = [restored(key, detail__source_storage_class="INTELLIGENT_TIERING") for key in KEYS]
    for event in events:
        del event["detail"]["restore-expiry-time"]
        del event["detail"]["object"]["version-id"]

    assert complete(*events) == {"batchItemFailures": []}
    assert waiting.status() is Status.READY


def test_other_events_and_other_buckets_change_nothing(waiting):
    other = documented("s3-object-restore-completed", detail__object__key=KEYS[0])

    assert complete(other, documented("s3-test-notification")) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert waiting.status() is Status.WAITING
