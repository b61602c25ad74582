"""AWS's own samples of events (tests/data/events), and how tests make theirs of them without inventing a key."""

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent / "data" / "events"

Event = dict[str, Any]

TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def documented(name: str, **changes: Any) -> Event:
    """The sample `<name>.json`, with other values: `detail__jobName="x"` for `detail.jobName`.

    Raises KeyError for a key that the sample lacks, and TypeError for a value of another JSON type: what is tested with
    it is an event as AWS documents it.
    """
    event: Event = deepcopy(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["event"])
    for path, value in changes.items():
        *above, last = path.split("__")
        place: Any = event
        for key in above:
            place = place[int(key) if isinstance(place, list) else _spelled(place, key)]
        last_key = int(last) if isinstance(place, list) else _spelled(place, last)
        if type_of(place[last_key]) != type_of(value):
            raise TypeError(f"{path} is of type {type_of(place[last_key])} in {name}.json, not {type_of(value)}")
        place[last_key] = value
    return event


def type_of(value: Any) -> str:
    """Its type in JSON."""
    return "null" if value is None else TYPES[type(value)]


def _spelled(place: Event, key: str) -> str:
    """The key as the sample has it: `detail_type` stands for `detail-type`."""
    return key if key in place else next(each for each in place if each.replace("-", "_") == key)


def differences(
    event: Any,
    sample: Any,
    *,
    at: str = "",
    added: Mapping[str, Collection[str]] = MappingProxyType({}),
    left_out: Collection[str] = (),
) -> list[str]:
    """Where an event has other keys, or values of other JSON types, than AWS's sample of it.

    Args:
        event: of the embedded cloud.
        sample: what `documented` gives.
        at: where they are, as `detail.container`.
        added: keys besides the sample's that AWS documents for it, by where they are.
        left_out: what the event may lack, as `detail.attempts`.
    """
    if type_of(event) != type_of(sample):
        return [f"{at}: {type_of(event)}, not {type_of(sample)}"]
    if isinstance(sample, list):
        # What AWS lists, each alike; a sample without any tells nothing of them.
        return [
            fault
            for each in event
            if sample
            for fault in differences(each, sample[0], at=f"{at}[]", added=added, left_out=left_out)
        ]
    if not isinstance(sample, dict):
        return []
    faults = []
    for key in sample.keys() | event.keys():
        place = f"{at}.{key}".lstrip(".")
        if key not in event:
            faults += [] if place in left_out else [f"{place}: missing"]
        elif key not in sample:
            faults += [] if key in added.get(at, ()) else [f"{place}: not documented"]
        else:
            faults += differences(event[key], sample[key], at=place, added=added, left_out=left_out)
    return sorted(faults)
