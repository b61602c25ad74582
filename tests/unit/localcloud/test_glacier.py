"""Restores on the embedded cloud: one thread for all of them, statuses in listings, and what goes wrong on request."""

import threading
import time
import xml.etree.ElementTree as ElementTree
from functools import partial

import pytest

from localcloud.glacier.faults import Faults
from localcloud.glacier.injection import glacier_injector
from localcloud.glacier.listing import asks_for_restore_status, with_restore_status
from localcloud.glacier.service import GlacierService
from localcloud.glacier.timer import Timer
from localcloud.injection import BadInjectionError
from localcloud.wire import Request

LISTING = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Contents><Key>a%20b</Key></Contents><Contents><Key>c</Key></Contents></ListBucketResult>"""


def test_a_thousand_restores_wait_on_one_thread_and_end_in_order():
    timer, ended, done = Timer(), list[int](), threading.Event()
    before = threading.active_count()
    now = time.time()

    def end(number: int) -> None:
        ended.append(number)
        if len(ended) == 1000:
            done.set()

    for number in reversed(range(1000)):
        timer.at(now + 1 + number / 1e6, partial(end, number))  # in a second all of them wait

    assert threading.active_count() == before + 1
    assert done.wait(5)
    assert ended == list(range(1000))


def test_one_that_fails_does_not_stop_the_others():
    timer, done = Timer(), threading.Event()

    def fail() -> None:
        raise ZeroDivisionError

    timer.at(0, fail)
    timer.at(0, done.set)

    assert done.wait(5)


def request(path="/bucket", **headers):
    return Request("GET", path, headers, b"", {"list-type": ["2"]})


def test_listings_have_the_status_for_those_who_ask():
    assert not asks_for_restore_status(request())
    assert asks_for_restore_status(request(**{"x-amz-optional-object-attributes": "RestoreStatus"}))


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (5, {"IsRestoreInProgress": "true"}),
        (15, {"IsRestoreInProgress": "false", "RestoreExpiryDate": "1970-01-01T00:00:20.000Z"}),
        (25, {}),
    ],
)
def test_a_listed_object_is_under_way_restored_or_archived_again(now, status):
    records = {("bucket", "a b"): {"restore": {"available_at": 10, "expires_at": 20}}}

    _, _, body = with_restore_status(request(), (200, {}, LISTING), lambda *name: records.get(name), now)

    first, second = ElementTree.fromstring(body).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Contents")
    found = first.find("{http://s3.amazonaws.com/doc/2006-03-01/}RestoreStatus")
    assert {each.tag.partition("}")[2]: each.text for each in (found if found is not None else ())} == status
    assert len(second) == 1


@pytest.mark.parametrize(
    ("ask", "delivered"),
    [
        (lambda faults: None, ["a", "b", "c"]),
        (lambda faults: faults.lose(2), ["c"]),
        (lambda faults: faults.repeat(1), ["a", "a", "b", "c"]),
        (lambda faults: faults.shuffle(3), ["a", "b", "c"]),
    ],
)
def test_events_go_wrong_as_asked(ask, delivered):
    faults, sent = Faults(), list[str]()
    ask(faults)

    for name in "abc":
        faults.deliver({"Detail": name}, lambda event: sent.append(event["Detail"]))

    assert sorted(sent) == delivered


def test_requests_are_throttled_as_often_as_asked():
    faults = Faults()
    faults.throttle(2)

    assert [faults.is_throttled() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "exactly one of"),
        ({"throttle": -1}, "must be a number that is not negative"),
        ({"archive": {"bucket": "b"}}, "must have bucket, key and tier"),
        ({"archive": {"bucket": "b", "key": "k", "tier": "DEEP"}}, "must be one of ARCHIVE_ACCESS"),
        (
            {"archive": {"bucket": "b", "key": "k", "tier": "ARCHIVE_ACCESS"}},
            "There is no k of INTELLIGENT_TIERING in b",
        ),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(body, sentence):
    with pytest.raises(BadInjectionError, match=sentence):
        glacier_injector(GlacierService())(body)
