"""Amazon CloudWatch Logs (API reference, PutLogEvents)."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import MIB, bytes_in, refuse

MOST_EVENT_BYTES: Final = MIB
"""Of one event's message."""

MOST_BATCH_BYTES: Final = 1_048_576
"""Of all events of a request, each with EVENT_BYTES."""

EVENT_BYTES: Final = 26
"""What an event counts besides its message."""

MOST_SPAN_MS: Final = 24 * 3600 * 1000
"""Between a request's first event and its last."""


def _events(params: Mapping[str, Any]) -> None:
    events = params.get("logEvents", [])
    sizes = [bytes_in(event.get("message")) + EVENT_BYTES for event in events]
    if any(size > MOST_EVENT_BYTES for size in sizes):
        refuse(
            "InvalidParameterException", f"Log event too large: {max(sizes)} bytes exceeds limit of {MOST_EVENT_BYTES}"
        )
    if sum(sizes) > MOST_BATCH_BYTES:
        refuse("InvalidParameterException", f"Upload too large: {sum(sizes)} bytes exceeds limit of {MOST_BATCH_BYTES}")
    times = [event.get("timestamp", 0) for event in events]
    if times != sorted(times):
        refuse(
            "InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order."
        )
    if times and times[-1] - times[0] > MOST_SPAN_MS:
        refuse(
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )


LIMITS: Final = {"PutLogEvents": (_events,)}
