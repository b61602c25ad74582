"""Amazon EventBridge (User guide, "Amazon EventBridge quotas"; API reference, PutEvents)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.complexity import MOST_COMPLEX, complexity
from localcloud.limits.sizes import MIB, bytes_in, refuse

MOST_PATTERN: Final = 2_048
"""Most characters of a rule's event pattern (default; the model has 4,096, which AWS allows on request)."""

MOST_ENTRIES_BYTES: Final = MIB
"""Size that all entries of one PutEvents together must stay below (256 KB until January 2026)."""

TIME_BYTES: Final = 14
"""Bytes for which an entry's Time counts ("Calculating PutEvents event entry size")."""

MOST_TARGETS: Final = 5
"""Most targets of a rule."""


def check_pattern(text: str | None) -> None:
    """Refuse an event pattern that EventBridge refuses: it is not a JSON object, or it is too complex."""
    if text is None:
        return
    try:
        pattern = json.loads(text)
    except ValueError:
        pattern = None
    if not isinstance(pattern, dict):
        refuse("InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not an object")
    if complexity(pattern) > MOST_COMPLEX:
        refuse(
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: Rule is too complex - try using fewer wildcard characters or fewer "
            "repeating character sequences after a wildcard character",
        )


def _rule(params: Mapping[str, Any]) -> None:
    text = params.get("EventPattern")
    if text is not None and len(text) > MOST_PATTERN:
        refuse("LimitExceededException", f"Event pattern is longer than {MOST_PATTERN} characters.")
    check_pattern(text)


def _targets(params: Mapping[str, Any]) -> None:
    if len(params.get("Targets") or []) > MOST_TARGETS:
        refuse("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def _entries(params: Mapping[str, Any]) -> None:
    if sum(map(entry_size, params.get("Entries", []))) >= MOST_ENTRIES_BYTES:
        refuse("ValidationException", "Total size of the entries in the request is over the limit.")


def entry_size(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry of PutEvents."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return (TIME_BYTES if entry.get("Time") else 0) + sum(map(bytes_in, texts))


def _filters(params: Mapping[str, Any]) -> None:
    source = params.get("SourceParameters") or {}
    for one in (source.get("FilterCriteria") or {}).get("Filters") or []:
        check_pattern(one.get("Pattern"))


LIMITS: Final = {
    "PutRule": (_rule,),
    "TestEventPattern": (_rule,),
    "PutTargets": (_targets,),
    "PutEvents": (_entries,),
}
PIPE_LIMITS: Final = {"CreatePipe": (_filters,), "UpdatePipe": (_filters,)}
"""EventBridge Pipes' filters are event patterns. The model limits them: at most five, of 4,096 characters each."""
