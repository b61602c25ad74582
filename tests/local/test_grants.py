"""After all other tests of this folder: every granted action was used by somebody, or is explained.

It reads what their clouds recorded, and so runs in a pytest of its own (`make test-iam`).
"""

from fnmatch import fnmatchcase

import pytest

from localcloud.iam.grants import Grant
from tests.local.conftest import needs_iam
from tests.local.grant_records import Records, read_records
from tests.local.unused_grants import EXPLAINED

pytestmark = [needs_iam, pytest.mark.local, pytest.mark.grants]


@pytest.fixture(scope="module")
def records() -> Records:
    """Given: what the clouds of all other tests recorded."""
    found = read_records()
    assert found.granted, "no records: run the other tests of this folder first (make test-iam)"
    return found


def is_meant(grant: Grant, role: str, action: str) -> bool:
    """Whether patterns of a role and of an action mean the grant."""
    return fnmatchcase(grant.role, role) and fnmatchcase(grant.action, action)


def is_explained(grant: Grant) -> bool:
    """Whether there is a reason for a grant that no run used."""
    return any(is_meant(grant, *patterns) for grants in EXPLAINED.values() for patterns in grants)


def test_what_nobody_used_is_explained(records):
    needless = [grant for grant in records.unused if not is_explained(grant)]

    assert needless == [], "used by no run, remove or explain (tests/local/unused_grants.py):\n" + "\n".join(
        f"  {grant.role}: {grant.action} ({grant.statement or ', '.join(grant.resources)})" for grant in needless
    )


def test_what_is_explained_is_granted(records):
    stale = [
        patterns
        for grants in EXPLAINED.values()
        for patterns in grants
        if not any(is_meant(grant, *patterns) for grant in records.granted)
    ]

    assert stale == []
