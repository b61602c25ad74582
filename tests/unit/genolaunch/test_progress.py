"""Whoever waits for a launch does not lose it for a network that is away for a while."""

from itertools import islice

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from genolaunch import progress

AWAY = EndpointConnectionError(endpoint_url="https://dynamodb")
SLOW = ReadTimeoutError(endpoint_url="https://dynamodb")


@pytest.fixture
def clock(monkeypatch):
    """Time passes by sleeping only; answers how much has."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def looks(*answers):
    """A look that answers so, one after the other; the last one ever after."""
    left = list(answers)

    def look():
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def test_a_short_absence_is_waited_for(clock):
    found = list(islice(progress.repeatedly(looks("before", AWAY, SLOW, "after"), pause=60), 2))

    assert found == ["before", "after"]
    assert clock == [180]


def test_a_long_absence_is_an_error(clock):
    answers = progress.repeatedly(looks("before", AWAY), pause=60)
    assert next(answers) == "before"

    with pytest.raises(EndpointConnectionError):
        next(answers)

    assert clock == [progress.NETWORK_MAY_BE_AWAY + 60]


def test_what_was_never_reached_is_an_error_at_once(clock):
    with pytest.raises(EndpointConnectionError):
        next(progress.repeatedly(looks(AWAY)))

    assert clock == [0]
