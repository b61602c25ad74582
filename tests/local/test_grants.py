"""After all other tests of this folder: every granted action was used by somebody, or is explained.

It reads what their clouds recorded, and so runs in a pytest of its own (`make test-iam`).
"""

from fnmatch import fnmatchcase

import pytest

from localcloud.iam.grants import Grant
from tests.local.conftest import needs_iam
from tests.local.grant_records import unused_everywhere
from tests.local.unused_grants import EXPLAINED

pytestmark = [needs_iam, pytest.mark.local, pytest.mark.grants]


def reason_for(grant: Grant) -> str | None:
    """Why a grant is there although no run used it."""
    return next(
        (
            reason
            for reason, grants in EXPLAINED.items()
            for role, action in grants
            if fnmatchcase(grant.role, role) and fnmatchcase(grant.action, action)
        ),
        None,
    )


def test_what_nobody_used_is_explained():
    needless = [grant for grant in unused_everywhere() if reason_for(grant) is None]

    assert needless == [], "used by no run, remove or explain (tests/local/unused_grants.py):\n" + "\n".join(
        f"  {grant.role}: {grant.action} ({grant.statement or ', '.join(grant.resources)})" for grant in needless
    )
