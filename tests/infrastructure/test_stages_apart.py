"""Stages of one account keep apart, also where one's name begins as another's: no pattern of `unit` fits `unit2`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from genolaunch.contract.project import PROJECT
from stacks.config import read_stages
from tests.infrastructure.conftest import RAW_SETTINGS, Stack, make_settings, synthesize
from tests.infrastructure.test_parallelcluster import CLUSTER

Stacks = Mapping[str, Stack]

_MATCHERS: Final = {"prefix": "{}*", "suffix": "*{}", "wildcard": "{}"}
"""Of event patterns, as globs (EventBridge user guide, "Comparison operators")."""

EVERYTHING: Final = {
    "parallelcluster": CLUSTER,
    "images": {"inspector": True},
    "backup_days": 5,
    "teams": ["red", "blue"],
}


@pytest.fixture(scope="module")
def one() -> Stacks:
    return synthesize(make_settings(**EVERYTHING))


@pytest.fixture(scope="module")
def other() -> Stacks:
    return synthesize(read_stages({"unit2": {**RAW_SETTINGS, **EVERYTHING}})["unit2"])


def texts(value: Any) -> Iterator[str]:
    """Each text of a template; what only the deployment knows is `<name>` in it."""
    match value:
        case str():
            yield value
        case {"Fn::Join": [str(between), list(parts)]}:
            yield between.join(next(texts(part), "<>") for part in parts)
        case {"Fn::Sub": str(text)}:
            yield re.sub(r"\$\{(\w+[^}]*)\}", r"<\1>", text)
        case {"Ref": str(name)}:
            yield f"<{name}>"
        case {"Fn::GetAtt": _} | {"Fn::GetStackOutput": _} | {"Fn::ImportValue": _}:
            yield "<>"
        case dict():
            for inner in value.values():
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def globs(stacks: Stacks) -> set[str]:
    """Every pattern with which the stage speaks of names: in policies, rules, pipes and their like."""
    found = set()
    for stack in stacks.values():
        found |= {text for text in texts(stack.template["Resources"]) if re.search(r"[*?]", text)}
        for rule in (*stack.all("AWS::Events::Rule").values(), *stack.all("AWS::Pipes::Pipe").values()):
            found |= set(_of_events(rule))
    # What does not speak of Genolaunch is not meant for one stage; expressions are no patterns.
    return {each for each in found if PROJECT in each and " " not in each and len(each) < 500}


def _of_events(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _MATCHERS:
                yield from (_MATCHERS[key].format(text) for text in texts(inner))
            else:
                yield from _of_events(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _of_events(inner)


def names(stacks: Stacks, stage: str) -> set[str]:
    """Names and ARNs: what a stage gives, what CloudFormation makes of its stacks' names, and what it speaks of."""
    found = {text for stack in stacks.values() for text in texts(stack.template["Resources"]) if stage in text}
    found |= {
        f"{PROJECT}-{stage}-{name}-{id_}-1ABCDEFGHIJK"
        for name, stack in stacks.items()
        for id_ in stack.template["Resources"]
    }
    found = {re.sub(r"[*?]", "x", text) for text in found if " " not in text}
    found |= {re.sub(r"[*?]", "x", text) for text in globs(stacks)}
    return found | {text.rpartition(":")[2] for text in found}


def fits(glob: str, name: str) -> bool:
    """As IAM and EventBridge match: `*` is any text, `?` any character. Of an ARN, also by the name in it alone."""
    after_colon = glob.rpartition(":")[2]
    ends = {glob, after_colon, after_colon.partition("/")[2]}
    patterns = [re.escape(each).replace(r"\*", ".*").replace(r"\?", ".") for each in ends if PROJECT in each]
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def confusions(one: Stacks, other: Stacks) -> list[tuple[str, str]]:
    candidates = sorted(names(other, "unit2"))
    return [
        (glob, next(name for name in candidates if fits(glob, name)))
        for glob in sorted(globs(one))
        if any(fits(glob, name) for name in candidates)
    ]


def test_no_pattern_of_a_stage_fits_what_belongs_to_another(one, other):
    assert len(globs(one)) > 10, "there are patterns to be looked at"
    assert confusions(one, other) == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"Resource": "arn:aws:ssm:eu-west-1:111111111111:parameter/genolaunch/unit*"},
        {"Resource": "arn:aws:states:eu-west-1:111111111111:execution:genolaunch-*"},
        {"Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:genolaunch-unit*"},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:111111111111:cluster/genolaunch-unit*"}}},
        {"Resource": "arn:aws:dynamodb:eu-west-1:111111111111:table/genolaunch-unit?-data-*"},
    ],
)
def test_a_pattern_that_does_is_found(one, other, spoiled):
    template = {"Resources": {"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Statement": [spoiled]}}}}

    assert confusions({"data": Stack("data", template)}, other)


def test_a_rules_prefix_that_does_is_found(one, other):
    pattern = {"detail": {"clusterArn": [{"prefix": "arn:aws:ecs:eu-west-1:111111111111:cluster/genolaunch-unit"}]}}
    template = {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}}}

    assert confusions({"data": Stack("data", template)}, other)


def test_their_names_differ(one, other):
    """What is named alike in two stages of an account could be deployed once only."""
    named: dict[str, set[str]] = {}
    for stage, stacks in (("unit", one), ("unit2", other)):
        named[stage] = {
            text
            for stack in stacks.values()
            for resource in stack.template["Resources"].values()
            for key, value in resource.get("Properties", {}).items()
            if key.endswith("Name") or key in ("Name",)
            for text in [json.dumps(value)]
            if PROJECT in text and "Fn::" not in text
        }

    assert named["unit"]
    assert named["unit"] & named["unit2"] == set()
