"""Folders that hold nothing are kept in S3 by a file in each, which rules do not see."""

from pathlib import Path

from snakemake_launcher.genolaunch_job import EMPTY, S3Listing, mark_empty_folders, unmark_empty_folders


def _all(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_each_folder_that_holds_nothing_is_marked_and_no_other(tmp_path: Path):
    for folder in ("parts/full", "parts/bare", "parts/deep/deeper", ".snakemake/locks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "parts" / "full" / "x").touch()
    before = _all(tmp_path)

    mark_empty_folders(str(tmp_path))

    assert _all(tmp_path) - before == {f"parts/bare/{EMPTY}", f"parts/deep/deeper/{EMPTY}"}
    unmark_empty_folders(str(tmp_path))
    assert _all(tmp_path) == before


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "x").touch()

    mark_empty_folders(str(tmp_path / "x"))
    unmark_empty_folders(str(tmp_path / "nowhere"))

    assert _all(tmp_path) == {"x"}


class _S3:
    """Two objects."""

    keys = (f"run/parts/bare/{EMPTY}", "run/parts/x")

    def get_paginator(self, _name):
        return self

    def paginate(self, *, Bucket, Prefix):  # noqa: N803 - as boto3
        yield {"Contents": [{"Key": key} for key in self.keys if key.startswith(Prefix)]}


def test_a_marked_folder_is_listed_as_one(monkeypatch):
    monkeypatch.setattr("boto3.client", lambda _service: _S3())
    listing = S3Listing("data/run")

    assert listing.files("parts") == ["parts/bare/", "parts/x"]
    assert listing.files("parts/bare") == []
