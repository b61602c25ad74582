"""Putting a fault into words never raises, whatever is wrong at whatever place of the schema; and has words of its own
for each pattern and each kind of constraint."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from genolaunch.launch_configs import config_reader
from genolaunch.launch_configs.config_reader import check_config
from genolaunch.launch_configs.config_text import read_text
from genolaunch.launch_configs.models import PATTERNS_IN_WORDS
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault
from tests.unit.workflow_manager.schema_values import SCHEMA, Place, choices, places, put, wrong_values
from tests.unit.workflow_manager.test_config_reader import config

PLACES = list(places())

BASES = {
    "regenie": config(),
    "snakemake": {
        "name": "x",
        "workflow": "snakemake",
        "data": "x",
        "snakemake": {"snakefile": "workflows/x/Snakefile"},
    },
}

FORMS_OF_PATHS = {r"\.(bed|pgen|bgen)$"}
"""Patterns that the schema alone has, for editors: the model says the same in a function's words."""


def faults_of(values: Any) -> tuple[Fault, ...]:
    """The faults, after a look that they can be stored; nothing else may be raised."""
    try:
        check_config(values)
    except MissingRequiredParametersError as error:
        for fault in error.faults:
            json.dumps(fault.as_dict(), ensure_ascii=False).encode()
            assert all(text.isprintable() for text in fault.as_dict().values())
            assert fault.where
            assert fault.problem
            assert fault.remedy
        return error.faults
    return ()


def wrong_configs() -> Iterator[tuple[Place, Any, tuple[Fault, ...]]]:
    """Each place with each of its wrong values, and what is said of it."""
    for workflow, place, schema in PLACES:
        for value in wrong_values(schema):
            yield place, value, faults_of(put(BASES[workflow], place, value))


def test_every_wrong_value_at_every_place_is_said_in_words_of_our_own():
    dotted = 0
    for place, value, found in wrong_configs():
        dotted += bool(found)
        for fault in found:
            assert config_reader._NO_BETTER_REMEDY not in fault.remedy, (place, value, fault)
            assert "{" not in fault.problem.replace(repr(value), ""), (place, value, fault)
    assert dotted > 2000


def test_every_pattern_of_the_schema_has_words():
    patterns = {schema["pattern"] for _, _, schema in PLACES if "pattern" in schema}

    assert len(patterns) > 8
    assert patterns - FORMS_OF_PATHS <= PATTERNS_IN_WORDS.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [("par_region", "GRCh38"), ("version", "latest"), ("traits", ["a b"])],
)
def test_a_pattern_or_constraint_without_words_is_a_fault_all_the_same(monkeypatch, name, value):
    """Also of a later release, which brings one and forgets its words."""
    monkeypatch.setattr(config_reader, "PATTERNS_IN_WORDS", {})
    (fault,) = faults_of(config({name: value}))
    assert fault.problem.startswith("does not have the required form; you gave")

    monkeypatch.setattr(config_reader, "_EXPECTATIONS", {"string_type": ("{lost}", "{lost}")})
    (fault,) = faults_of(config({name: 5}))
    assert fault.remedy


def test_keys_that_are_missing_or_too_many_are_said_wherever_they_are():
    for workflow, place, schema in PLACES:
        if "properties" not in schema:
            continue
        where = ".".join(map(str, place)).replace(".0", "[0]")
        found = faults_of(put(BASES[workflow], place, {"fenotypes": 1}))
        said = {fault.where for fault in found}
        assert f"{where}.fenotypes" in said
        assert {f"{where}.{name}" for name in schema.get("required", [])} <= said


_LONG_KEY = "k" * 30_000
BOUNDS = {
    "19 levels": '{"a": ' * 19 + "1" + "}" * 19,
    "21 levels": '{"a": ' * 21 + "1" + "}" * 21,
    "21 lists": '{"a": ' + "[" * 21 + "]" * 21 + "}",
    "3,000 lists": "[" * 3000 + "]" * 3000,
    "30,000 lists": "[" * 30_000 + "]" * 30_000,
    "without an end": "[" * 60_000,
    "half of a pair": r'{"name": "\ud800"}',
    "half of a pair in a key": r'{"snakemake": {"config": {"a": {"\udfff": 1}}}}',
    "half of a pair within": r'{"snakemake": {"config": {"a": ["\ud800"]}}}',
    "not a number": '{"snakemake": {"config": {"a": NaN}}}',
    "infinity": '{"snakemake": {"config": {"a": Infinity}}}',
    "infinite": '{"snakemake": {"config": {"a": {"b": 1e999}}}}',
    "5,000 digits": '{"snakemake": {"config": {"a": %s}}}' % ("9" * 5000),
    "4,000 digits": '{"snakemake": {"config": {"a": %s}}}' % ("9" * 4000),
    "64 bits": '{"snakemake": {"config": {"a": 9223372036854775808}}}',
    "63 bits": '{"snakemake": {"config": {"a": -9223372036854775807}}}',
    "a key twice": '{"name": "a", "name": "b"}',
    "a key twice within": '{"snakemake": {"config": {"a": {"b": 1, "b": 1}}}}',
    "half of a pair twice": r'{"\ud800": 1, "\ud800": 2}',
    "a long key twice": f'{{"{_LONG_KEY}": 1, "{_LONG_KEY}": 2}}',
    "a key that steers": r'{"a\u001b[2J\n": 1}',
    "a control character": r'{"name": "\u0000"}',
    "65,537 bytes": '{"name": "%s"}' % ("x" * 65_525),
}
"""JSON, which is YAML as well."""
ALLOWED = {"19 levels", "63 bits"}
NOT_YAML = {"not a number", "infinity"}
"""YAML 1.2 writes these otherwise; as here, they are text."""


def _verdict(text: str, *, is_json: bool) -> tuple[Any, set[str]]:
    """What was read, if anything was, and what is wrong with it, but for keys that are missing or unknown."""
    try:
        values = read_text(text.encode(), is_json=is_json)
    except MissingRequiredParametersError as error:
        return None, {"refused" if all(len(fault.problem) <= 500 for fault in error.faults) else "at length"}
    usual = ("is required, but missing", "is not a key of a launch config")
    return values, {fault.where for fault in faults_of(values) if not fault.problem.startswith(usual)}


@pytest.mark.parametrize("name", BOUNDS)
def test_both_formats_have_the_same_bounds(name):
    as_json, as_yaml = (_verdict(BOUNDS[name], is_json=is_json) for is_json in (True, False))

    assert bool(as_json[1]) == (name not in ALLOWED | {"a key that steers"})
    if name not in NOT_YAML:
        assert as_json == as_yaml


def test_yaml_alone_has_keys_that_are_no_text_and_they_are_faults():
    for text in ("1: a", "null: a", "1.5: a", "true: a"):
        values = read_text(f"workflow: snakemake\nsnakemake: {{config: {{a: {{{text}}}}}}}".encode(), is_json=False)
        (fault,) = (fault for fault in faults_of(values) if fault.where == "snakemake.config.a")
        assert fault.problem == "has a key that is not text"


def test_the_schema_is_looked_through_as_a_whole():
    """Or else the tests above would see a part of it."""
    named = {name for _, place, _ in PLACES for name in place if isinstance(name, str)}
    assert named == {
        name for part in [*choices(SCHEMA), *SCHEMA["$defs"].values()] for name in part.get("properties", {})
    }
