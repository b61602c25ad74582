"""The comparison of two JSONata engines (`make check-jsonata`) sees what it is for."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from checks.jsonata import corpus
from checks.jsonata.compare import compare, same
from checks.jsonata.corpus import Corpus, Scope, load, read_recordings, renew
from checks.jsonata.places import places_of, places_of_files
from checks.jsonata.reference import parse
from localcloud.jsonata_record import Evaluation, Recorder


def place(expression: str):
    """A machine's only expression."""
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Output": f"{{% {expression} %}}"}
    (only,) = places_of("launch", {"States": {"Run": state}})
    return only


def faults(expression: str, *scopes: Scope, **substitutions: str) -> str:
    """What is wrong with it."""
    return "\n".join(compare([place(expression)], Corpus(scopes, {"launch": substitutions})).faults)


def on(**variables: object) -> Scope:
    return Scope("launch", "Run", "Output", variables=variables)


@pytest.mark.parametrize(
    ("expression", "scopes", "fault"),
    [
        ("$string($n)", [on(n=1), on(n=12345678901234567890)], "the engines differ"),
        ("$n.size", [on(n={"size": 1}), on(n={})], "neither engine has a result"),
        ("$n", [], "no state was recorded"),
        ("$n", [Scope("launch", "Other", "Output", variables={"n": 1})], "no state was recorded"),
        ("$n", [on(n=1), Scope("launch", "Gone", "Output")], "launch: Gone: Output: a state of tests/data/jsonata"),
        ("'${Bucket}'", [on()], "no value for the substitution 'Bucket'"),
    ],
)
def test_what_is_wrong_is_told(expression, scopes, fault) -> None:
    assert fault in faults(expression, *scopes)


@pytest.mark.parametrize(
    ("expression", "scopes"),
    [
        ("$n + 1", [on(n=1), on(n=0.1)]),
        ("'${Bucket}' & '/' & '${Bucket}'", [on()]),
        ("$states.result.a", [Scope("*", "*", "Output", states={"result": {"a": None}})]),
        ("$now() & $uuid()", [on()]),
    ],
)
def test_what_is_right_is_not(expression, scopes) -> None:
    assert faults(expression, *scopes, Bucket="data") == ""


def test_the_scopes_of_a_substitutions_other_value() -> None:
    other = Scope("launch", "Run", "Output", substitutions={"Type": "B"})

    (usual, special) = Corpus((on(), other), {"launch": {"Type": "A"}}).evaluations(place("'${Type}'"))

    assert (usual.expression, special.expression) == ("'A'", "'B'")


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), ("1", 1), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (None, 0)]
)
def test_results_that_are_not_the_same(one, other) -> None:
    assert not same(one, other)
    assert not same({"a": [one]}, {"a": [other]})


def test_recordings_become_one_scope_of_each_shape_with_no_more_than_is_read(tmp_path) -> None:
    for name, content in (("by_hand", []), ("substitutions", {})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    here = place("$states.input.id & '${Stage}' & $deep.below.name")
    recorder = Recorder(tmp_path / "recorded")
    for name in ("a", "b", ""):
        states = {"input": {"id": "x", "other": 1}, "context": {"State": {"Name": "Run"}}}
        variables = {"deep": {"below": {"name": name, "more": [1]}}, "unread": 1}
        expression = "$states.input.id & 'dev' & $deep.below.name"
        recorder.write(Evaluation("genolaunch-local-launch", "Run", expression, states, variables, f"xdev{name}1"))
    recorder.write(Evaluation("genolaunch-local-jobs", "Run", expression, states, {"deep": 1}, "another machine's"))
    parsed = dict(zip([here], parse([here.expression]), strict=True))

    renew(read_recordings(tmp_path / "recorded"), parsed, tmp_path)

    renewed = load(tmp_path)
    assert renewed.substitutions == {"launch": {"Stage": "dev"}}
    assert [(scope.states, scope.variables) for scope in renewed.scopes] == [
        ({"input": {"id": "x"}}, {"deep": {"below": {"name": name}}}) for name in ("", "a")
    ]
    assert compare([here], renewed).faults == ()


def test_recordings_lose_the_folders_of_their_machine(tmp_path) -> None:
    told = f"{Path(corpus.__file__).parents[2]}/lambdas/a.py and {tempfile.gettempdir()}/pytest-1/run/b.py and /work/c"

    assert corpus.without_own_paths(told) == "/checkout/lambdas/a.py and /tmp/b.py and /work/c"


def test_an_expression_that_was_not_reached_keeps_its_scopes(tmp_path) -> None:
    for name, content in (("by_hand", []), ("substitutions", {"launch": {"A": "a"}})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    scope: dict[str, Any] = {"machine": "launch", "state": "Run", "within": "Output", "variables": {"n": 1}}
    (tmp_path / "launch.jsonl").write_text(json.dumps(scope) + "\n")
    here = place("$n")

    renew([], dict(zip([here], parse([here.expression]), strict=True)), tmp_path)

    assert load(tmp_path) == Corpus((Scope(**scope),), {"launch": {"A": "a"}})


def test_every_expression_of_the_state_machines_has_a_state_to_be_evaluated_on() -> None:
    scopes = load().scopes

    assert [str(each) for each in places_of_files() if not any(scope.covers(each) for scope in scopes)] == []
