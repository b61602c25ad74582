"""What people write into a launch's item by hand, in the console or with the AWS CLI: asked for, odd, or nonsense."""

import json
import random
from collections.abc import Mapping
from typing import Any, Final

from genolaunch.contract.launch import LaunchField, Status
from tests.handlers.faults.tables import LARGEST_ITEM, size_of

Value = dict[str, Any] | None
"""An attribute value of DynamoDB; None takes the attribute out."""

FILLING: Final[Value] = {"S": "a config that leaves no room in the item"}

ASKED: Final[Mapping[str, Mapping[str, Value]]] = {
    **{f"asks for {status}": {LaunchField.STATUS: {"S": status}} for status in (Status.RETRY, Status.CANCEL_REQUESTED)},
    "approves a restore": {
        LaunchField.APPROVED_RESTORE: {"M": {"bytes": {"N": "1"}, "usd": {"N": "1"}}},
    },
    "approves a budget": {LaunchField.APPROVED_BUDGET: {"S": "25"}},
    "touches it": {LaunchField.UPDATED_AT: {"S": "2026-11-21T05:00:00.000Z"}},
}
"""What a console user may write at any time, though it means something only at some: without any condition."""

NONSENSE: Final[Mapping[str, Mapping[str, Value]]] = {
    "no name": {LaunchField.NAME: None},
    "a name that is a number": {LaunchField.NAME: {"N": "7"}},
    "updatedAt: today": {LaunchField.UPDATED_AT: {"S": "today"}},
    "updatedAt that is empty": {LaunchField.UPDATED_AT: {"S": ""}},
    "updatedAt without a time zone": {LaunchField.UPDATED_AT: {"S": "2026-11-21T05:00:00"}},
    "updatedAt that is a number": {LaunchField.UPDATED_AT: {"N": "1763700000"}},
    "submittedAt: yesterday": {LaunchField.SUBMITTED_AT: {"S": "yesterday"}},
    "no submittedAt": {LaunchField.SUBMITTED_AT: None},
    "no updatedAt": {LaunchField.UPDATED_AT: None},
    "startedAt: noon": {LaunchField.STARTED_AT: {"S": "noon"}},
    "endedAt: never": {LaunchField.ENDED_AT: {"S": "never"}},
    "attempt as text": {LaunchField.ATTEMPT: {"S": "1"}},
    "attempt as a word": {LaunchField.ATTEMPT: {"S": "first"}},
    "attempt 1.5": {LaunchField.ATTEMPT: {"N": "1.5"}},
    "attempt -3": {LaunchField.ATTEMPT: {"N": "-3"}},
    "attempt 10^30": {LaunchField.ATTEMPT: {"N": "1E+30"}},
    "no attempt": {LaunchField.ATTEMPT: None},
    "an unknown status": {LaunchField.STATUS: {"S": "DONE"}},
    "a status in small letters": {LaunchField.STATUS: {"S": "retry"}},
    "no status": {LaunchField.STATUS: None},
    **{f"{status} out of turn": {LaunchField.STATUS: {"S": status}} for status in Status},
    "a config that is no JSON": {LaunchField.CONFIG: {"S": "{name: height"}},
    "a config that is a list": {LaunchField.CONFIG: {"S": "[]"}},
    "a config that is a map": {LaunchField.CONFIG: {"M": {"name": {"S": "x"}}}},
    "a config of another kind": {LaunchField.CONFIG: {"S": '{"name": "x", "workflow": "snakemake"}'}},
    "a config nested deeply": {LaunchField.CONFIG: {"S": '{"a":' * 3000 + "1" + "}" * 3000}},
    "a config that fills the item": {LaunchField.CONFIG: FILLING},
    "no config": {LaunchField.CONFIG: None},
    "a retry with a config that is no JSON": {
        LaunchField.CONFIG: {"S": "nonsense"},
        LaunchField.STATUS: {"S": Status.RETRY},
    },
    "a retry of attempt 1.5": {LaunchField.ATTEMPT: {"N": "1.5"}, LaunchField.STATUS: {"S": Status.RETRY}},
    "a retry of an attempt as text": {LaunchField.ATTEMPT: {"S": "1"}, LaunchField.STATUS: {"S": Status.RETRY}},
    "READY without a name": {LaunchField.NAME: None, LaunchField.STATUS: {"S": Status.READY}},
    "a cancellation, updated today": {
        LaunchField.UPDATED_AT: {"S": "today"},
        LaunchField.STATUS: {"S": Status.CANCEL_REQUESTED},
    },
    "an execution that is a list": {LaunchField.EXECUTION_ARN: {"L": []}},
    "an execution that there is not": {LaunchField.EXECUTION_ARN: {"S": "arn:aws:states:none"}},
    "an author that is a number": {LaunchField.REQUESTED_BY: {"N": "5"}},
    "events that are text": {LaunchField.EVENTS: {"S": "none"}},
    "an error that is text": {LaunchField.ERROR: {"S": "broken"}},
    "a workflow that is a number": {LaunchField.WORKFLOW: {"N": "1"}},
    "a configUri that is a list": {LaunchField.CONFIG_URI: {"L": [{"S": "x"}]}},
    "a configUri of nowhere": {LaunchField.CONFIG_URI: {"S": "nowhere"}},
    "a cost history that is text": {LaunchField.COST_HISTORY: {"S": "much"}},
    "a cost status that nobody knows": {LaunchField.COST_STATUS: {"S": "CHEAP"}},
    "an approval that is a word": {LaunchField.APPROVED_BUDGET: {"M": {}}, LaunchField.APPROVED_RESTORE: {"S": "all"}},
    "halves of pairs": {LaunchField.NAME: {"S": "\udfff"}},
    "escape sequences": {LaunchField.NAME: {"S": "\x1b[2J\nheight"}},
    "nulls everywhere": {
        name: {"NULL": True} for name in (LaunchField.NAME, LaunchField.UPDATED_AT, LaunchField.ATTEMPT)
    },
}
"""What no program writes. The key and the keys of the index are text, as DynamoDB demands, or not there."""


def edited(item: Mapping[str, Any], changes: Mapping[str, Value]) -> dict[str, Any]:
    """The item with attributes set, or taken out."""
    kept = {name: value for name, value in item.items() if changes.get(name, value) is not None}
    after = kept | {name: value for name, value in changes.items() if value is not None}
    if after.get(LaunchField.CONFIG) is FILLING:
        after[LaunchField.CONFIG] = {"S": ""}
        room = LARGEST_ITEM - size_of(after) - 100
        after[LaunchField.CONFIG] = {"S": json.dumps({"name": "x" * room})}
    return after


def some(chance: random.Random, edits: Mapping[str, Mapping[str, Value]]) -> tuple[str, Mapping[str, Value]]:
    """One of them, with its name."""
    return chance.choice(list(edits.items()))
