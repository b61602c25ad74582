"""What Step Functions would refuse of an expression is found before it is deployed."""

import pytest

from checks.jsonata.places import assigned_variables, places_of
from checks.jsonata.rules import faults, faults_of_files


def test_every_expression_of_the_state_machines_keeps_the_rules() -> None:
    assert faults_of_files() == []


def found_in(**state: object) -> str:
    """The faults of a state of a machine that assigns `$launchId` before it."""
    definition = {
        "States": {
            "Before": {"Type": "Pass", "Assign": {"launchId": "a"}, "Next": "It"},
            "It": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", **state},
        }
    }
    return "\n".join(faults(list(places_of("m", definition)), {"m": assigned_variables(definition)}))


SEND = "arn:aws:states:::sqs:sendMessage"
CATCH = {"ErrorEquals": ["States.ALL"], "Next": "It"}


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({"Output": "{% $states.input. %}"}, "does not parse it: S0207"),
        ({"Output": "{% $launchId ?? 'none' %}"}, "does not parse it"),
        ({"Output": "{% $launchId ?: 'none' %}"}, "does not parse it"),
        ({"Output": "{% $eval('1') %}"}, "no $eval"),
        ({"Output": "{% $map(['1'], $eval) %}"}, "no $eval"),
        ({"Output": " {% $launchId %}"}, "only if it begins with"),
        ({"Output": {"a": ["of {% $launchId %}"]}}, "only if it begins with"),
        ({"Output": "{% $launch %}"}, "$launch is neither assigned"),
        ({"Output": "{% $toTitle($launchId) %}"}, "$toTitle is neither assigned"),
        ({"Output": "{% ($mine := 1; $mine) + $mine %}"}, "$mine is neither assigned"),
        ({"Output": "{% launchId %}"}, "launchId needs an input document"),
        ({"Output": "{% $.launchId %}"}, "$ needs an input document"),
        ({"Output": "{% [1].$$ %}"}, "$$ needs an input document"),
        ({"Output": "{% [1][$ > launchId] ~> $map(function($x) { size }) %}"}, "size needs an input document"),
        ({"Output": "{% $states.inputs.launchId %}"}, "no member inputs"),
        ({"Output": "{% $lookup($states, 'input') %}"}, "no member that is named plainly"),
        ({"Arguments": {"a": "{% $states.result.b %}"}}, "$states.result is there only"),
        ({"Type": "Pass", "Output": "{% $states.result %}"}, "$states.result is there only"),
        ({"Catch": [{**CATCH, "Output": "{% $states.result %}"}]}, "$states.result is there only"),
        ({"Output": "{% $states.errorOutput.Error %}"}, "$states.errorOutput is there only"),
        ({"Output": "{% $states.context.variables.launchId %}"}, "context object has no variables"),
        ({"Arguments": {"token": "{% $states.context.Task.Token %}"}}, "waits for its token"),
        ({"Output": "{% $states.context.Map.Item.Value %}"}, "only in ItemSelector"),
        ({"Comment": "{% $launchId %}"}, "this field takes no expression"),
        ({"Retry": [{"ErrorEquals": ["a"], "MaxAttempts": "{% 1 %}"}]}, "this field takes no expression"),
        ({"Assign": {"count": 1}}, "variable count: it would hide the function"),
        ({"Assign": {"hash": 1}}, "variable hash: it would hide the function"),
        ({"Assign": {"states": 1}}, "$states is reserved"),
        ({"Assign": {"launch-id": 1}}, "a name is an identifier"),
        ({"Assign": {"a" * 81: 1}}, "a name is an identifier"),
    ],
)
def test_what_step_functions_refuses_is_a_fault(state, fault) -> None:
    assert fault in found_in(**state)


@pytest.mark.parametrize(
    "state",
    [
        {"Output": "{% $states.result.items[size > 1 and $ != 'x'].{'name': name, 'of': $states.input.launchId} %}"},
        {"Output": "{% $map($states.result.list, function($each, $i) { $each.name & $i & $launchId }) %}"},
        {"Output": "{% ($a := $split($launchId, '-'); $double := function($n) { $n * 2 }; $double($count($a))) %}"},
        {"Output": "{% $partition($range(0, 9, 1), 3) ~> $append($hash($uuid(), 'SHA-256')) %}"},
        {"Output": "{% $parse('{}') ~> |$|{'a': $random(7)}| %}"},
        {"Output": "{% $states.input.list@$each#$i.{'each': $each, 'i': $i} %}"},
        {"Output": "{% $states.input.list^(>age){name: $sum(age)} %}"},
        {"Output": "{% $states.input.a.b.%.c %}"},
        {"Output": "{% $count(['a', 'b'][$contains($launchId, $)]) > 0 %}"},
        {"Output": "{% ([1, 2])[$ > 1] & $split($launchId, '-')[$ != ''] & $launchId[$ = 'a'] %}"},
        {"Catch": [{**CATCH, "Assign": {"why": "{% $states.errorOutput.Cause %}"}}]},
        {"Resource": f"{SEND}.waitForTaskToken", "Arguments": {"a": "{% $states.context.Task.Token %}"}},
        {"Type": "Map", "ItemSelector": {"a": "{% $states.context.Map.Item.Value %}"}},
        {"Type": "Map", "Output": "{% $states.result %}"},
        {"Type": "Choice", "Choices": [{"Condition": "{% $launchId = 'a' %}", "Next": "It"}]},
        {"TimeoutSeconds": "{% $states.input.seconds %}"},
    ],
)
def test_what_step_functions_takes_is_none(state) -> None:
    assert found_in(**state) == ""


def test_states_of_a_map_have_places_of_their_own() -> None:
    inner = {"States": {"Inner": {"Type": "Pass", "Output": "{% $nowhere %}"}}}

    assert found_in(Type="Map", ItemProcessor=inner).startswith("m: Inner: Output: $nowhere")
