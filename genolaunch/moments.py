"""Moments as people write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from genolaunch.errors import WrongArgumentError

_AGE: Final = re.compile(r"(?P<number>\d{1,6})(?P<unit>[mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str, now: datetime | None = None) -> datetime:
    """`90m`, `12h`, `2d` or `1w` before now, or an ISO 8601 date or time (local unless it names its zone).

    Raises WrongArgumentError when it is neither.
    """
    age = _AGE.fullmatch(text)
    if age:
        try:
            return (now or datetime.now(UTC)) - timedelta(**{_UNITS[age["unit"]]: int(age["number"])})
        except OverflowError as error:
            raise WrongArgumentError(f"“{text}” is before time began.") from error
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise WrongArgumentError(
            f"“{text}” is no time: give an age (90m, 12h, 2d, 1w) or a date (2026-11-21)."
        ) from error
