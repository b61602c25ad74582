"""How complex an event pattern is, and where EventBridge is taken to draw the line."""

from typing import Any

import pytest

from localcloud.limits.complexity import MOST_COMPLEX, complexity


def stacks(*names: str) -> list[dict[str, str]]:
    return [{"wildcard": f"*:stack/{name}Stack/*"} for name in names]


def test_three_wildcards_are_taken_and_four_are_not_as_reported_of_eventbridge() -> None:
    assert complexity({"detail": {"stack": stacks("Api", "Data", "Shared")}}) <= MOST_COMPLEX
    assert complexity({"detail": {"stack": stacks("Api", "Data", "Shared", "Web")}}) > MOST_COMPLEX


def test_eight_wildcards_of_one_field_are_refused() -> None:
    reasons = ("*network interface*", "*Network Interface*", "*NetworkInterface*", "*Not enough IP space*")
    more = ("*InsufficientFreeAddresses*", "*InsufficientCidrBlocks*", "ENI *", "* ENI *")

    assert complexity({"stoppedReason": [{"wildcard": one} for one in (*reasons, *more)]}) > MOST_COMPLEX


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ecs"], "detail": {"status": [{"prefix": "RUN"}, {"anything-but": ["x"]}]}},
        {"detail": {"key": [{"suffix": ".yaml"}] * 50}},
        {},
    ],
)
def test_without_wildcards_a_pattern_is_simple(pattern: dict[str, Any]) -> None:
    assert complexity(pattern) == 0


def test_fields_do_not_add_up_but_alternatives_of_one_field_do() -> None:
    one = {"a": stacks("Api", "Data")}

    assert complexity({**one, "b": stacks("Api", "Data")}) == complexity(one)
    assert complexity({"$or": [one, {"a": stacks("Shared", "Web")}]}) > MOST_COMPLEX
