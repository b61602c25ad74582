"""Campaigns of thousands of seeds: none stops at the first that fails, so that all of these can be told."""

import random
import traceback
from collections.abc import Callable, Iterable

Campaign = Callable[[random.Random], None]
"""What a seed stands for; raises if it does not end well."""


def assert_all_end_well(seeds: Iterable[int], campaign: Campaign) -> None:
    """Then: every seed's campaign ends well.

    Args:
        seeds: Of `random.Random`.
        campaign: Is given the chance of one seed.

    Raises:
        AssertionError: It names the seeds that failed, and how the first of them did.
    """
    failed: dict[int, str] = {}
    for seed in seeds:
        try:
            campaign(random.Random(seed))
        except Exception:
            failed[seed] = traceback.format_exc()
    assert not failed, f"seeds {sorted(failed)}\n{next(iter(failed.values()))}"
