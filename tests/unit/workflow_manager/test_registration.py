"""What a dropped file becomes, and the names this gives it."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.contract.launch import Status
from genolaunch.contract.project import run_name
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile
from lambdas.workflow_manager.registration import fingerprint, launch_of

DROP = Drop(
    bucket="launches",
    key="launches/height.yaml",
    time=datetime(2026, 11, 21, 4, tzinfo=UTC),
    version_id=None,
    etag="etag",
    sequencer="01",
    requested_by="ada",
)
FILE = DroppedFile(size=1, content=b"x", submission_id=None)


@given(key=st.text(max_size=80), content=st.binary(max_size=40))
def test_any_key_and_content_give_a_launch_id_that_every_service_takes(key, content):
    launch = launch_of(replace(DROP, key=f"launches/{key}.yaml"), replace(FILE, content=content), data_bucket="data")

    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,54}", launch.launch_id)
    assert launch.launch_id[-25:-8] == "-20261121t040000-"
    # FSx's ClientRequestToken has at most 63 characters.
    assert len(run_name(launch.launch_id, 9_999_999)) <= 63
    assert launch.status == Status.REJECTED


@pytest.mark.parametrize("change", [{"sequencer": "02"}, {"etag": "other"}, {"version_id": "v"}, {"bucket": "other"}])
def test_another_put_is_another_launch(change):
    first = launch_of(DROP, FILE, data_bucket="data")

    assert launch_of(DROP, FILE, data_bucket="data").launch_id == first.launch_id
    assert launch_of(replace(DROP, **change), FILE, data_bucket="data").launch_id != first.launch_id


def test_the_fingerprint_is_that_of_bucket_key_and_bytes():
    first = fingerprint(DROP, FILE)

    assert fingerprint(replace(DROP, sequencer="02", version_id="v"), FILE) == first
    assert fingerprint(replace(DROP, key="launches/other.yaml"), FILE) != first
    assert fingerprint(DROP, replace(FILE, content=b"y")) != first
