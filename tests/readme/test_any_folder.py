"""Wherever a newcomer puts the checkout: the embedded cloud and regenie's jobs work in any folder."""

import pytest

from tests.readme.conftest import Reader

pytestmark = [pytest.mark.full, pytest.mark.local]

CHECKOUT = "my genolaunch (1)"


def test_the_demo_works_in_a_folder_with_blanks(reader: Reader):
    assert "Status   COMPLETE" in reader.types("make demo")
