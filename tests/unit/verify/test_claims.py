"""docs/verified.md and the checks are one list."""

import re

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.verify.checks import CHECKS
from genolaunch.verify.claims import CHECKED, read_claims

OPEN = re.compile(r"unverified|not run|never run|nothing was run|not seen on AWS|was not called|never tried on AWS")
CLAIMS = read_claims()


def test_what_the_page_says_is_checked_has_a_check_and_the_reverse() -> None:
    assert {claim.id for claim in CLAIMS if claim.is_checked} == CHECKS.keys()


def test_ids_are_unique() -> None:
    ids = [claim.id for claim in CLAIMS]

    assert sorted(set(ids)) == sorted(ids)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", id_) for id_ in ids)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_only_aws_can_show_is_checked_or_says_why_not(claim) -> None:
    assert claim.on_aws in ("", CHECKED) or claim.why_not
    if OPEN.search(claim.standing):
        assert claim.on_aws


def test_a_page_with_a_row_of_another_kind_is_refused(tmp_path) -> None:
    page = tmp_path / "verified.md"
    header = "| id | claim | standing | where | on AWS |\n| --- | --- | --- | --- | --- |\n"
    page.write_text(header + "| a claim without an id | documented | |\n")

    with pytest.raises(GenolaunchError, match="a row of 3 cells"):
        read_claims(page)
    with pytest.raises(GenolaunchError, match="run from a checkout"):
        read_claims(tmp_path / "nowhere.md")
