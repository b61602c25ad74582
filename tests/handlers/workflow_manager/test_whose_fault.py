"""A launch that fails is counted for the alarm only if its author cannot mend it."""

import json

import pytest

from genolaunch.contract.errors import INPUTS_UNSEEN
from genolaunch.contract.metrics import ANY_SERVICE, Metric
from lambdas.workflow_manager import change_status, settle_launch

from .conftest import CONTEXT, GOOD

EXECUTION = "arn:execution:one"
FAULTS = [{"where": "regenie.traits", "problem": "names ldl, which is constant", "remedy": "Leave it out."}]
REPORT = json.dumps({"errorType": "LaunchInputError", "errorMessage": json.dumps({"message": "1", "faults": FAULTS})})


@pytest.fixture
def launch_id(platform):
    """Given: a launch that runs."""
    platform.register(platform.put("launches/height.yaml", GOOD))
    launch_id = platform.launches()[0].launch_id
    change(launch_id, "RUNNING")
    return launch_id


@pytest.fixture
def counted(capsys):
    """How often the metric was put, with the dimensions that the alarm asks for."""

    def read() -> int:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        found = [line for line in lines if Metric.PLATFORM_FAULTS in line]
        for line in found:
            assert line["service"] == ANY_SERVICE
            assert set(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == {"stage", "service"}
        return int(sum(sum(line[Metric.PLATFORM_FAULTS]) for line in found))

    return read


def change(launch_id, to, **extra):
    return change_status.handler({"launchId": launch_id, "to": to, "executionArn": EXECUTION, **extra}, CONTEXT)


def nested(error, cause):
    return {
        "Error": "States.TaskFailed",
        "Cause": json.dumps({"ExecutionArn": "arn", "Status": "FAILED", "Error": error, "Cause": cause}),
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"Error": "LaunchInputError", "Cause": REPORT}, "REJECTED"),  # a wrong genotype file
        (nested("LaunchInputError", REPORT), "REJECTED"),
        (nested("ApplicationError", "The job of step 2 failed (exit code 1)."), "FAILED"),  # a failing Snakefile
        (nested("OutOfMemoryError", "Step 2 ran out."), "FAILED"),
        (nested("TimedOutError", "It ran longer than a job may."), "FAILED"),
        ({"Error": "StoppedError", "Cause": "Stopped by a person."}, "FAILED"),
    ],
)
def test_an_authors_own_error_is_not_counted(platform, launch_id, counted, error, status):
    change(launch_id, "FAILED", error=error)

    assert platform.repository.get(launch_id).status == status
    assert counted() == 0


@pytest.mark.parametrize(
    "error",
    [
        {"Error": "KeyError", "Cause": json.dumps({"errorType": "KeyError", "errorMessage": "'x'"})},
        {"Error": "Sandbox.Timedout", "Cause": json.dumps({"errorMessage": "Task timed out after 300.00 seconds"})},
        {"Error": "States.DataLimitExceeded", "Cause": "too much"},
        nested("CapacityUnavailableError", "ECS had no capacity."),
        nested("FileSystemError", "The step File system failed."),
        nested("ImagePullError", "The job's container image could not be had."),
    ],
)
def test_any_other_is_counted_once(platform, launch_id, counted, error):
    change(launch_id, "FAILED", error=error)

    assert platform.repository.get(launch_id).status == "FAILED"
    assert counted() == 1


@pytest.mark.parametrize(("ending", "times"), [("ABORTED", 0), ("TIMED_OUT", 0), ("FAILED", 1)])
def test_an_execution_that_could_not_record_its_end(launch_id, counted, ending, times):
    detail = {"executionArn": EXECUTION, "status": ending, "input": json.dumps([{"launchId": launch_id}])}
    settle_launch.handler({**detail, "error": "States.Runtime", "cause": "No such variable."}, CONTEXT)

    assert counted() == times


def test_a_look_at_a_waiting_launchs_inputs_that_breaks_is_counted_and_the_launch_keeps_its_place(platform, counted):
    for name in "abcd":
        platform.register(platform.put(f"launches/{name}.yaml", f"{GOOD}\n# {name}\n"))
    ids = [launch.launch_id for launch in platform.launches()]
    last = [each for each in ids if change(each, "RUNNING")["status"] == "QUEUED"]
    assert len(last) == len(ids) - 3  # the stage's slots
    counted()

    detail = {"executionArn": EXECUTION, "status": "FAILED", "input": json.dumps([{"launchId": last[0]}])}
    error = {"error": INPUTS_UNSEEN, "cause": 'Sandbox.Timedout: {"errorMessage": "Task timed out"}'}
    settle_launch.handler({**detail, **error}, CONTEXT)

    assert platform.repository.get(last[0]).status == "QUEUED"
    assert counted() == 1


def test_one_that_failed_without_a_reason_is_counted(launch_id, counted):
    change(launch_id, "FAILED")

    assert counted() == 1


def test_a_config_that_is_refused_is_not_counted(platform, counted):
    platform.register(platform.put("launches/wrong.yaml", "name: wrong\nworkflow: regenie\n"))

    assert platform.launches()[0].status == "REJECTED"
    assert counted() == 0
