"""change_status and settle_launch: what state machines ask, what the table then says, and who is told."""

import json

import boto3
import pytest

from genolaunch.contract.launch import Status
from genolaunch.shared.errors import StatusConflictError
from lambdas.workflow_manager import change_status, settle_launch, status_function
from lambdas.workflow_manager.settlement import settle

from .conftest import CONTEXT, GOOD, LAUNCH_BUCKET

ONE, OTHER = "arn:execution:one", "arn:execution:other"


@pytest.fixture
def launch_id(platform):
    """Given: a registered launch."""
    platform.register(platform.put("launches/height.yaml", GOOD))
    return platform.launches()[0].launch_id


def change(launch_id, to, execution=ONE, **extra):
    return change_status.handler({"launchId": launch_id, "to": to, "executionArn": execution, **extra}, CONTEXT)


def end(launch_id, ending, execution=ONE, **extra):
    detail = {"executionArn": execution, "status": ending, "input": json.dumps([{"launchId": launch_id}]), **extra}
    return settle_launch.handler(detail, CONTEXT)


class TestChangeStatus:
    def test_a_claim_tells_what_to_run(self, launch_id):
        answer = {"launchId": launch_id, "attempt": 1, "workflow": "regenie", "status": "RUNNING"}

        assert change(launch_id, "RUNNING") == answer
        assert change(launch_id, "RUNNING") == answer
        with pytest.raises(StatusConflictError):
            change(launch_id, "RUNNING", OTHER)

    def test_completion_keeps_where_the_results_are_and_tells_people(self, platform, launch_id):
        change(launch_id, "RUNNING")
        change(launch_id, "COMPLETE", resultsUri="s3://r/results/", reportUri="s3://r/results/report.html")

        launch = platform.repository.get(launch_id)
        assert (launch.status, launch.results_uri) == (Status.COMPLETE, "s3://r/results/")
        (notice,) = platform.notices()
        assert notice["Subject"] == "Genolaunch test: height-gwas is complete"
        assert "Report:     s3://r/results/report.html" in notice["Message"]
        assert notice["Facts"]["status"] == "COMPLETE"
        assert notice["Facts"]["reportUri"] == "s3://r/results/report.html"

    def test_a_failure_keeps_the_innermost_error_and_tells_people(self, platform, launch_id):
        change(launch_id, "RUNNING")
        inner = {"ExecutionArn": "arn", "Status": "FAILED", "Error": "OutOfMemoryError", "Cause": "Step 2 ran out."}
        change(launch_id, "FAILED", error={"Error": "States.TaskFailed", "Cause": json.dumps(inner)})

        error = {"type": "OutOfMemoryError", "message": "Step 2 ran out."}
        assert platform.repository.get(launch_id).error == error
        (notice,) = platform.notices()
        assert notice["Subject"] == "Genolaunch test: height-gwas failed"
        assert "OutOfMemoryError: Step 2 ran out." in notice["Message"]

    def test_a_claim_without_an_execution_is_refused(self, launch_id):
        with pytest.raises(ValueError, match="claim"):
            change_status.handler({"launchId": launch_id, "to": "RUNNING"}, CONTEXT)

    def test_a_launch_that_nobody_started_is_cancelled_by_nobody(self, platform, launch_id):
        platform.repository.change_status(launch_id, Status.CANCEL_REQUESTED, execution_arn=None)

        assert change_status.handler({"launchId": launch_id, "to": "CANCELLED"}, CONTEXT)["status"] == "CANCELLED"


FAULTS = [{"where": "regenie.traits", "problem": "names ldl, which is constant", "remedy": "Leave it out."}]
ANSWER = "feedback/height.yaml.json"


def reject(launch_id, execution=ONE):
    """When: planning finds faults."""
    cause = json.dumps({"message": "The launch's inputs have 1 fault.", "faults": FAULTS})
    change(launch_id, "RUNNING", execution)
    return change(launch_id, "FAILED", execution, error={"Error": "LaunchInputError", "Cause": cause})


class TestRejectionOfData:
    def test_it_is_told_in_the_answer_to_the_file(self, platform, launch_id):
        before = platform.feedback(ANSWER)

        assert reject(launch_id)["status"] == "REJECTED"

        after = platform.feedback(ANSWER)
        assert (before["accepted"], after["accepted"]) == (True, False)
        assert (after["status"], after["faults"]) == ("REJECTED", FAULTS)
        assert (after["object"], after["submissionId"]) == (before["object"], before["submissionId"])
        (notice,) = platform.notices()
        assert f"then retry the launch (genolaunch retry {launch_id})." in notice["Message"]

    def test_it_can_be_tried_again_when_the_data_is_mended_and_the_answer_says_so(self, platform, launch_id):
        reject(launch_id)

        platform.repository.change_status(launch_id, Status.RETRY, execution_arn=None)
        assert change(launch_id, "RUNNING", OTHER)["attempt"] == 2

        answer = platform.feedback(ANSWER)
        assert (answer["accepted"], answer["status"], answer["faults"]) == (True, "RUNNING", [])

    def test_one_that_was_rejected_while_it_waited_can_be_tried_again_too(self, platform, launch_id, monkeypatch):
        monkeypatch.setenv("LAUNCHES_AT_ONCE", "0")
        status_function.settings.cache_clear()
        assert change(launch_id, "RUNNING")["status"] == "QUEUED"
        cause = json.dumps({"message": "The launch's inputs have 1 fault.", "faults": FAULTS})
        change(launch_id, "FAILED", error={"Error": "LaunchInputError", "Cause": cause})
        assert platform.feedback(ANSWER)["faults"] == FAULTS
        (notice,) = platform.notices()
        assert f"then retry the launch (genolaunch retry {launch_id})." in notice["Message"]
        monkeypatch.setenv("LAUNCHES_AT_ONCE", "1")
        status_function.settings.cache_clear()

        platform.repository.change_status(launch_id, Status.RETRY, execution_arn=None)
        change(launch_id, "RUNNING", OTHER)  # the queue is empty, which is found out now
        assert change(launch_id, "RUNNING", "arn:a third")["attempt"] == 1

        assert platform.feedback(ANSWER)["accepted"] is True

    def test_the_answer_to_a_newer_drop_stays(self, platform, launch_id):
        change(launch_id, "RUNNING")
        platform.register(platform.put("launches/height.yaml", GOOD + "priority: high\n"))
        newer = platform.feedback(ANSWER)
        assert newer["launchId"] != launch_id

        cause = json.dumps({"message": "x", "faults": FAULTS})
        change(launch_id, "FAILED", error={"Error": "LaunchInputError", "Cause": cause})

        assert platform.feedback(ANSWER) == newer

    def test_an_answer_that_was_deleted_is_no_fault(self, platform, launch_id):
        boto3.client("s3").delete_object(Bucket=LAUNCH_BUCKET, Key=ANSWER)

        assert reject(launch_id)["status"] == "REJECTED"

        assert platform.feedback_keys() == []


class TestSettleLaunch:
    @pytest.mark.parametrize(
        ("ending", "extra", "error_type", "message"),
        [
            ("ABORTED", {}, "StoppedError", "The execution was stopped."),
            ("ABORTED", {"error": "x", "cause": "Stopped by Ada"}, "StoppedError", "Stopped by Ada"),
            ("TIMED_OUT", {}, "TimedOutError", "The launch exceeded its time limit."),
            ("FAILED", {"error": "States.Runtime", "cause": "bad"}, "PlatformError", "States.Runtime: bad"),
        ],
    )
    def test_an_execution_that_did_not_record_its_end_failed(
        self, platform, launch_id, ending, extra, error_type, message
    ):
        change(launch_id, "RUNNING")

        assert end(launch_id, ending, **extra) == {"launchId": launch_id, "endedAttempt": 1}

        launch = platform.repository.get(launch_id)
        assert (launch.status, launch.error) == (Status.FAILED, {"type": error_type, "message": message})
        assert [notice["Subject"] for notice in platform.notices()] == ["Genolaunch test: height-gwas failed"]

    def test_a_new_launch_whose_execution_ended_before_it_claimed_failed(self, platform, launch_id):
        # Or it would be SUBMITTED for ever, and every drop of the same bytes be answered with it.
        assert end(launch_id, "ABORTED") == {"launchId": launch_id, "endedAttempt": 0}

        assert platform.repository.get(launch_id).status == Status.FAILED

    def test_a_new_launch_waits_on_when_an_execution_had_nothing_to_do(self, platform, launch_id):
        assert end(launch_id, "SUCCEEDED") == {"launchId": launch_id, "endedAttempt": 0}

        assert platform.repository.get(launch_id).status == Status.SUBMITTED

    def test_a_retry_waits_on_when_the_end_before_it_is_told_of_late(self, platform, launch_id):
        change(launch_id, "RUNNING")
        change(launch_id, "FAILED")
        platform.repository.change_status(launch_id, Status.RETRY, execution_arn=None)

        assert end(launch_id, "FAILED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id).status == Status.RETRY

    def test_a_recorded_end_stays(self, platform, launch_id):
        change(launch_id, "RUNNING")
        change(launch_id, "COMPLETE")
        before = platform.repository.get(launch_id)

        assert end(launch_id, "SUCCEEDED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id) == before

    def test_a_stopped_launch_that_was_to_be_cancelled_is_cancelled(self, platform, launch_id):
        change(launch_id, "RUNNING")
        platform.repository.change_status(launch_id, Status.CANCEL_REQUESTED, execution_arn=None)

        assert end(launch_id, "ABORTED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id).status == Status.CANCELLED

    def test_the_end_of_another_execution_leaves_the_running_attempt_alone(self, platform, launch_id):
        change(launch_id, "RUNNING")

        assert end(launch_id, "SUCCEEDED", OTHER)["endedAttempt"] == 0
        assert platform.repository.get(launch_id).status == Status.RUNNING

    def test_an_end_told_of_late_leaves_the_next_attempt_alone(self, platform, launch_id):
        change(launch_id, "RUNNING")
        change(launch_id, "FAILED")
        platform.repository.change_status(launch_id, Status.RETRY, execution_arn=None)
        change(launch_id, "RUNNING", OTHER)

        assert end(launch_id, "FAILED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id).status == Status.RUNNING

    def test_settling_twice_changes_nothing_more(self, platform, launch_id):
        change(launch_id, "RUNNING")
        end(launch_id, "ABORTED")
        before = platform.repository.get(launch_id)

        assert end(launch_id, "ABORTED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id) == before

    def test_a_launch_that_is_not_there_has_no_attempts(self, platform):
        assert end("nowhere", "FAILED") == {"launchId": "nowhere", "endedAttempt": 0}
        detail = {"executionArn": ONE, "status": "FAILED", "input": "{}"}
        assert settle_launch.handler(detail, CONTEXT) == {"launchId": None, "endedAttempt": 0}

    def test_a_status_that_changes_meanwhile_is_read_again(self, platform, launch_id, monkeypatch):
        change(launch_id, "RUNNING")

        def meanwhile_cancelled(launch, ended):
            settlement = settle(launch, ended)
            if launch.status == Status.RUNNING:
                platform.repository.change_status(launch_id, Status.CANCEL_REQUESTED, execution_arn=None)
            return settlement

        monkeypatch.setattr(settle_launch, "settle", meanwhile_cancelled)

        assert end(launch_id, "ABORTED")["endedAttempt"] == 1
        assert platform.repository.get(launch_id).status == Status.CANCELLED
