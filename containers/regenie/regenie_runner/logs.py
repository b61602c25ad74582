"""What regenie's own logs say: its version, the people it analysed, its warnings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_BOXED = re.compile(r"^ *\|([^|=]+)\| *$", re.MULTILINE)
_ANALYSED = re.compile(r"number of individuals used in analysis = (\d+)")
_WARNING = re.compile(r"^.*\bWARNING\b:? *(.+)$", re.MULTILINE)
_KEPT_WARNINGS = 20


def read_log(path: Path) -> str:
    """Text of a log; an absent one is empty. File names in it need not be UTF-8."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def version(log: str) -> str | None:
    """What the box at the top of a log says, such as "REGENIE v4.1.2.gz"."""
    return " ".join(" ".join(_BOXED.findall(log)).split()) or None


def analysed_people(log: str) -> int | None:
    """How many people have complete covariates and any of the traits."""
    match = _ANALYSED.search(log)
    return int(match[1]) if match else None


def warnings(logs: Iterable[str]) -> list[str]:
    """The different warnings of all logs, in the order of their first appearance."""
    found: dict[str, None] = {}
    for log in logs:
        found.update(dict.fromkeys(match.strip() for match in _WARNING.findall(log)))
        if len(found) > _KEPT_WARNINGS:
            break
    return list(found)[:_KEPT_WARNINGS]
