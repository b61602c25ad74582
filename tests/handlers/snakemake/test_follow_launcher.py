"""The notifier and the look for lost ones: what becomes of a task is told to its launch, once, in any order."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from genolaunch.contract.launcher import launcher_log_stream
from genolaunch.contract.metrics import Metric
from genolaunch.shared import aws
from lambdas.shared.one_by_one import OneByOne
from lambdas.snakemake.watch_launchers import watch
from tests.handlers.kept import opened
from tests.handlers.snakemake.conftest import LAUNCH_ID, RESULTS_BUCKET, Platform, message, task_detail, task_event

TASK = f"arn:task/{LAUNCH_ID}-1-1"
EXITED = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}


@pytest.fixture
def started(platform: Platform) -> Platform:
    """Given: its task was started."""
    platform.broker(message())
    return platform


def test_a_running_task_shows_where_it_logs(started: Platform):
    assert started.notifier(task_event(TASK, "PROVISIONING"), task_event(TASK, "RUNNING")) == []

    launch = started.launch()
    assert launch["launcherTaskArn"] == TASK
    assert (launch["logGroup"], launch["logStream"]) == ("/jobs", f"launcher/launcher/{LAUNCH_ID}-1-1")
    assert started.states.answers == []


def test_a_done_one_gives_the_results(started: Platform):
    started.wrote(None)
    assert started.notifier(task_event(TASK, exitCode=0, **EXITED)) == []

    ((token, outcome, output),) = started.states.answers
    assert (token, outcome) == ("token", "done")
    assert json.loads(output) == {"resultsUri": f"s3://{RESULTS_BUCKET}/results/{LAUNCH_ID}/"}


def test_what_the_user_of_a_done_one_should_know_is_a_warning_of_the_launch(started: Platform):
    started.wrote(None, warnings=["Nothing was made."])
    started.notifier(task_event(TASK, exitCode=0, **EXITED))

    assert started.launch()["warnings"] == ["Nothing was made."]


def test_a_failed_one_gives_the_reason_that_it_wrote(started: Platform):
    started.wrote("OutOfMemoryError", "The job align failed.")
    started.notifier(task_event(TASK, exitCode=1, **EXITED))

    ((token, error, cause),) = started.states.answers
    assert (token, error) == ("token", "OutOfMemoryError")
    assert opened(cause, LAUNCH_ID)["message"] == "The job align failed."
    assert "align" not in opened(cause, LAUNCH_ID)["public"]


@pytest.mark.parametrize(
    ("ending", "error", "cause"),
    [
        ({"exitCode": 1, **EXITED}, "ApplicationError", "exit code 1"),
        ({"exitCode": 2, **EXITED}, "PlatformError", "run sheet"),
        (
            {"exitCode": 137, **EXITED, "container": {"reason": "OutOfMemoryError: Container killed"}},
            "OutOfMemoryError",
            "ran out of memory",
        ),
        (
            {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: no such image"},
            "ImagePullError",
            "no such image",
        ),
        (
            {"stopCode": "TaskFailedToStart", "stoppedReason": "ResourceInitializationError: no secret"},
            "JobNeverStartedError",
            "no secret",
        ),
        (
            {"stopCode": "UserInitiated", "stoppedReason": "Task stopped by user", "exitCode": 143},
            "StoppedError",
            "stopped by user",
        ),
    ],
)
def test_one_that_wrote_nothing_is_told_by_what_ecs_says(started: Platform, ending, error, cause):
    started.notifier(task_event(TASK, **ending))

    ((_, told, why),) = started.states.answers
    assert told == error
    assert cause in why


@pytest.mark.parametrize(
    ("ending", "times"),
    [
        ({"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: no such image"}, 1),
        ({"exitCode": 137, **EXITED, "container": {"reason": "OutOfMemoryError: Container killed"}}, 1),
        ({"exitCode": 1, **EXITED}, 0),
    ],
)
def test_what_only_a_setting_of_the_stage_can_mend_is_counted_for_the_alarm(started: Platform, ending, times, capsys):
    started.notifier(task_event(TASK, **ending))

    assert capsys.readouterr().out.count(f'"{Metric.PLATFORM_FAULTS}":[') == times


def test_a_users_own_image_that_cannot_be_pulled_is_not(started: Platform, capsys):
    started.wrote("ImagePullError", "The job align failed: no such image.")
    started.notifier(task_event(TASK, exitCode=1, **EXITED))

    assert Metric.PLATFORM_FAULTS not in capsys.readouterr().out


def named_in_log(started: Platform, error: str, line: str) -> None:
    """Given: what the parser of logs kept of the launcher's."""
    stream = launcher_log_stream(TASK)
    item = {"launchId": stream, "taskId": f"log#{stream}", "errorType": error, "reason": line}
    started.repository.record_tasks([item])


def test_one_that_does_not_know_why_is_told_by_its_log(started: Platform):
    started.wrote("ApplicationError", "Snakemake ended with exit code 1; its log says why.")
    named_in_log(started, "NoSpaceLeftError", "OSError: No space left on device")

    started.notifier(task_event(TASK, exitCode=1, **EXITED))

    ((_, error, cause),) = started.states.answers
    assert error == "NoSpaceLeftError"
    said = opened(cause, LAUNCH_ID)["message"]
    assert "exit code 1" in said
    assert said.endswith("It says: OSError: No space left on device")


def test_a_job_that_failed_is_told_of_whatever_the_log_names_and_counted_once(started: Platform, capsys):
    started.wrote("ApplicationError", "The job align failed.", failed=2)
    named_in_log(started, "AccessDeniedError", "AccessDenied: a bucket that is not needed")
    ended = task_event(TASK, exitCode=1, **EXITED)

    started.notifier(ended)
    started.states.waits = False
    started.notifier(ended)

    ((token, error, told),) = started.states.answers
    assert (token, error) == ("token", "ApplicationError")
    assert opened(told, LAUNCH_ID)["message"] == "The job align failed."
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"JobsFailed"' in line]
    assert [(each["JobsFailed"], each["workflow"]) for each in counted] == [([2.0], "snakemake")]


def test_repeated_and_late_events_do_no_harm(started: Platform):
    ended = task_event(TASK, exitCode=0, **EXITED)
    assert started.notifier(ended) == []
    started.states.waits = False

    assert started.notifier(ended, task_event(TASK, "RUNNING"), ended) == []


def test_a_task_that_is_started_again_does_not_end_its_launch(started: Platform):
    lacking = {"stopCode": "TaskFailedToStart", "stoppedReason": "Not enough IP space available in the subnet"}
    assert started.notifier(task_event(TASK, **lacking)) == []
    started.broker(task_event(TASK, **lacking), delivery=2)
    assert started.notifier(task_event(TASK, **lacking)) == []

    assert started.states.answers == []


def test_tasks_of_nobody_are_passed_over(started: Platform):
    event = task_event(TASK, exitCode=0)
    event["detail"]["startedBy"] = "ecs-svc/1"

    assert started.notifier(event) == []
    assert started.states.answers == []


class TestWatch:
    @pytest.fixture(autouse=True)
    def _cluster(self, started: Platform, monkeypatch):
        monkeypatch.setattr(aws.client("ecs"), "describe_tasks", started.ecs.describe_tasks)

    @pytest.fixture
    def later(self):
        return datetime.now(UTC) + timedelta(minutes=6)

    def test_a_task_that_is_gone_fails_its_launch(self, started: Platform, later):
        assert watch(later, OneByOne("It failed")) == 1

        ((_, error, cause),) = started.states.answers
        assert error == "StoppedError"
        assert "its task is gone" in cause

    def test_one_that_is_gone_but_was_done_completes_it(self, started: Platform, later):
        started.wrote(None)
        assert watch(later, OneByOne("It failed")) == 1

        assert started.states.answers[0][1] == "done"

    def test_a_stopped_one_whose_event_was_lost_is_settled(self, started: Platform, later):
        started.ecs.described = [task_detail(TASK, exitCode=1, **EXITED)]
        assert watch(later, OneByOne("It failed")) == 1

        assert started.states.answers[0][1] == "ApplicationError"

    def test_one_that_runs_is_left_alone_and_shown(self, started: Platform, later):
        started.ecs.described = [task_detail(TASK, "RUNNING")]

        assert watch(later, OneByOne("It failed")) == 0
        assert started.states.answers == []
        assert started.launch()["launcherTaskArn"] == TASK

    def test_a_new_one_is_not_looked_for_yet(self, started: Platform):
        assert watch(datetime.now(UTC), OneByOne("It failed")) == 0
        assert started.states.answers == []
