"""What becomes of a job of Tibanna's for which EC2 has no instance: its own states, from the start of the instance on.

The answers are those of Tibanna 6.1.0, which fails with a plain Exception for codes that it does not know.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from statemachines.composition import definition
from tests.statemachines.asl import evaluate

STATES = definition("tibanna")["States"]
QUOTA_CODES = [
    "MaxSpotInstanceCountExceeded",
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotFleetRequestCountExceeded",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientVolumeCapacity",
    "SpotMaxPriceTooLow",
    "VolumeLimitExceeded",
]


def refused(code: str) -> dict[str, str]:
    """Tibanna's failure when CreateFleet answers with this code."""
    answer = {"FleetId": "fleet-1", "Errors": [{"ErrorCode": code, "ErrorMessage": "No."}], "Instances": []}
    message = f"Unexpected result from create_fleet command: {json.dumps(answer)}"
    return {"Error": "Exception", "Cause": json.dumps({"errorMessage": message, "errorType": "Exception"})}


def throttled() -> dict[str, str]:
    """Its failure when EC2 is called too often."""
    message = "An error occurred (RequestLimitExceeded) when calling the CreateFleet operation: Request limit exceeded."
    return {"Error": "ClientError", "Cause": json.dumps({"errorMessage": message, "errorType": "ClientError"})}


def run(failures: Sequence[dict[str, str]], started: timedelta = timedelta(), **config: Any) -> tuple[list[Any], Any]:
    """The `config`s with which an instance was asked for, "wait" between them, and the failure that is left."""
    given = {
        "jobid": "j1",
        "config": {"spot_instance": True, "behavior_on_capacity_limit": "retry_without_spot", **config},
    }
    start = (datetime.now(UTC) - started).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    context = {"Execution": {"Input": given, "StartTime": start}}
    variables: dict[str, Any] = {}
    left, seen, data, name = list(failures), [], given, "RunTaskAwsem"
    while name not in ("CheckTaskAwsem", "Find the instance"):
        state, taken = STATES[name], STATES[name]
        scope = {**variables, "states": {"input": data, "context": context}}
        if state["Type"] == "Task":
            asked = evaluate(state["Arguments"]["Payload"], scope)["config"]
            seen.append("Spot" if asked["spot_instance"] else "On-Demand")
            if not left:
                return seen, None
            scope["states"]["errorOutput"] = left.pop(0)
            names = {scope["states"]["errorOutput"]["Error"], "States.ALL"}
            taken = next(rule for rule in state["Catch"] if names & set(rule["ErrorEquals"]))
        elif state["Type"] == "Choice":
            chosen = [rule for rule in state["Choices"] if evaluate(rule["Condition"], scope)]
            taken = chosen[0] if chosen else {"Next": state["Default"]}
        elif state["Type"] == "Wait":
            seen.append("wait")
        variables |= evaluate(taken.get("Assign", {}), scope)
        data = evaluate(taken.get("Output", data), scope)
        name = taken["Next"]
    return seen, variables["failure"]


@pytest.mark.parametrize("code", QUOTA_CODES)
def test_without_spot_for_any_reason_the_job_runs_on_demand(code):
    assert run([refused(code)]) == (["Spot", "On-Demand"], None)


@pytest.mark.parametrize("code", QUOTA_CODES)
@pytest.mark.parametrize("behaviour", ["retry_without_spot", "wait_and_retry"])
def test_a_quota_of_on_demand_is_waited_for(code, behaviour):
    asked = {"spot_instance": False, "behavior_on_capacity_limit": behaviour}

    assert run([refused(code)] * 2, **asked) == (["On-Demand", "wait", "On-Demand", "wait", "On-Demand"], None)


def test_after_the_wait_spot_is_asked_for_again():
    seen, failure = run([refused("MaxSpotInstanceCountExceeded"), refused("VcpuLimitExceeded")])

    assert (seen, failure) == (["Spot", "On-Demand", "wait", "Spot"], None)


def test_too_many_calls_are_made_again_later_and_buy_nothing_dearer():
    assert run([throttled()]) == (["Spot", "wait", "Spot"], None)


def test_who_asked_to_fail_is_told_at_once_by_tibannas_own_name_for_it():
    seen, failure = run([refused("VcpuLimitExceeded")], behavior_on_capacity_limit="fail")

    assert seen == ["Spot"]
    assert failure["Error"] == "EC2InstanceLimitException"
    assert "VcpuLimitExceeded" in failure["Cause"]


def test_no_job_waits_longer_than_an_executions_history_bears():
    seen, failure = run([refused("VcpuLimitExceeded")] * 2, started=timedelta(hours=11))

    assert (seen, failure["Error"]) == (["Spot", "On-Demand"], "EC2InstanceLimitException")
    assert 9 * 36_000 // STATES["Wait for capacity"]["Seconds"] < 600  # of the 1,000 events that polling leaves


@pytest.mark.parametrize(
    "failure",
    [
        refused("InvalidParameterValue"),
        {"Error": "EC2UnintendedTerminationException", "Cause": "MaxSpotInstanceCountExceeded was not the reason"},
        {"Error": "States.Timeout", "Cause": ""},
        {"Error": "States.Timeout"},
    ],
)
def test_other_failures_are_told_as_they_are(failure):
    assert run([failure]) == (["Spot"], failure)
