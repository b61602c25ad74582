"""Steps and their times are read from an execution's history."""

from datetime import timedelta
from typing import Any

from genolaunch.steps import StepState, read_steps, steps_of
from tests.unit.genolaunch.conftest import FakeStepFunctions, History


def test_step_lasts_from_first_entry_to_last_exit_of_its_states():
    # given
    history = History()  # event 1; event n is at second n
    history.visit("File system: create")  # 2 to 4
    history.visit("Prepare")  # plumbing
    history.visit("File system: wait")  # 8 to 10
    history.visit("Report: write")  # 11 to 13
    history.add("ExecutionSucceeded")

    # when
    file_system, report = steps_of(history.events)

    # then
    assert (file_system.name, file_system.state) == ("File system", StepState.DONE)
    assert file_system.elapsed(History.START) == timedelta(seconds=8)
    assert report.name == "Report"


def test_open_state_of_a_running_execution_is_running():
    history = History()
    history.enter("Step 2: chunks")
    history.add("TaskScheduled")

    (step,) = steps_of(history.events)

    assert step.state == StepState.RUNNING
    assert step.ended_at is None
    assert step.elapsed(History.START + timedelta(seconds=12)) == timedelta(seconds=10)


def test_retried_task_is_no_failure():
    history = History()
    history.enter("Merge: traits")
    for kind in ("TaskScheduled", "TaskFailed", "TaskScheduled", "TaskSucceeded"):
        history.add(kind)
    history.leave("Merge: traits")

    (step,) = steps_of(history.events)

    assert step.state == StepState.DONE


def test_caught_failure_is_a_failed_step():
    history = History()
    history.enter("Merge: traits")
    history.add("TaskFailed")
    history.leave("Merge: traits")
    history.visit("Failure: collect the logs")

    merge, failure = steps_of(history.events)

    assert merge.state == StepState.FAILED
    assert failure.state == StepState.DONE


def test_caught_failure_is_known_without_links_between_the_events():
    history = History()
    history.enter("Merge: traits")
    history.add("TaskFailed")
    history.leave("Merge: traits")
    for event in history.events:
        del event["previousEventId"]

    (step,) = steps_of(history.events)

    assert step.state == StepState.FAILED


def test_state_named_failed_marks_its_step():
    history = History()
    history.visit("Export: check")
    history.enter("Export: failed", "Pass")
    history.leave("Export: failed", "Pass")

    (step,) = steps_of(history.events)

    assert step.state == StepState.FAILED


def test_step_that_is_entered_again_runs_again():
    history = History()
    history.visit("File system: check")
    history.enter("File system: wait", "Wait")

    (step,) = steps_of(history.events)

    assert step.state == StepState.RUNNING


def test_ending_of_the_execution_closes_what_was_open():
    for ending, state in {
        "ExecutionAborted": StepState.STOPPED,
        "ExecutionTimedOut": StepState.FAILED,
        "ExecutionFailed": StepState.FAILED,
    }.items():
        history = History()
        history.enter("Step 2: chunks")
        history.add(ending)

        (step,) = steps_of(history.events)

        assert step.state == state
        assert step.ended_at == history.events[-1]["timestamp"]


def test_redriven_execution_goes_on():
    history = History()
    history.enter("Step 2: chunks")
    history.add("ExecutionFailed")
    history.add("ExecutionRedriven")
    history.enter("Step 2: chunks")

    (step,) = steps_of(history.events)

    assert step.state == StepState.RUNNING


def test_interleaved_branches_keep_their_own_outcome():
    # given: A fails while B, entered later, goes on and succeeds
    history = History()
    a = history.enter("A: work")
    b = history.enter("B: work", after=1)
    a_failed = history.add("TaskFailed", after=a)
    b_done = history.add("TaskSucceeded", after=b)
    history.leave("A: work", after=a_failed)
    history.leave("B: work", after=b_done)

    # when
    first, second = steps_of(history.events)

    # then
    assert (first.state, second.state) == (StepState.FAILED, StepState.DONE)


def test_every_page_of_the_history_is_read():
    history = History()
    for number in range(5):
        history.visit(f"Step {number}: work")

    assert len(read(history.events)) == 5


def test_execution_that_is_not_there_has_no_steps():
    assert read(None) == []


def read(events):
    client: Any = FakeStepFunctions(events)
    return read_steps(client, "arn")
