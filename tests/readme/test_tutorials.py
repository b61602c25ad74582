"""What the tutorials tell people to type, typed: each from its first line to its last, in one shell."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.readme.conftest import Reader
from tests.readme.page import TUTORIALS, commands, files

pytestmark = [pytest.mark.full, pytest.mark.local]


@pytest.fixture
def follow(reader: Reader) -> Callable[[str], str]:
    """When: the files of a tutorial are written, and its commands typed; what they print."""

    def run(role: str) -> str:
        page = TUTORIALS[role]
        for name, text in files(page=page).items():
            (reader.checkout / name).write_text(text)
        return reader.types(*commands(page=page))

    return run


def results_of(reader: Reader) -> Path:
    return reader.checkout / "my-results"


def test_a_scientist_has_results_and_asks_again(reader, follow):
    shown = follow("scientist")

    assert "my-study" in shown
    assert (results_of(reader) / "report.html").is_file()
    assert (results_of(reader) / "gwas" / "height.regenie.gz").is_file()
    assert "Changed: regenie.step2.min_mac: " in shown
    assert "regenie --step 2 " in shown
    assert "USD" in shown.splitlines()[-1]  # the estimate


def test_a_bioinformatician_sees_the_jobs_of_a_workflow(follow):
    shown = follow("bioinformatician")

    assert "report.tsv" in shown
    assert "aws-batch" in shown


def test_an_engineer_sees_a_launch_fail_and_mends_it(follow):
    shown = follow("engineer")

    assert "Insufficient capacity" in shown
    assert "COMPLETE" in shown
    assert shown.splitlines()[-1] == "The embedded cloud was stopped."
