"""Log lines of a launch's jobs, interleaved by time, and the stored tails when the streams are gone."""

import time
from dataclasses import replace

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.job_logs import JobChoice, JobLogs
from genolaunch.launches import Launches
from tests.unit.genolaunch.conftest import FakeBatch, job

NOW = int(time.time() * 1000)


@pytest.fixture
def launch(platform, content):
    """A failed launch with an array of two and a merge job, each with a stream, beside another launch's."""
    content.launch(status="FAILED")
    parent = job("2", "height-1-1-step2", "FAILED", size=2, statusSummary={"FAILED": 1, "SUCCEEDED": 1})
    children = [
        job("2:0", "height-1-1-step2", "SUCCEEDED", stream="height-1-1/default/aaa", index=0),
        job("2:1", "height-1-1-step2", "FAILED", stream="height-1-1/default/bbb", index=1),
    ]
    merge = job("3", "height-1-1-merge", "SUCCEEDED", created=9, stream="height-1-1/default/ccc")
    platform.batch = FakeBatch({"arn:queue/high": [parent, merge]}, children)
    content.log("height-1-1/default/aaa", (NOW - 3000, "chunk 0 begins"), (NOW - 1000, "chunk 0 ends"))
    content.log("height-1-1/default/bbb", (NOW - 2000, "chunk 1 fails"))
    content.log("height-1-1/default/ccc", (NOW - 500, "merged"))
    content.log("height-1-10/default/ddd", (NOW - 2500, "somebody else's"))
    content.failed_job("height-1-1-step2", 1, "2:1", "height-1-1/default/bbb", tail="chunk 1 fails\nfor good")
    return Launches(platform).get("height-1")


def lines(platform, launch, **choice):
    return [(line.job, line.message) for line in JobLogs(platform, launch, JobChoice(**choice)).lines()]


def test_all_jobs_lines_come_in_the_order_of_time(platform, launch):
    assert lines(platform, launch) == [
        ("step2[0]", "chunk 0 begins"),
        ("step2[1]", "chunk 1 fails"),
        ("step2[0]", "chunk 0 ends"),
        ("merge", "merged"),
    ]


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("merge", {"merge"}),
        ("step2", {"step2[0]", "step2[1]"}),
        ("step2[0]", {"step2[0]"}),
        ("height-1-1-merge", {"merge"}),
    ],
)
def test_one_job_or_array_can_be_chosen(platform, launch, name, jobs):
    assert {job for job, _ in lines(platform, launch, name=name)} == jobs


def test_lines_of_an_earlier_attempt_come_when_they_are_asked_for(platform, launch, content):
    content.log("height-1-2/default/eee", (NOW - 100, "tried again"))
    again = replace(launch, attempt=2)

    assert [message for _, message in lines(platform, again)] == ["tried again"]
    assert "tried again" not in [message for _, message in lines(platform, launch)]


def test_unknown_job_names_the_known_ones(platform, launch):
    with pytest.raises(GenolaunchError, match="no log of a job named level0: it has merge, step2"):
        lines(platform, launch, name="level0")


def test_failed_jobs_only(platform, launch):
    assert lines(platform, launch, failed_only=True) == [("step2[1]", "chunk 1 fails")]


def test_stored_tails_stand_in_for_streams_that_are_gone(platform, launch):
    platform.logs.delete_log_group(logGroupName="/genolaunch/dev/jobs")
    platform.batch = FakeBatch({})

    expected = [("step2[1]", "chunk 1 fails"), ("step2[1]", "for good")]
    assert lines(platform, launch, failed_only=True) == expected
    assert lines(platform, launch, name="step2") == expected
    assert lines(platform, launch) == expected


def test_following_shows_each_line_once_until_the_launch_is_over(platform, content, launch, monkeypatch):
    # given: a running launch that writes one more line and ends during the first pause
    content.launch(status="RUNNING")
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        platform.logs.put_log_events(
            logGroupName="/genolaunch/dev/jobs",
            logStreamName="height-1-1/default/ccc",
            logEvents=[{"timestamp": NOW, "message": "the last line"}],
        )
        content.launch(status="COMPLETE")

    monkeypatch.setattr("time.sleep", sleep)

    # when
    messages = [line.message for line in JobLogs(platform, launch, JobChoice()).follow()]

    # then
    assert messages == ["chunk 0 begins", "chunk 1 fails", "chunk 0 ends", "merged", "the last line"]
    assert len(pauses) == 1
