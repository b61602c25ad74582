"""Tier, price and time of a restore, before it is asked for."""

from decimal import Decimal

import pytest

from genolaunch.contract.restore import RetrievalTier
from lambdas.restore import wording
from lambdas.restore.archive import Archive
from lambdas.restore.estimate import Amount, choose_tier, estimate, hours_of

BULK, STANDARD, EXPEDITED = RetrievalTier.BULK, RetrievalTier.STANDARD, RetrievalTier.EXPEDITED
TIB = Amount(1000, 1 << 40)


@pytest.mark.parametrize(
    ("asked", "archives", "tier"),
    [
        (None, {Archive.FLEXIBLE}, BULK),
        (None, {Archive.FLEXIBLE, Archive.DEEP}, STANDARD),
        (None, {Archive.TIERED}, STANDARD),
        (EXPEDITED, {Archive.DEEP}, EXPEDITED),
        (BULK, {Archive.DEEP}, BULK),
    ],
)
def test_one_tier_is_chosen_for_a_launch(asked, archives, tier):
    assert choose_tier(asked, archives, mixed=STANDARD) is tier


@pytest.mark.parametrize(
    ("archive", "tier", "usd"),
    [
        # 1,024 GiB for 10 days in S3 Standard are 7.8507 USD, for a thirty-day month of 0.023 USD a GiB.
        (Archive.FLEXIBLE, BULK, "7.85"),
        (Archive.FLEXIBLE, STANDARD, "18.14"),  # + 10.24 + 0.05
        (Archive.FLEXIBLE, EXPEDITED, "48.57"),  # + 30.72 + 10
        (Archive.DEEP, BULK, "10.44"),  # + 2.56 + 0.025
        (Archive.DEEP, EXPEDITED, "28.43"),  # as Standard: + 20.48 + 0.10
        (Archive.TIERED, STANDARD, "0.00"),  # and no copy
        (Archive.TIERED_DEEP, BULK, "0.00"),
    ],
)
def test_a_tebibyte_costs_what_the_price_list_says(archive, tier, usd):
    assert estimate({archive: TIB}, (), tier, days=10).usd == Decimal(usd)


@pytest.mark.parametrize(
    ("archives", "tier", "text"),
    [
        ({Archive.FLEXIBLE}, BULK, "ready in 5 to 12 hours"),
        ({Archive.FLEXIBLE}, EXPEDITED, "ready in 1 to 5 minutes"),
        ({Archive.TIERED}, STANDARD, "ready in 3 to 5 hours"),
        ({Archive.FLEXIBLE, Archive.DEEP}, EXPEDITED, "ready within 12 hours"),
        ({Archive.FLEXIBLE, Archive.TIERED_DEEP}, BULK, "ready within 48 hours"),
    ],
)
def test_the_slowest_archive_says_when_all_is_there(archives, tier, text):
    assert wording.ready_in(hours_of(archives, tier)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_300, "1.3 kB"), (285_000, "285 kB"), (1_302_000_000_000, "1.3 TB")],
)
def test_sizes_are_said_with_two_or_three_digits(count, text):
    assert wording.size(count) == text
