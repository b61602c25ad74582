"""What the files of state machines share is filled in, and what is wrong with them is said by machine and state."""

import json
from typing import Any

import pytest

from genolaunch.contract.workflow import Workflow
from statemachines.composition import FOLDER, NAMES, CompositionError, compose

SHARED: dict[str, Any] = {
    "Retry": {"aws": [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 4}]},
    "Catch": {"fail": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]},
    "States": {
        "call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:{{Call}}",
            "Arguments": "{{Arguments}}",
            "Retry": "aws",
        },
        "if": {"Type": "Choice", "Choices": [{"Condition": "{{If}}", "Next": "{{Then}}"}], "Default": "{{Else}}"},
    },
}


def composed(state: dict[str, Any], **parts: Any) -> dict[str, Any]:
    machine = {"StartAt": "It", **({"Parts": parts} if parts else {}), "States": {"It": state}}
    states: dict[str, Any] = compose(machine, SHARED, "machine")["States"]
    return dict(states["It"])


def test_a_named_rule_takes_the_place_of_its_name() -> None:
    state = composed({"Type": "Task", "Retry": "aws", "Catch": [{"ErrorEquals": ["Mine"], "Next": "There"}, "fail"]})

    assert state == {
        "Type": "Task",
        "Retry": SHARED["Retry"]["aws"],
        "Catch": [{"ErrorEquals": ["Mine"], "Next": "There"}, *SHARED["Catch"]["fail"]],
    }


def test_a_template_takes_values_of_any_type_and_the_states_other_fields() -> None:
    state = composed({"Use": "call", "Call": "fsx:tag", "Arguments": {"Id": ["{% $id %}"]}, "Retry": [], "End": True})

    assert state == {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:fsx:tag",
        "Arguments": {"Id": ["{% $id %}"]},
        "Retry": [],
        "End": True,
    }


def test_a_machines_own_part_may_use_a_shared_one_and_name_fields() -> None:
    stop = {"Use": "call", "Call": "sfn:stop", "Arguments": {"{{Field}}": "{{Value}}"}}

    state = composed({"Use": "stop", "Field": "Arn", "Value": 1, "Next": "On"}, States={"stop": stop})

    assert state["Arguments"] == {"Arn": 1}
    assert state["Resource"] == "arn:aws:states:::aws-sdk:sfn:stop"
    assert state["Retry"] == SHARED["Retry"]["aws"]


def test_states_within_states_are_composed_too() -> None:
    inner = {"StartAt": "Each", "States": {"Each": {"Type": "Task", "Retry": "aws"}}}

    mapped = composed({"Type": "Map", "ItemProcessor": inner})
    parallel = composed({"Type": "Parallel", "Branches": [inner]})

    for machine in (mapped["ItemProcessor"], *parallel["Branches"]):
        assert machine["States"]["Each"]["Retry"] == SHARED["Retry"]["aws"]


def test_a_table_of_workflows_has_an_entry_for_each() -> None:
    state = composed({"Type": "Pass", "Assign": {"table": {"EachWorkflow": {"run": "${{{Workflow}}Arn}"}}, "n": [1]}})

    assert state["Assign"] == {
        "table": {workflow.value: {"run": f"${{{workflow.capitalize()}Arn}}"} for workflow in Workflow},
        "n": [1],
    }


@pytest.mark.parametrize(
    ("state", "parts", "said"),
    [
        ({"Type": "Task", "Retry": "awss"}, {}, "machine, It: there is no Retry “awss”"),
        ({"Use": "cal"}, {}, "machine, It: there is no States “cal”"),
        ({"Use": "if", "If": "{% true %}"}, {}, "machine, It: “if” needs Else, Then"),
        ({"Use": "a"}, {"States": {"a": {"Use": "b"}, "b": {"Use": "a"}}}, "machine, It: “a” uses itself"),
        ({"Type": "Pass"}, {"Catch": {"mine": []}}, "machine: nothing uses Catch mine"),
    ],
)
def test_what_is_wrong_is_said_by_machine_and_state(state: Any, parts: Any, said: str) -> None:
    with pytest.raises(CompositionError) as raised:
        composed(state, **parts)

    assert str(raised.value) == said


def test_every_shared_part_is_used_by_two_machines_or_more() -> None:
    """Else it is the machine's own."""
    shared = json.loads((FOLDER / "parts.json").read_text(encoding="utf-8"))
    texts = [(FOLDER / f"{name}.asl.json").read_text(encoding="utf-8") for name in NAMES]

    lonely = [part for named in shared.values() for part in named if sum(f'"{part}"' in each for each in texts) < 2]
    assert lonely == []
