"""Times at which a restore is checked if no event arrives."""

from datetime import timedelta
from typing import Final

_GRACE: Final = timedelta(hours=1)
"""What S3 says of a tier's time is what it takes "typically", and events take minutes."""

CHECK_EVERY: Final = timedelta(hours=1)
"""Once a restore is late, S3 is asked so often what became of its objects."""

INDEXING_AT_MOST: Final = timedelta(minutes=30)
"""Each invocation of the index writes down that it is at work, and takes a quarter of an hour at the most."""


def check_after(hours: float) -> timedelta:
    """When S3 is asked for the first time: when all of the tier's objects should have been there."""
    return timedelta(hours=hours) + _GRACE


def give_up_after(hours: float) -> timedelta:
    """When the launch fails: after twice the time, and half a day for what takes minutes."""
    return 2 * timedelta(hours=hours) + timedelta(hours=12)
