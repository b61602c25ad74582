"""Launches are found by id, prefix or age, and tell what the tables hold."""

from datetime import UTC, datetime, timedelta

import pytest

from genolaunch.contract.launch import Status
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Fault
from genolaunch.launches import Launches


def test_newest_come_first_whatever_their_status(platform, content):
    # given
    content.launch("a", "COMPLETE", "2026-11-21T01:00:00.000Z")
    content.launch("b", "RUNNING", "2026-11-21T03:00:00.000Z")
    content.launch("c", "REJECTED", "2026-11-21T02:00:00.000Z")
    content.launch("d", "COMPLETE", "2026-11-21T04:00:00.000Z")

    # when
    three = Launches(platform).newest(3)
    complete = Launches(platform).newest(10, [Status.COMPLETE])

    # then
    assert [launch.launch_id for launch in three] == ["d", "b", "c"]
    assert [launch.launch_id for launch in complete] == ["d", "a"]


def test_listing_does_not_scan_the_table(platform, content):
    calls = []
    platform.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

    Launches(platform).newest(5)

    assert set(calls) == {"Query"}


def test_unique_beginning_of_an_id_is_enough(platform, content):
    content.launch("height-2026-aa")
    content.launch("ldl-2026-bb")

    assert Launches(platform).resolve("hei").launch_id == "height-2026-aa"


def test_whole_id_wins_over_longer_ids_that_begin_with_it(platform, content):
    content.launch("height")
    content.launch("height-2")

    assert Launches(platform).resolve("height").launch_id == "height"


def test_ambiguous_beginning_names_the_candidates(platform, content):
    content.launch("height-1")
    content.launch("height-2", "FAILED")

    with pytest.raises(GenolaunchError, match=r"2 launches begin with height \(height-1, height-2\)"):
        Launches(platform).resolve("height")


def test_unknown_id_is_told(platform, content):
    content.launch("height-1")

    with pytest.raises(GenolaunchError, match="no launch nope"):
        Launches(platform).resolve("nope")


def test_latest_is_the_newest(platform, content):
    content.launch("old", "RUNNING", "2026-11-21T01:00:00.000Z")
    content.launch("new", "FAILED", "2026-11-21T02:00:00.000Z")

    assert Launches(platform).resolve("latest").launch_id == "new"


def test_latest_without_launches_is_told(platform):
    with pytest.raises(GenolaunchError, match="has no launches yet"):
        Launches(platform).resolve("latest")


def test_item_becomes_a_launch(platform, content):
    # given
    content.launch(
        status="FAILED",
        endedAt={"S": "2026-11-21T04:10:00.000Z"},
        error={
            "M": {
                "type": {"S": "LaunchInputError"},
                "message": {"S": "1 input is missing."},
                "faults": {"L": [{"M": {"where": {"S": "data"}, "problem": {"S": "gone"}, "remedy": {"S": "put it"}}}]},
            }
        },
    )

    # when
    launch = Launches(platform).get("height-1")

    # then
    assert launch.submitted_at == datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    assert launch.elapsed(datetime.now(UTC)) == timedelta(minutes=10)
    assert launch.is_final
    assert launch.run_name == "height-1-1"
    assert launch.error is not None
    assert launch.error.faults == (Fault("data", "gone", "put it"),)


def test_failed_jobs_are_those_of_the_current_attempt(platform, content):
    # given: a second attempt, and failures of both
    content.launch(status="FAILED", attempt={"N": "2"})
    content.failed_job("height-1-1-step2", index=4, job_id="old:4")
    content.failed_job("height-1-2-step2", index=10, job_id="new:10")
    content.failed_job("height-1-2-step2", index=2, job_id="new:2", tail="a\nb")
    content.failed_job("height-1-2-merge", index=0, job_id="single")

    # when
    jobs = Launches(platform).failed_jobs(Launches(platform).get("height-1"))

    # then
    assert [job.label for job in jobs] == ["merge", "step2[2]", "step2[10]"]
    assert jobs[1].log_tail == ("a", "b")
    assert jobs[1].exit_code == 1
