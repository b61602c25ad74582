"""Logs of a launch on a Slurm cluster are files among its results."""

import json

import pytest


@pytest.fixture
def slurm_launch(content):
    """A failed launch: two tasks of step 2 left their logs, a third one only the end that the platform kept."""
    content.launch(status="FAILED", computeService={"S": "parallelcluster"})
    content.result("logs/height-1-1-step2_0.log", b"step2 0\ndone\n")
    content.result("logs/height-1-1-step2_1.log", b"step2 1\nno space left\n")
    content.result("logs/height-1-1-level0_0.log", b"level0 0\n")
    content.result("logs/height-1-2-level0_0.log", b"another attempt\n")
    content.failed_job("height-1-1-step2", 1, "height-1-1-step2_1", tail="a shorter end")
    content.failed_job("height-1-1-step2", 2, "height-1-1-step2_2", tail="gone with its node")


def jobs_and_lines(result):
    return [(line["job"], line["message"]) for line in map(json.loads, result.stdout.splitlines())]


def test_all_lines_of_the_attempt_are_shown_with_their_jobs(genolaunch, slurm_launch):
    told = jobs_and_lines(genolaunch("logs", "height-1", "--json"))

    assert ("level0[0]", "level0 0") in told
    assert ("step2[1]", "no space left") in told
    assert told[-1] == ("step2[2]", "gone with its node")
    assert "another attempt" not in str(told)
    assert "a shorter end" not in str(told)


def test_failed_jobs_are_those_of_the_task_table(genolaunch, slurm_launch):
    told = jobs_and_lines(genolaunch("logs", "height-1", "--failed", "--json"))

    assert {job for job, _ in told} == {"step2[1]", "step2[2]"}


def test_an_array_and_a_child_of_one_can_be_chosen(genolaunch, slurm_launch):
    array = jobs_and_lines(genolaunch("logs", "height-1", "--job", "step2", "--json"))
    child = jobs_and_lines(genolaunch("logs", "height-1", "--job", "step2[0]", "--json"))

    assert {job for job, _ in array} == {"step2[0]", "step2[1]", "step2[2]"}
    assert child == [("step2[0]", "step2 0"), ("step2[0]", "done")]


def test_a_job_that_there_is_none_of_is_told(genolaunch, slurm_launch):
    result = genolaunch("logs", "height-1", "--job", "merge")

    assert result.exit_code == 3
    assert "no log of a job named merge: it has level0, step2." in result.stderr


def test_following_shows_them_when_the_launch_is_over(genolaunch, slurm_launch):
    assert genolaunch("logs", "height-1", "--follow").stdout.count("\n") == 6


def test_failed_tasks_are_told_by_their_index(genolaunch, slurm_launch):
    assert "step2[2]" in genolaunch("status", "height-1").stdout
