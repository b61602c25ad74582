"""What a launch's error says, from what Step Functions says."""

import json

import pytest

from lambdas.shared.failure import failure, failure_of_ending, status_after


def nested(**inner):
    return {"Error": "States.TaskFailed", "Cause": json.dumps({"ExecutionArn": "arn", **inner})}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "ExportError", "message": "Two files."}, ("ExportError", "Two files.")),
        ({"Error": "OutOfMemoryError", "Cause": "Ran out."}, ("OutOfMemoryError", "Ran out.")),
        (
            nested(Status="FAILED", Error="FileSystemError", Cause="No mount."),
            ("FileSystemError", "No mount."),
        ),
        (nested(Status="FAILED", **nested(Error="ExportError", Cause="Deep.")), ("ExportError", "Deep.")),
        (nested(Status="ABORTED"), ("StoppedError", "The execution was stopped.")),
        (nested(Status="TIMED_OUT"), ("TimedOutError", "The launch exceeded its time limit.")),
        ({"Error": "States.Timeout", "Cause": ""}, ("TimedOutError", "The launch exceeded its time limit.")),
        (
            {"Error": "KeyError", "Cause": json.dumps({"errorType": "KeyError", "errorMessage": "'x'"})},
            ("PlatformError", "KeyError: 'x'"),
        ),
        ({"Error": "States.Runtime", "Cause": "[1]"}, ("PlatformError", "States.Runtime: [1]")),
        (
            {"Error": "States.Runtime", "Cause": '{"ExecutionArn": "cut'},
            ("PlatformError", 'States.Runtime: {"ExecutionArn": "cut'),
        ),
        ({"Error": None, "Cause": None}, ("PlatformError", "The platform gave no reason.")),
    ],
)
def test_the_innermost_error_counts_and_has_a_known_type(error, expected):
    found = failure(error)

    assert (found["type"], found["message"]) == expected


def test_a_long_cause_is_cut_and_says_so():
    message = failure({"Error": "ExportError", "Cause": "x" * 30_000})["message"]

    assert len(message) == 20_001
    assert message.endswith("x…")


def test_fifty_faults_of_a_launchs_inputs_are_all_told():
    faults = [{"where": "regenie.genotypes", "problem": f"fault {n}", "remedy": "remedy " * 30} for n in range(50)]
    report = json.dumps({"message": "The launch's inputs have 50 faults.", "faults": faults})

    found = failure(nested(Status="FAILED", Error="LaunchInputError", Cause=report))

    assert found == {"type": "LaunchInputError", "message": "The launch's inputs have 50 faults.", "faults": faults}


def test_a_report_of_faults_that_was_cut_on_its_way_still_tells_whose_fault_it_is():
    found = failure({"Error": "LaunchInputError", "Cause": '{"message": "The launch\'s inputs have 900 fau'})

    assert found["type"] == "LaunchInputError"
    assert "faults" not in found


@pytest.mark.parametrize(("error_type", "status"), [("LaunchInputError", "REJECTED"), ("ExportError", "FAILED")])
def test_a_launch_is_rejected_for_its_inputs_and_fails_for_all_else(error_type, status):
    assert status_after({"type": error_type, "message": "No."}) == status


def test_how_an_execution_ended_names_its_error():
    error = {"Error": "Cancelled", "Cause": "Cancelled on request"}

    assert failure_of_ending("ABORTED", error) == {"type": "StoppedError", "message": "Cancelled on request"}
    assert failure_of_ending("TIMED_OUT", {})["type"] == "TimedOutError"
    assert failure_of_ending("SUCCEEDED", {})["type"] == "PlatformError"
