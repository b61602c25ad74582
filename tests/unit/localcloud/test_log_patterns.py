"""Which lines of a log a subscription gets."""

import pytest

from localcloud.log_patterns import matches


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR", True),
        ("ERROR disk", "an ERROR", False),
        ('?"No space left" ?ENOSPC', "write: No space left on device", True),
        ('?"No space left" ?ENOSPC', "errno ENOSPC", True),
        ('?"No space left" ?ENOSPC', "No disk space left", False),
        ('"No space" ?ENOSPC', "errno ENOSPC", False),
    ],
)
def test_terms_are_all_demanded_or_any_of_them_is_enough(pattern, message, expected):
    assert matches(pattern, message) is expected
