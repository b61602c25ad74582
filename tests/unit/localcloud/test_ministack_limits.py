"""Executions end at AWS's limits: the size of a state's data, the events of a history."""

from typing import Any

import pytest

from localcloud.limits.stepfunctions import MOST_EVENTS, MOST_PAYLOAD
from localcloud.ministack_adapter import TaskError
from localcloud.ministack_limits import TOO_LARGE, _not_by_all, _within


def add(execution: dict[str, Any], event_type: str, details: Any = None) -> None:
    del details
    execution["events"].append(event_type)


add_within = _within(add, MOST_PAYLOAD, MOST_EVENTS)


def test_a_history_has_at_most_25_000_events_with_the_one_that_ends_it() -> None:
    execution: dict[str, Any] = {"events": ["any"] * (MOST_EVENTS - 2)}

    add_within(execution, "PassStateEntered")
    with pytest.raises(TaskError, match="maximum number of history events"):
        add_within(execution, "PassStateExited")
    add_within(execution, "ExecutionFailed")

    assert len(execution["events"]) == 25_000


@pytest.mark.parametrize("letter", ["x", "é"])
def test_bytes_count_and_not_how_ministack_writes_them(letter: str) -> None:
    within = letter * ((MOST_PAYLOAD - 2) // len(letter.encode()))

    def exited(output: str) -> dict[str, Any]:
        return {"stateExitedEventDetails": {"name": "Grow", "output": f'"{output}"'}}

    add_within({"events": []}, "PassStateExited", exited(within))
    with pytest.raises(TaskError) as ended:
        add_within({"events": []}, "PassStateExited", exited(within + letter))

    assert ended.value.error == "States.DataLimitExceeded"


def test_only_who_names_the_error_catches_it() -> None:
    matches = _not_by_all(lambda wanted, error: "States.ALL" in wanted or error in wanted)

    assert matches(["States.ALL"], "Any.Other")
    assert matches([TOO_LARGE], TOO_LARGE)
    assert not matches(["States.ALL"], TOO_LARGE)
