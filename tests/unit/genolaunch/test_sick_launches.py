"""Items of the launch table that somebody edited by hand: lists show them as what they are, and nothing breaks."""

import json

import pytest

SICK = [
    {"updatedAt": {"S": "today"}},
    {"attempt": {"S": "1"}},
    {"attempt": {"N": "1.5"}},
    {"config": {"S": "no json"}},
    {"dataPath": {"M": {}}},
    {"events": {"S": "none"}},
    {"costHistory": {"M": {"1": {"M": {"totalCost": {"S": "cheap"}}}}}},
]


@pytest.fixture(params=SICK, ids=lambda sick: "-".join(sick))
def sick(request, content) -> str:
    """Given: a launch that is well, and one that is not; the attribute."""
    content.launch("well-1", status="FAILED", startedAt={"S": "2026-11-21T04:00:00.000Z"})
    content.launch("sick-1", status="FAILED", startedAt={"S": "2026-11-21T04:00:00.000Z"}, **request.param)
    (attribute,) = request.param
    return str(attribute)


def test_a_list_has_both_and_says_what_to_mend(genolaunch, sick):
    answer = genolaunch("list")

    assert answer.exit_code == 0
    assert {"well-1", "sick-1"} <= set(answer.stdout.split())
    assert f"The item of launch sick-1 cannot be read: {sick} must be" in answer.stderr
    told = {each["launchId"]: each["sick"] for each in json.loads(genolaunch("list", "--json").stdout)}
    assert told["well-1"] is None
    assert sick in told["sick-1"]


def test_the_status_of_one_is_a_sentence(genolaunch, sick):
    answer = genolaunch("status", "sick-1")

    assert answer.exit_code == 3
    assert f"{sick} must be" in answer.stderr
    assert "Correct it in the launch table" in answer.stderr
    assert genolaunch("status", "well-1").exit_code == 0


def test_costs_count_both(genolaunch, sick):
    answer = genolaunch("costs", "--json")

    assert answer.exit_code == 0
    assert sum(each["launches"] for each in json.loads(answer.stdout)) == 2
