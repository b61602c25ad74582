"""S3's events of the embedded cloud have the keys and types of AWS's own: ministack's, as they are handed on."""

import json
import time

import pytest
from ministack.services import eventbridge, s3

from localcloud import ministack_adapter
from localcloud.s3_events import as_aws_tells
from tests.documented_events import differences, documented

BUCKET, KEY = "data", "a b+c größe.yaml"


@pytest.fixture
def told(monkeypatch):
    """What ministack tells of an object of a bucket that keeps versions, by (kind, what it hands on)."""
    record = {"version_id": "v1", "storage_class": "GLACIER", "restore": {"expires_at": time.time() + 86_400}}
    queue = {"type": "sqs", "arn": "arn", "events": ["s3:*"], "filter_prefix": "", "filter_suffix": ""}
    found = {}

    def to_bus(event):
        found[event["DetailType"]] = as_aws_tells(event, lambda *_: record, ministack_adapter.restore_expiry)

    monkeypatch.setattr(s3, "_parse_notification_config", lambda bucket: [{**queue, "id": "drops"}])
    monkeypatch.setattr(s3, "_bucket_notifications", {BUCKET: "<EventBridgeConfiguration/>"})
    monkeypatch.setattr(s3, "_notification_bucket_region", lambda bucket: "us-east-1")
    monkeypatch.setattr(s3, "_deliver_event_to_sqs", lambda arn, payload, *_, **__: found.update(notified=payload))
    monkeypatch.setattr(eventbridge, "_dispatch_event", to_bus)
    return found


def test_a_put_is_told_to_the_bus_and_to_a_queue(told):
    s3._fire_s3_event(BUCKET, KEY, "s3:ObjectCreated:Put", 5, '"b1946"', version_id="v1", sequencer="0055AED6")

    event, sample = told["Object Created"], documented("s3-object-created")
    detail = json.loads(event["Detail"])
    assert differences(detail, sample["detail"]) == []
    assert (detail["object"]["key"], detail["object"]["version-id"]) == (KEY, "v1")
    notification = told["notified"]
    assert differences(notification, documented("s3-notification")) == []
    # There alone keys are encoded
    assert notification["Records"][0]["s3"]["object"]["key"] == "a+b%2Bc+gr%C3%B6%C3%9Fe.yaml"


def test_the_end_of_a_restore_is_told_to_the_bus(told):
    s3._fire_s3_event(BUCKET, KEY, "s3:ObjectRestore:Completed", 5, '"b1946"', restore_event_data={"a": "b"})

    detail = json.loads(told["Object Restore Completed"]["Detail"])
    assert differences(detail, documented("s3-object-restore-completed")["detail"]) == []
    assert (detail["object"]["key"], detail["source-storage-class"]) == (KEY, "GLACIER")


def test_events_of_others_are_handed_on_as_they_are():
    event = {"Source": "genolaunch", "DetailType": "Object Created", "Detail": "{}"}

    assert as_aws_tells(event, lambda *_: None, lambda _: None) == event
