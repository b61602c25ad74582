"""Reads items of the launch table: an item is a valid launch, or raises LaunchItemError.

People may write into the table by hand, and one invalid item must not stop the work on others. Functions (launch.py)
and the command line (genolaunch/launch_items.py) read all items through this module. It has no dependencies, because
the command line imports it each time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import ALLOWED_FROM, ASKED_BY_HAND, HeldFor, LaunchField, Status

MOST_ATTEMPTS: Final = 9_999
"""More than anybody needs. Names that end with the attempt have room for four digits."""

LARGEST_CONFIG_TEXT: Final = 192 * 1024
"""Bytes of a launch's config in its item, where any may be 400 KB (Amazon DynamoDB developer guide, "Quotas"): a launch
must have room for what becomes of it."""

LARGEST_HISTORY: Final = 64 * 1024
"""Bytes of a launch's events, after which it is asked for nothing more that runs."""

_REMEDY: Final = "Correct it in the launch table; the other attributes are valid."


class LaunchItemError(Exception):
    """An item of the launch table is not a valid launch: attributes are missing or invalid.

    It names the launch and the attributes, but no values, because these may be about people.
    """

    def __init__(self, launch_id: str, problems: Mapping[str, str]) -> None:
        """`problems`: attribute -> what it must be."""
        self.launch_id = launch_id
        self.problems = dict(problems)
        told = "; ".join(f"{attribute} must be {what}" for attribute, what in self.problems.items())
        super().__init__(f"The item of launch {launch_id} cannot be read: {told}. {_REMEDY}")

    @property
    def public(self) -> str:
        """The whole text; of type OpenError in all but name, since whoever asks for help need not wait for botocore."""
        return str(self)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that are at fault."""
        return tuple(self.problems)


_Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an attribute must be."""

    fits: _Check
    words: str


def check_item(item: Mapping[str, Any]) -> None:
    """Raise LaunchItemError unless an item (plain values) is a valid launch. Other attributes are not checked."""
    problems = problems_of(item)
    if problems:
        raise LaunchItemError(id_of(item), problems)


def problems_of(item: Mapping[str, Any]) -> dict[str, str]:
    """Attribute -> what it must be, for missing and invalid attributes."""
    missing = {name: _KINDS[name].words for name in _REQUIRED if item.get(name) is None}
    unfit = {
        name: kind.words for name, kind in _KINDS.items() if item.get(name) is not None and not kind.fits(item[name])
    }
    problems = missing | unfit
    if not problems.keys() & {LaunchField.STATUS, LaunchField.EVENTS} and not _is_in_turn(item):
        problems[LaunchField.STATUS] = _IN_TURN
    return problems


def _is_in_turn(item: Mapping[str, Any]) -> bool:
    """Each change of status is one write with its event: any other status was written by hand, and is no truth."""
    events = item.get(LaunchField.EVENTS)
    if not events:
        return True
    status, told = Status(item[LaunchField.STATUS]), Status(events[-1]["status"])
    return status == told or (status in ASKED_BY_HAND and told in ALLOWED_FROM[status])


def id_of(item: Mapping[str, Any]) -> str:
    """The launch's id, or a text in its place."""
    launch_id = item.get(LaunchField.LAUNCH_ID)
    return launch_id if isinstance(launch_id, str) and launch_id else "without an id"


def salvaged(item: Mapping[str, Any]) -> dict[str, Any]:
    """The valid attributes of an item, completed from the launch's events, for functions that must end the launch.

    Raises:
        LaunchItemError: the status is not known.
    """
    problems = problems_of(item)
    events = [] if LaunchField.EVENTS in problems else item.get(LaunchField.EVENTS) or []
    launch_id = id_of(item)
    known: dict[str, Any] = {
        LaunchField.LAUNCH_ID: launch_id,
        LaunchField.NAME: launch_id,
        LaunchField.ATTEMPT: sum(event["status"] == Status.RUNNING for event in events),
    }
    if events:
        known |= {LaunchField.SUBMITTED_AT: events[0]["at"], LaunchField.STATUS: events[-1]["status"]}
    known |= {name: value for name, value in item.items() if name not in problems and value is not None}
    if LaunchField.STATUS not in known or LaunchField.SUBMITTED_AT not in known:
        raise LaunchItemError(launch_id, problems)
    return known


# --- kinds of attributes -------------------------------------------------------------------------------------------
def is_moment(value: object) -> bool:
    """An ISO 8601 time with its zone, as the platform writes times."""
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - anything
    return _is_number(value) and value == int(value) and value >= 0


def _is_amount(value: object) -> bool:
    """An amount as the platform writes it: exact text."""
    if not isinstance(value, str):
        return False
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_config(value: object) -> bool:
    try:
        return (
            isinstance(value, str)
            and len(value.encode(errors="surrogatepass")) <= LARGEST_CONFIG_TEXT
            and isinstance(json.loads(value), dict)
        )
    except (ValueError, RecursionError):
        return False


def _is_one_of(names: type[Status] | type[HeldFor] | type[CostStatus]) -> _Check:
    known = {str(name) for name in names}
    return lambda value: isinstance(value, str) and value in known


def _is_map(required: Mapping[str, _Check], optional: Mapping[str, _Check] = MappingProxyType({})) -> _Check:
    def fits(value: object) -> bool:
        if not isinstance(value, Mapping):
            return False
        return all(name in value and check(value[name]) for name, check in required.items()) and all(
            value.get(name) is None or check(value[name]) for name, check in optional.items()
        )

    return fits


def _is_map_of(check: _Check, keys: Callable[[str], bool] = lambda _: True) -> _Check:
    return lambda value: isinstance(value, Mapping) and all(keys(key) and check(each) for key, each in value.items())


def _is_list_of(check: _Check) -> _Check:
    return lambda value: isinstance(value, Sequence) and not isinstance(value, str) and all(map(check, value))


_is_fault = _is_map_of(_is_text)
_is_error = _is_map({"type": _is_text, "message": _is_text}, {"faults": _is_list_of(_is_fault)})
_is_event = _is_map({"status": _is_one_of(Status), "at": is_moment}, {"error": _is_error, "executionArn": _is_text})
_is_cost = _is_map({LaunchField.TOTAL_COST: _is_amount}, {"pricedAt": is_moment})
_is_restore = _is_map(
    {"attempt": _is_whole, "objects": _is_whole, "size": _is_whole, "bytes": _is_whole, "usd": _is_number}
    | {"tier": _is_text, "days": _is_whole},
    {"expectedAt": is_moment},
)

_TEXT: Final = _Kind(_is_text, "text")
_MOMENT: Final = _Kind(is_moment, "a moment such as 2026-11-21T04:00:00.000Z")
_AMOUNT: Final = _Kind(_is_amount, "an amount as text, such as 1.25")
_SENTENCES: Final = _Kind(_is_list_of(_is_text), "a list of texts")
_NUMBERS: Final = _Kind(_is_map_of(_is_amount), "a map of names to numbers as text")

_KINDS: Final[Mapping[str, _Kind]] = {
    LaunchField.STATUS: _Kind(_is_one_of(Status), f"one of {', '.join(Status)}"),
    LaunchField.ATTEMPT: _Kind(
        lambda value: _is_whole(value) and value <= MOST_ATTEMPTS,
        f"a whole number from 0 to {MOST_ATTEMPTS}: how often it has run",
    ),
    LaunchField.CONFIG: _Kind(
        _is_config, f"the launch config, as a JSON object in text of at most {LARGEST_CONFIG_TEXT:,} bytes"
    ),
    LaunchField.ERROR: _Kind(_is_error, "a map with type and message, both text"),
    LaunchField.EVENTS: _Kind(_is_list_of(_is_event), "the list of what became of it, each with status and at"),
    LaunchField.WARNINGS: _SENTENCES,
    LaunchField.LISTS: _SENTENCES,
    LaunchField.FINDINGS: _SENTENCES,
    LaunchField.PROGRESS: _Kind(_is_map_of(_is_whole), "a map of counts of jobs"),
    LaunchField.RESTORE: _Kind(_is_restore, "the map of its archived inputs"),
    LaunchField.ESTIMATE: _Kind(
        _is_map(dict.fromkeys(("usd", "low", "high"), _is_amount) | {"basis": _is_text}), "the map of its estimate"
    ),
    LaunchField.HELD_FOR: _Kind(_is_one_of(HeldFor), f"one of {', '.join(HeldFor)}"),
    LaunchField.APPROVED_BUDGET: _AMOUNT,
    LaunchField.APPROVED_RESTORE: _Kind(
        _is_map({"bytes": _is_whole, "usd": _is_number}), "a map with bytes and usd, both numbers"
    ),
    LaunchField.BUDGET_TOLD: _Kind(_is_map({"attempt": _is_whole}, {"reason": _is_text}), "a map with attempt"),
    LaunchField.COST_STATUS: _Kind(_is_one_of(CostStatus), f"one of {', '.join(CostStatus)}"),
    LaunchField.COST_HISTORY: _Kind(
        _is_map_of(_is_cost, keys=lambda key: key.isascii() and key.isdigit()),
        "a map of numbers of attempts to what each cost",
    ),
    LaunchField.COST_RECONCILIATION: _Kind(_is_map_of(_is_text), "a map of texts"),
    LaunchField.STATUS_SECONDS: _NUMBERS,
    LaunchField.STEP_SECONDS: _NUMBERS,
    **dict.fromkeys(
        (LaunchField.SUBMITTED_AT, LaunchField.UPDATED_AT, LaunchField.STARTED_AT, LaunchField.ENDED_AT), _MOMENT
    ),
    **dict.fromkeys(
        (LaunchField.TOTAL_COST, LaunchField.INSTANCE_COST, LaunchField.VOLUME_COST, LaunchField.FILE_SYSTEM_COST),
        _AMOUNT,
    ),
    **dict.fromkeys(
        (
            LaunchField.LAUNCH_ID,
            LaunchField.NAME,
            LaunchField.WORKFLOW,
            LaunchField.COMPUTE_SERVICE,
            LaunchField.DATA_PATH,
            LaunchField.CONFIG_URI,
            LaunchField.CONFIG_SHA256,
            LaunchField.TEAM,
            LaunchField.REQUESTED_BY,
            LaunchField.EXECUTION_ARN,
            LaunchField.WORKFLOW_EXECUTION_ARN,
            LaunchField.LOG_GROUP,
            LaunchField.LOG_STREAM,
            LaunchField.RESULTS_URI,
            LaunchField.REPORT_URI,
            LaunchField.FILE_SYSTEM_ID,
            LaunchField.LAUNCHER_TASK_ARN,
            LaunchField.STATUS_REASON,
            LaunchField.COST_REASON,
            LaunchField.COST_EXECUTION_ARN,
            LaunchField.COST_URI,
        ),
        _TEXT,
    ),
}
"""Attribute of the launch table -> what it must be, where it is there."""

_IN_TURN: Final = f"what its events say last, or what may be asked for then ({', '.join(ASKED_BY_HAND)})"

_REQUIRED: Final = (LaunchField.LAUNCH_ID, LaunchField.NAME, LaunchField.STATUS, LaunchField.SUBMITTED_AT)
"""Without these an item is no launch's."""
