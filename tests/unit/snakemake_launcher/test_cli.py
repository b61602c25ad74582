"""The folder of a run."""

import json
import tempfile

import pytest

from snakemake_launcher.cli import _folder
from snakemake_launcher.run_sheet import RunSheet
from tests.unit.snakemake_launcher.sheets import sheet


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def used(**changes):
    with _folder(RunSheet.parse(json.dumps(sheet(**changes)))) as folder:
        (folder / "file").touch()
        return folder


def test_runs_on_the_same_data_have_a_folder_of_the_same_name_and_leave_none(temporary):
    assert used(attempt=1, launchId="one") == used(attempt=2, launchId="two")
    assert used() != used(remotePrefix="data/other")
    assert list(temporary.iterdir()) == []


def test_a_folder_that_another_run_has_is_left_alone():
    with _folder(RunSheet.parse(json.dumps(sheet()))) as first:
        (first / "file").touch()

        second = used()

        assert second != first
        assert [path.name for path in first.iterdir()] == ["file"]
