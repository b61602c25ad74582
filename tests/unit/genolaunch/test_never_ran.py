"""A launch of which nothing ran has no log, no results and no price, and each command says so."""

import json
import time

import pytest


def rejected(content, **attributes):
    content.launch(status="REJECTED", **attributes)


@pytest.mark.parametrize("attributes", [{}, {"attempt": {"N": "0"}}], ids=["by its data", "by its config"])
def test_a_rejected_launch_costs_nothing(genolaunch, content, attributes):
    rejected(content, **attributes)

    shown = genolaunch("cost", "height-1")
    document = json.loads(genolaunch("cost", "height-1", "--json").stdout)

    assert shown.exit_code == 0
    sentence = "Launch height-1 was rejected before any of its jobs ran: nothing was built for it, so it costs nothing."
    assert " ".join(shown.stdout.split()) == sentence
    assert (document["total"], document["costStatus"], document["reason"]) == ("0", None, sentence)


def test_earlier_attempts_of_a_rejected_one_cost_what_they_did(genolaunch, content):
    history = {"M": {"1": {"M": {"totalCost": {"S": "0.020000"}}}}}
    rejected(content, attempt={"N": "2"}, costHistory=history)

    shown = " ".join(genolaunch("cost", "height-1").stdout.split())

    assert "Attempt 2 of launch height-1 was rejected before any of its jobs ran" in shown
    assert "attempt 1 0.020000 USD" in shown


def test_a_launch_that_was_cancelled_before_it_started_costs_nothing(genolaunch, content):
    content.launch(status="CANCELLED", attempt={"N": "0"})

    assert "is CANCELLED, and never started: nothing was built" in " ".join(
        genolaunch("cost", "height-1").stdout.split()
    )


def test_a_restore_is_not_told_to_cost_nothing(genolaunch, content):
    restore = {"attempt": "1", "objects": "1", "size": "1", "bytes": "1", "usd": "0.5", "days": "3"}
    numbers = {name: {"N": value} for name, value in restore.items()}
    content.launch(status="CANCELLED", attempt={"N": "0"}, restore={"M": {**numbers, "tier": {"S": "Bulk"}}})

    assert "what was restored from an archive for it is not counted" in " ".join(
        genolaunch("cost", "height-1").stdout.split()
    )


def test_a_running_launch_is_not_priced_yet(genolaunch, content):
    content.launch(status="RUNNING")

    assert "Not priced yet, since it is RUNNING" in genolaunch("cost", "height-1").stdout


def test_nothing_is_priced_again_that_never_ran(genolaunch, content):
    rejected(content)

    refused = genolaunch("cost", "height-1", "--retry")

    assert refused.exit_code == 3
    assert "it costs nothing" in refused.stderr


@pytest.mark.parametrize(
    ("status", "attempt", "why"),
    [
        ("REJECTED", "0", "was rejected before any of its jobs ran"),
        ("REJECTED", "1", "was rejected before any of its jobs ran"),
        ("CANCELLED", "0", "is CANCELLED, and never started"),
        ("FAILED", "0", "is FAILED, and never started"),
        ("HELD", "0", "is HELD, and has not started yet"),
        ("QUEUED", "0", "is QUEUED, and has not started yet"),
    ],
)
@pytest.mark.parametrize("workflow", ["regenie", "snakemake"])
@pytest.mark.parametrize("command", [("logs",), ("logs", "--failed"), ("logs", "--job", "step2"), ("results",)])
def test_what_never_ran_has_neither_log_nor_results(genolaunch, content, command, workflow, status, attempt, why):
    content.launch(status=status, attempt={"N": attempt}, workflow={"S": workflow})
    name, *options = command

    answer = genolaunch(name, "height-1", *options)

    assert answer.exit_code == 3
    assert answer.stdout == ""
    has = "no log" if name == "logs" else "no results"
    assert (
        answer.stderr == f"genolaunch: Launch height-1 {why}, so it has {has}: `genolaunch status height-1` says why.\n"
    )


def test_following_a_rejected_launch_ends_at_once(genolaunch, content):
    rejected(content)

    assert genolaunch("logs", "height-1", "--follow").exit_code == 3


def test_logs_of_an_attempt_that_ran_are_shown(genolaunch, content):
    rejected(content, attempt={"N": "2"})
    content.log("height-1-1/default/x", (int(time.time() * 1000), "of the first attempt"))

    answer = genolaunch("logs", "height-1", "--attempt", "1")

    assert answer.exit_code == 0
    assert "of the first attempt" in answer.stdout


def test_results_of_a_launch_without_any_for_scripts(genolaunch, content):
    rejected(content)

    answer = genolaunch("results", "height-1", "--json")

    assert (answer.exit_code, json.loads(answer.stdout)) == (3, [])


def test_a_launch_without_failed_jobs_is_told_so(genolaunch, content):
    content.launch(status="COMPLETE")

    answer = genolaunch("logs", "height-1", "--failed")

    assert answer.exit_code == 0
    assert answer.stderr == "Launch height-1 is COMPLETE and has no failed jobs.\n"


def test_results_are_not_downloaded_into_a_file(genolaunch, content, tmp_path):
    content.launch(status="COMPLETE")
    content.result("report.html", b"<html>")
    file = tmp_path / "results"
    file.write_text("something else")

    answer = genolaunch("results", "height-1", "--download", file)

    below = genolaunch("results", "height-1", "--download", file / "below" / "it")
    assert (answer.exit_code, below.exit_code) == (2, 2)
    assert below.stderr == answer.stderr
    assert f"{file} is a file; name a folder, which is made if need be" in " ".join(answer.stderr.split())
    assert file.read_text() == "something else"
