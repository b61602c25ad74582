"""The time, as the tables hold it."""

from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """`moment` (by default now) as ISO 8601 in UTC with milliseconds, which sorts as text: 2026-11-21T04:00:00.000Z."""
    utc = (moment or datetime.now(UTC)).astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
