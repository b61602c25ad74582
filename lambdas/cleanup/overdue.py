"""Finds attempts that have been over for so long that their resources should be gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.shared.launch import Launch


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that an attempt made and that still exists."""

    attempt: int
    created_at: datetime | None
    """None where AWS does not say (job definitions)."""
    what: str = ""
    """In words: "file system fs-0123, 1200 GiB"."""
    usd_per_hour: float = 0.0
    """Roughly."""


def overdue_attempt(launch: Launch | None, leftovers: Sequence[Leftover], over_before: datetime) -> int:
    """The last attempt that clean-up should have finished with, or 0 if there is nothing to do.

    The grace counts from when the attempt was over, so that it does not compete with the clean-up of its ending; for
    a launch that the table does not know, from when the things were made.
    """
    if launch is None:
        return _overdue_of_unknown(leftovers, over_before)
    ended_attempt = launch.attempt if launch.is_final else launch.attempt - 1
    over_since = launch.ended_at if launch.is_final else launch.started_at
    is_overdue = over_since is None or datetime.fromisoformat(over_since) <= over_before
    has_left_something = any(leftover.attempt <= ended_attempt for leftover in leftovers)
    return ended_attempt if is_overdue and has_left_something else 0


def _overdue_of_unknown(leftovers: Sequence[Leftover], over_before: datetime) -> int:
    old = [leftover for leftover in leftovers if leftover.created_at is None or leftover.created_at <= over_before]
    # Attempts count from 1: clean-up takes 0 for "nothing is over", and a missing tag reads as attempt 0.
    return max((max(leftover.attempt, 1) for leftover in old), default=0)
