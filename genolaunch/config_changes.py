"""Changes of a launch config that are typed as KEY=VALUE: where each belongs, and of which type it is.

The model of launch configs decides both: a value is what it must be for its key, and a wrong key is a fault with the
keys that are spelled alike.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.config_files import FaultyConfigError, checked_values
from genolaunch.errors import WrongArgumentError
from genolaunch.shared.counted import counted

if TYPE_CHECKING:
    from genolaunch.launch import Fault

Values = dict[str, Any]
"""A launch config as plain values."""
Place = tuple[str | int, ...]
"""Keys and list indices from the top of a config down to a value."""

_PART: Final = re.compile(r"(?P<key>[^.\[\]]+)(?P<indices>(\[\d+\])*)")


@dataclass(frozen=True)
class Change:
    """A value that a config is to have; None takes the key out."""

    place: Place
    text: str | None

    @classmethod
    def parse(cls, text: str) -> "Change":
        """From `KEY=VALUE`, or `KEY=` to take the key out. Raises WrongArgumentError."""
        key, separator, value = text.partition("=")
        if not separator or not key.strip():
            raise WrongArgumentError(f"“{text}” is not KEY=VALUE, such as regenie.step1.jobs=40.")
        return cls(_place(key.strip(), text), value.strip() or None)

    @property
    def key(self) -> str:
        """As the faults of a config write it."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place).removeprefix(".")


def _place(key: str, text: str) -> Place:
    place: list[str | int] = []
    for part in key.split("."):
        match = _PART.fullmatch(part)
        if match is None:
            raise WrongArgumentError(f"“{text}” has no key such as regenie.step1.jobs or regenie.traits[0].")
        place += [match["key"], *(int(index) for index in re.findall(r"\d+", match["indices"]))]
    return tuple(place)


def changed(config: Values, changes: Sequence[Change], what: str) -> Values:
    """The config with the changes, as it is submitted: without those of its defaults that now contradict them.

    Raises FaultyConfigError, whose faults are all that is wrong with it, of `what`; WrongArgumentError where a key
    leads nowhere.
    """
    values = deepcopy(config)
    for change in changes:
        values = _with(values, change)
    while True:
        try:
            checked_values(values, what)
        except FaultyConfigError as error:
            outdated = [place for place in _outdated(config, error.faults, changes) if _has(values, place)]
            if not outdated:
                raise
            for place in outdated:
                _remove(values, place)
        else:
            return values


def _outdated(config: Values, faults: Sequence["Fault"], changes: Sequence[Change]) -> Iterator[Place]:
    """Places at fault that nobody wrote: the platform had filled them in, by what the config said before."""
    given = {change.place for change in changes}
    for fault in faults:
        try:
            place = _place(fault.where, fault.where)
        except WrongArgumentError:  # the whole file
            continue
        if place in given or not _has(config, place):
            continue
        without = deepcopy(config)
        _remove(without, place)
        if _is_same(config, without):
            yield place


def _is_same(config: Values, other: Values) -> bool:
    try:
        return checked_values(config, "").as_json() == checked_values(other, "").as_json()
    except FaultyConfigError:
        return False


def _with(values: Values, change: Change) -> Values:
    """The values with one change, of the first type that its key takes."""
    if change.text is None:
        if not _has(values, change.place):
            raise WrongArgumentError(f"{change.key} is not set, so that it cannot be taken out.")
        without = deepcopy(values)
        _remove(without, change.place)
        return without
    tried = [_set(values, change, value) for value in _readings(change.text)]
    return next((each for each in tried if not _is_at_fault(each, change)), tried[0])


def _readings(text: str) -> list[object]:
    """What a text may mean: as a config has it, as text, or as a list whose entries are between commas."""
    from genolaunch.launch_configs.config_text import read_text
    from genolaunch.shared.errors import MissingRequiredParametersError

    def read(part: str) -> object:
        try:
            return read_text(part.encode(), is_json=False)
        except MissingRequiredParametersError:
            return part

    entries = [entry.strip() for entry in text.split(",")]
    return [read(text), text, [read(entry) for entry in entries], entries]


def _is_at_fault(values: Values, change: Change) -> bool:
    try:
        checked_values(values, "")
    except FaultyConfigError as error:
        return any(fault.where.startswith(change.key) for fault in error.faults)
    return False


def _set(values: Values, change: Change, value: object) -> Values:
    result = deepcopy(values)
    holder: Any = result
    for part, following in zip(change.place, (*change.place[1:], None), strict=True):
        _require_place(holder, part, change)
        is_last = following is None
        empty: object = value if is_last else [] if isinstance(following, int) else {}
        if isinstance(holder, list) and part == len(holder):
            holder.append(empty)
        elif is_last or (isinstance(holder, dict) and holder.get(part) is None):
            holder[part] = empty
        holder = holder[part]
    return result


def _require_place(holder: object, part: str | int, change: Change) -> None:
    if isinstance(part, int):
        if not isinstance(holder, list):
            raise WrongArgumentError(f"{change.key}: what is before [{part}] is no list.")
        if part > len(holder):
            raise WrongArgumentError(
                f"{change.key}: the list has {counted(len(holder), 'entry', 'entries')}, of which the first is [0]."
            )
    elif not isinstance(holder, dict):
        kind = "a list, whose entries are [0], [1], …" if isinstance(holder, list) else "a value, which has no keys"
        raise WrongArgumentError(f"{change.key}: what is before {part} is {kind}.")


def _has(values: Values, place: Place) -> bool:
    holder: Any = values
    for part in place:
        if isinstance(part, int):
            if not isinstance(holder, list) or part >= len(holder):
                return False
        elif not isinstance(holder, dict) or part not in holder:
            return False
        holder = holder[part]
    return True


def _remove(values: Values, place: Place) -> None:
    holder: Any = values
    for part in place[:-1]:
        holder = holder[part]
    del holder[place[-1]]


def differences(before: Values, after: Values) -> list[str]:
    """`KEY: OLD -> NEW` of every value that is another; of one that is new or gone, with a dash."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    found = []
    for place in dict.fromkeys([*old, *new]):
        if old.get(place) != new.get(place):
            told = [json.dumps(side[place], ensure_ascii=False) if place in side else "–" for side in (old, new)]
            found.append(f"{Change(place, None).key}: {told[0]} -> {told[1]}")
    return found


def _leaves(value: object, place: Place) -> Iterator[tuple[Place, object]]:
    """Values that are no sections; a list of plain values is one value."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(each, (*place, str(key)))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(each, (*place, index))
    else:
        yield place, value
