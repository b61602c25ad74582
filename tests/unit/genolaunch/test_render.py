"""What people read while they wait."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from genolaunch.batch_jobs import Job
from genolaunch.contract.launch import Status
from genolaunch.launch import FailedJob, Fault, Launch, LaunchError
from genolaunch.progress import Snapshot
from genolaunch.render.following import changes, follow_launch
from genolaunch.render.launch_view import launch_view
from genolaunch.render.tables import launches_table
from genolaunch.render.transfers import byte_progress
from genolaunch.render.words import duration
from genolaunch.steps import Step, StepState

START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def snapshot(second=0, status=Status.RUNNING, steps=(), jobs=(), error=None, failed_jobs=()):
    launch = Launch("height-1", "height", status, submitted_at=START, error=error)
    return Snapshot(START + timedelta(seconds=second), launch, tuple(steps), tuple(jobs), tuple(failed_jobs))


def array(succeeded, failed=0, status="PENDING"):
    return Job("2", "step2", status, 12, succeeded, failed, running=2, log_stream=None)


def shown(what):
    output = io.StringIO()
    Console(file=output, width=160).print(what)
    return output.getvalue()


def test_durations_are_short_and_exact_enough():
    seconds = {0.44: "0.4 s", 12.4: "12 s", 59.7: "1 min 00 s", 185: "3 min 05 s", 7380: "2 h 03 min"}

    assert {number: duration(timedelta(seconds=number)) for number in seconds} == seconds


def test_plain_output_has_a_line_for_each_change_and_no_other():
    # given
    running = Step("Step 2", StepState.RUNNING, START, None)
    done = Step("Step 2", StepState.DONE, START, START + timedelta(seconds=3))
    first = snapshot(0, Status.SUBMITTED)
    second = snapshot(1, steps=[running], jobs=[array(0)])
    third = snapshot(2, steps=[running], jobs=[array(0)])
    fourth = snapshot(4, Status.COMPLETE, steps=[done], jobs=[array(11, failed=1, status="FAILED")])

    # when
    lines = [
        list(changes(before, now)) for before, now in ((None, first), (first, second), (second, third), (third, fourth))
    ]

    # then
    assert lines == [
        ["Launch height-1 is SUBMITTED"],
        ["Launch height-1 is RUNNING", "Step 2: running", "step2: 0 of 12 jobs done"],
        [],
        ["step2: 12 of 12 jobs done, 1 failed", "Step 2: done (3.0 s)", "Launch height-1 is COMPLETE"],
    ]


def test_lines_between_two_looks_are_in_the_order_of_what_happened():
    # Given: level 0 ended and level 1 began between two looks
    before = Step("Level 0", StepState.RUNNING, START, None)
    after = [
        Step("Level 0", StepState.DONE, START, START + timedelta(seconds=3)),
        Step("Level 1", StepState.RUNNING, START + timedelta(seconds=3), None),
    ]

    def jobs(level0, level1=None):
        found = [Job("1", "level0", "PENDING", 3, level0, 0, running=0, log_stream=None)]
        return found + ([Job("2", "level1-2", "PENDING", 2, level1, 0, 0, None)] if level1 is not None else [])

    lines = list(changes(snapshot(1, steps=[before], jobs=jobs(1)), snapshot(4, steps=after, jobs=jobs(3, 0))))

    assert lines == [
        "level0: 3 of 3 jobs done",
        "Level 0: done (3.0 s)",
        "Level 1: running",
        "level1-2: 0 of 2 jobs done",
    ]


def test_view_shows_steps_and_a_bar_for_the_array_under_way():
    text = shown(launch_view(snapshot(7, steps=[Step("Step 2", StepState.RUNNING, START, None)], jobs=[array(5)])))

    assert "height-1" in text
    assert "Step 2" in text
    assert "7.0 s" in text
    assert "5/12" in text
    assert "2 running" in text


def test_view_of_a_failure_shows_error_faults_and_failed_jobs():
    error = LaunchError("ApplicationError", "A job failed [exit 1].", (Fault("data[0]", "is gone", "put it"),))
    failed = FailedJob("height-1-1-step2", "step2[3]", 3, "OutOfMemoryError", "killed", 137, 2, None, None, None, ())

    text = shown(launch_view(snapshot(9, Status.FAILED, error=error, failed_jobs=[failed])))

    assert "ApplicationError: A job failed [exit 1]." in text
    assert "data[0]" in text
    assert "put it" in text
    assert "step2[3]" in text
    assert "137" in text
    assert "genolaunch logs height-1 --failed" in text


def test_following_without_a_terminal_ends_with_the_whole_view():
    output = io.StringIO()
    snapshots = [snapshot(1), snapshot(3, Status.COMPLETE)]

    last = follow_launch(Console(file=output, width=160), iter(snapshots))

    assert last is snapshots[1]
    assert "Launch height-1 is RUNNING" in output.getvalue()
    assert "COMPLETE" in output.getvalue()


def test_following_on_a_terminal_shows_the_last_state():
    output = io.StringIO()

    follow_launch(Console(file=output, width=160, force_terminal=True), iter([snapshot(3, Status.CANCELLED)]))

    assert "CANCELLED" in output.getvalue()


def test_transfers_are_announced_by_name_and_size_without_a_terminal():
    output = io.StringIO()

    with byte_progress(Console(file=output, width=160), "Uploading") as begin:
        begin("cohort/[1].bed", 1_234_567)(10)

    assert output.getvalue() == "Uploading cohort/[1].bed (1.23 MB)\n"


def test_a_list_has_the_columns_that_fit_and_never_cuts_an_id():
    launch = Launch(
        "a-rather-long-name-2026-20261121t134350-2f652db3",
        "a",
        Status.CANCEL_REQUESTED,
        "regenie",
        requested_by="AWS:AROAEXAMPLE:ada@example.org",
        submitted_at=START,
    )

    lines = {}
    for width in (60, 80, 200):
        output = io.StringIO()
        Console(file=output, width=width).print(launches_table([launch], width))
        heading, row = output.getvalue().splitlines()  # it takes one line
        assert launch.launch_id in row
        lines[width] = (heading.split(), row)

    assert lines[60][0] == ["Launch"]
    assert lines[80][0] == ["Launch", "Status"]
    assert lines[200][0] == ["Launch", "Status", "Submitted", "Elapsed", "By", "Workflow"]
    assert " ada@example.org " in lines[200][1]


def test_what_the_data_has_of_a_lists_entries_is_shown():
    launch = Launch("height-1", "height", Status.RUNNING, lists=("remove: 2 of 3 entries are in the data; not: 0_S3",))

    assert "Note: remove: 2 of 3 entries are in the data; not: 0_S3" in shown(launch_view(Snapshot(START, launch)))


def test_what_the_results_say_is_shown():
    launch = Launch("height-1", "height", Status.COMPLETE, findings=("height: 2 of 95 genes are significant",))

    assert "Found: height: 2 of 95 genes are significant" in shown(launch_view(Snapshot(START, launch)))


@pytest.mark.parametrize(("error", "mends"), [("ApplicationError", True), ("SpotReclaimedError", False)])
def test_what_fails_again_unless_it_is_mended_is_not_only_to_be_retried(error, mends):
    launch = Launch("height-1", "height", Status.FAILED, error=LaunchError(error, "SyntaxError in line 3"))

    text = " ".join(shown(launch_view(Snapshot(START, launch))).split())

    assert ("correct what the error names and submit it again" in text) is mends
    assert "genolaunch retry height-1" in text


@pytest.mark.parametrize(("workflow", "mends"), [("snakemake", True), ("regenie", False)])
def test_memory_that_a_snakefile_asks_for_is_mended_there(workflow, mends):
    error = LaunchError("OutOfMemoryError", "Container killed due to memory usage")
    launch = Launch("height-1", "height", Status.FAILED, error=error, workflow=workflow)
    text = " ".join(shown(launch_view(Snapshot(START, launch))).split())

    assert ("correct what the error names and submit it again" in text) is mends


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.COMPLETE, "genolaunch results height-1 --download DIR; its price: genolaunch cost height-1"),
        (Status.FAILED, "genolaunch retry height-1 continues it"),
        (Status.CANCELLED, "genolaunch retry height-1"),
        (Status.REJECTED, "correct the config"),
        (Status.RUNNING, None),
    ],
)
def test_a_launch_that_is_over_says_what_people_do_next(status, words):
    text = shown(launch_view(Snapshot(START, Launch("height-1", "height", status))))

    assert words in text if words else "Next" not in text


def test_what_looks_for_the_reasons_of_a_failure_is_not_called_a_failure_that_is_done():
    done = Step("Failure", StepState.DONE, START, START + timedelta(seconds=3))
    now = snapshot(4, Status.FAILED, steps=[done])

    assert next(iter(changes(None, now))) == "Collecting the reasons: done (3.0 s)"
    assert "Failure" not in shown(launch_view(now))
