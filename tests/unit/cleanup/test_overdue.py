"""When the sweep takes over."""

from datetime import UTC, datetime, timedelta

import pytest

from genolaunch.contract.launch import Status
from lambdas.cleanup.overdue import Leftover, overdue_attempt
from lambdas.shared.launch import Launch

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO, JUST_NOW = NOW - timedelta(hours=2), NOW + timedelta(minutes=1)
"""Before and after the end of the grace, which is NOW here."""


def launch(status: Status, attempt: int, *, ended: datetime | None = None, started: datetime | None = None) -> Launch:
    return Launch(
        "launch-1",
        "n",
        status,
        "2026-11-21T04:00:00.000Z",
        attempt=attempt,
        started_at=started.isoformat() if started else None,
        ended_at=ended.isoformat() if ended else None,
    )


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.FAILED, Status.CANCELLED])
def test_an_ended_launch_is_swept_after_the_grace(status: Status):
    leftovers = [Leftover(2, LONG_AGO)]

    assert overdue_attempt(launch(status, 2, ended=LONG_AGO), leftovers, NOW) == 2
    assert overdue_attempt(launch(status, 2, ended=JUST_NOW), leftovers, NOW) == 0


def test_a_running_attempt_is_never_swept_but_an_older_one_is():
    running = launch(Status.RUNNING, 3, started=LONG_AGO)

    assert overdue_attempt(running, [Leftover(3, LONG_AGO)], NOW) == 0
    assert overdue_attempt(running, [Leftover(3, LONG_AGO), Leftover(1, LONG_AGO)], NOW) == 2


def test_a_retry_that_just_began_leaves_the_older_attempt_to_its_own_clean_up():
    retried = launch(Status.RUNNING, 2, started=JUST_NOW)

    assert overdue_attempt(retried, [Leftover(1, LONG_AGO)], NOW) == 0


def test_leftovers_of_a_launch_that_nobody_knows_are_swept_by_their_age():
    assert overdue_attempt(None, [Leftover(1, LONG_AGO), Leftover(4, JUST_NOW)], NOW) == 1
    assert overdue_attempt(None, [Leftover(4, JUST_NOW)], NOW) == 0
    assert overdue_attempt(None, [Leftover(0, None)], NOW) == 1
