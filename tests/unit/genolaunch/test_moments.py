"""Moments as people write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.errors import GenolaunchError
from genolaunch.moments import moment_of

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_an_age_counts_back_from_now(text, ago):
    assert moment_of(text, NOW) == NOW - ago


def test_a_time_with_its_zone_is_that_moment():
    assert moment_of("2026-11-21T08:00:00+00:00") == NOW


@given(st.text() | st.from_regex(r"\d{1,9}[mhdw]", fullmatch=True))
def test_anything_else_is_refused_in_words(text):
    with suppress(GenolaunchError):
        assert moment_of(text, NOW).tzinfo is not None
