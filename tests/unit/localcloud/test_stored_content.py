"""An object's content without a request."""

import pytest
from ministack.services import s3

from localcloud.ministack_adapter import ARCHIVE_STATUS, stored_content


@pytest.mark.parametrize(
    ("record", "content"),
    [
        ({"body": b"x"}, b"x"),
        ({"body": b"x", "storage_class": "STANDARD_IA"}, b"x"),
        ({"body": b"x", "storage_class": "GLACIER"}, None),
        ({"body": b"x", "storage_class": "DEEP_ARCHIVE"}, None),
        ({"body": b"x", "storage_class": "INTELLIGENT_TIERING", ARCHIVE_STATUS: "ARCHIVE_ACCESS"}, None),
    ],
)
def test_what_lies_in_an_archive_has_to_be_asked_for(monkeypatch, record, content):
    monkeypatch.setitem(s3._buckets, "b", {"objects": {"k": record}})
    assert stored_content("b", "k") == content
    assert stored_content("b", "other") is None
    assert stored_content("other", "k") is None
