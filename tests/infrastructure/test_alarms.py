"""Alarms tell of the platform's faults. Those of launches' authors are told to their authors."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from genolaunch.contract.errors import INPUTS_UNSEEN, ErrorType
from genolaunch.contract.metrics import ANY_SERVICE, Metric
from genolaunch.contract.project import PROJECT
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.workflows import WORKFLOWS
from lambdas.shared.failure import is_platforms_fault
from statemachines.composition import NAMES, definition
from tests.infrastructure.conftest import Stack, make_settings, synthesize
from tests.infrastructure.references import owner_of
from tests.infrastructure.test_parallelcluster import CLUSTER

OF_LAUNCHES = {"launch", *(workflow.value for workflow in Workflow), "jobs", "slurm", "restore", "tibanna"}
"""State machines that end FAILED when a launch's config, data, program or jobs are at fault."""

READ_BY_LAUNCHES = {
    "workflow_manager.change_status",
    "regenie.list_inputs",
    "regenie.plan_launch",
    "regenie.verify_inputs",
    "snakemake.make_roles",
    "snakemake.prepare_snakemake",
    "restore.find_archived",
    "restore.index_objects",
}
"""Functions that raise what is wrong with a launch, or that it is over already; whatever they raise ends a launch."""

OTHERS_OWN = {"tibanna"}
"""Stacks of published functions, whose errors only their state machine understands."""


@pytest.fixture(scope="module")
def with_cluster() -> dict[str, Stack]:
    """Given: a stage with all kinds of launches."""
    return synthesize(make_settings(parallelcluster=CLUSTER))


def watched(stacks: Mapping[str, Stack], namespace: str, metric: str) -> set[tuple[str, str]]:
    """The resources whose metric raises an alarm."""
    found = set()
    for name, stack in stacks.items():
        for alarm in stack.all("AWS::CloudWatch::Alarm").values():
            if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric):
                owner = owner_of(stacks, name, alarm["Dimensions"][0]["Value"])
                assert owner is not None
                found.add(owner)
    return found


def functions(stacks: Mapping[str, Stack]) -> dict[tuple[str, str], str]:
    """Where each function is -> `capability.module` of its handler."""
    return {
        (name, id_): properties["Handler"].removeprefix("lambdas.").removesuffix(".handler")
        for name, stack in stacks.items()
        if name not in OTHERS_OWN
        for id_, properties in stack.all("AWS::Lambda::Function").items()
    }


def machines(stacks: Mapping[str, Stack]) -> dict[tuple[str, str], str]:
    """Where each state machine is -> its workflow."""
    return {
        (name, id_): name if name in OTHERS_OWN else properties["StateMachineName"].removeprefix("genolaunch-unit-")
        for name, stack in stacks.items()
        for id_, properties in stack.all("AWS::StepFunctions::StateMachine").items()
    }


def test_an_execution_that_fails_raises_an_alarm_unless_its_launch_may_be_at_fault(with_cluster):
    every = machines(with_cluster)
    failing = {every[owner] for owner in watched(with_cluster, "AWS/States", "ExecutionsFailed")}
    throttled = {every[owner] for owner in watched(with_cluster, "AWS/States", "ExecutionThrottled")}

    assert {name for name in every.values() if name in OF_LAUNCHES} == throttled
    assert failing == set(every.values()) - throttled
    assert {"cleanup", "benchmark", "export"} <= failing


def test_a_function_that_fails_raises_an_alarm_unless_its_launch_may_be_at_fault(stacks):
    every = functions(stacks)
    failing = {every[owner] for owner in watched(stacks, "AWS/Lambda", "Errors")}

    assert set(every.values()) - failing == READ_BY_LAUNCHES


def tasks(states: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for state in states.values():
        if state["Type"] == "Task":
            yield state
        for inner in (*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])):
            yield from tasks(inner["States"])


LOOKED_UP = "{% $parts.check %}"
"""The function of a launch's workflow that looks for its inputs."""


def test_what_a_state_machine_knows_by_name_raises_no_alarm(stacks):
    """Else each of these would: a wrong genotype file, a launch that was cancelled at the wrong moment."""
    named = set()
    for machine in NAMES:
        for task in tasks(definition(machine)["States"]):
            errors = {name for rule in (*task.get("Catch", []), *task.get("Retry", [])) for name in rule["ErrorEquals"]}
            if errors & {"LaunchInputError", "InputsChangedError", "StatusConflictError"}:
                named.add(task["Arguments"]["FunctionName"].removeprefix("${").removesuffix("FunctionArn}"))
    modules = {"".join(word.title() for word in each.partition(".")[2].split("_")) for each in READ_BY_LAUNCHES}
    given = stacks["workflow-manager"].one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    checks = [json.dumps(given[f"{workflow.capitalize()}CheckFunctionArn"]) for workflow in Workflow]

    assert LOOKED_UP in named
    assert named - {LOOKED_UP} <= modules
    for check in checks:
        assert check == '"none"' or any(f"Functions{module}" in check for module in modules), check


def test_no_machine_of_launches_takes_whatever_broke_for_its_end():
    """An execution that caught everything and succeeded would tell nobody."""
    swallowed = [
        (machine, name)
        for machine in sorted(OF_LAUNCHES)
        for states in [definition(machine)["States"]]
        for name, state in states.items()
        for rule in state.get("Catch", [])
        if "States.ALL" in rule["ErrorEquals"] and states[rule["Next"]]["Type"] == "Succeed"
    ]
    assert swallowed == []


def test_a_look_at_a_waiting_launchs_inputs_that_breaks_fails_by_the_name_that_is_counted():
    states = definition("launch")["States"]
    looks = [name for name, state in states.items() if state.get("Arguments", {}).get("Payload", {}).get("check")]

    assert looks == ["Look for its inputs"]
    for name in looks:
        (after,) = [rule["Next"] for rule in states[name]["Catch"] if "States.ALL" in rule["ErrorEquals"]]
        assert (states[after]["Type"], states[after]["Error"]) == ("Fail", INPUTS_UNSEEN)


def test_a_launch_that_fails_through_the_platforms_fault_raises_an_alarm(stacks):
    alarm = stacks["observability"].one("AWS::CloudWatch::Alarm", Metric.PLATFORM_FAULTS)

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (PROJECT, Metric.PLATFORM_FAULTS, "Sum")
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert dimensions == {"stage": "unit", "service": ANY_SERVICE}
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (1, "notBreaching")
    assert alarm["AlarmActions"]


PLATFORMS = {
    ErrorType.INVALID_ARGUMENTS,  # of the message that the platform itself wrote
    ErrorType.CAPACITY,
    ErrorType.NEVER_STARTED,
    ErrorType.FILE_SYSTEM,
    ErrorType.EXPORT,
    ErrorType.RESTORE,
    ErrorType.PLATFORM,
}
OF_THE_STAGES_IMAGE = {ErrorType.IMAGE_PULL, ErrorType.CONTAINER_START, ErrorType.ACCESS_DENIED}


def test_whose_fault_each_type_is():
    for workflow, theirs in ((Workflow.REGENIE, set()), (Workflow.SNAKEMAKE, OF_THE_STAGES_IMAGE)):
        told = {each for each in ErrorType if is_platforms_fault({"type": each.value, "message": ""}, workflow)}

        assert told == (PLATFORMS | OF_THE_STAGES_IMAGE) - theirs
        assert told == set(ErrorType) - WORKFLOWS[workflow].users_errors


def test_what_is_known_of_no_workflow_is_the_platforms_matter():
    assert is_platforms_fault({"type": "PlatformError", "message": ""}, None)
    assert is_platforms_fault({"type": "SomethingNew", "message": ""}, "regenie")


@pytest.mark.parametrize(
    "message",
    [
        "It gave up: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - none is large enough",
        "The job of step 2 failed (no exit code): it could not start: none of the stage's instance types is large "
        "enough; lower regenie.resources.step2, or ask for larger types in the stage's batch.instance_types.",
    ],
)
def test_a_job_that_is_larger_than_any_instance_is_its_authors_matter(message):
    assert not is_platforms_fault({"type": "JobNeverStartedError", "message": message}, "regenie")
    assert is_platforms_fault({"type": "JobNeverStartedError", "message": "AWS had no instance for it"}, "regenie")
