"""Reads regenie's logs: its version, the number of people analysed, its warnings."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_BOXED = re.compile(r"^ *\|([^|=]+)\| *$", re.MULTILINE)
_ANALYSED = re.compile(r"number of individuals used in analysis = (\d+)")
_OBSERVED = re.compile(
    r"^ *- '(?P<trait>[^']+)': (?:(?P<all>\d+) observations|(?P<cases>\d+) cases and (?P<controls>\d+))", re.M
)
_WITHOUT_PREDICTIONS = re.compile(r"for phenotype '([^']+)'\s+\+ (\d+) individuals with missing LOCO predictions")
_WARNING = re.compile(r"^.*\bWARNING\b:? *(.+)$", re.MULTILINE)
KEPT_WARNINGS = 20
_STARTED = re.compile(r"^Start time: (.+)$", re.MULTILINE)
_ELAPSED = re.compile(r"^Elapsed time : ([0-9.e+-]+)s$", re.MULTILINE)
_ENDED = re.compile(r"^End time: (.+)$", re.MULTILINE)


def read_log(path: Path) -> str:
    """Text of a log; an absent one is empty. File names in it need not be UTF-8."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def version(log: str) -> str | None:
    """What the box at the top of a log says, such as "REGENIE v4.1.2.gz"."""
    return " ".join(" ".join(_BOXED.findall(log)).split()) or None


def analysed_people(log: str) -> int | None:
    """How many people have complete covariates and any of the traits; of step 2, predictions too.

    Where some have none, as many as the trait has that has most: the log tells them of each trait only.
    """
    match = _ANALYSED.search(log)
    lacking = without_predictions(log)
    if not match or not lacking:
        return int(match[1]) if match else None
    return max(people - lacking.get(trait, 0) for trait, people in _observed(log).items())


def without_predictions(log: str) -> dict[str, int]:
    """Trait -> people with a value whom step 2 leaves out of it, since they have no predictions; none is left out."""
    return {trait: int(people) for trait, people in _WITHOUT_PREDICTIONS.findall(log)}


def _observed(log: str) -> dict[str, int]:
    """Trait -> people with a value, with and without predictions."""
    return {
        found["trait"]: int(found["all"] or 0) + int(found["cases"] or 0) + int(found["controls"] or 0)
        for found in _OBSERVED.finditer(log)
    }


def warnings(logs: Iterable[str]) -> list[str]:
    """The different warnings of all logs, in the order of their first appearance."""
    found: dict[str, None] = {}
    for log in logs:
        found.update(dict.fromkeys(match.strip() for match in _WARNING.findall(log)))
        if len(found) > KEPT_WARNINGS:
            break
    return list(found)[:KEPT_WARNINGS]


def case_counts(log: str, trait: str) -> tuple[int, int] | None:
    """Cases and controls of a binary trait among the analysed people, as regenie's log gives them for each trait."""
    match = re.search(rf"^ *- '{re.escape(trait)}': (\d+) cases and (\d+) controls", log, re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else None


class RunTime(NamedTuple):
    """When a command ran, by the clock of its machine, and for how long."""

    started: datetime.datetime
    ended: datetime.datetime
    seconds: float


def run_time(log: str) -> RunTime | None:
    """From the log's first and last lines; None if the command did not come to its end."""
    started, elapsed, ended = _STARTED.search(log), _ELAPSED.search(log), _ENDED.search(log)
    if not (started and elapsed and ended):
        return None
    return RunTime(_moment(started[1]), _moment(ended[1]), float(elapsed[1]))


def _moment(text: str) -> datetime.datetime:
    """C's ctime, such as `Sat Nov 21 05:40:00 2026`, which has no time zone: the image's clock shows UTC."""
    return datetime.datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=datetime.timezone.utc)
