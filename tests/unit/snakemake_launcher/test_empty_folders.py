"""Folders without files, and modes of files, which S3 does not keep."""

from pathlib import Path

from snakemake_launcher.genolaunch_job import (
    EMPTY,
    S3Listing,
    copy_linked_folders,
    let_programs_run,
    mark_empty_folders,
    unmark_empty_folders,
)


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


def test_what_begins_as_a_program_can_be_run_and_nothing_else(tmp_path: Path):
    contents = {"a.sh": b"#!/bin/sh\n", "deep/tool": b"\x7fELF\x02", "deep/a.txt": b"x\n", "none": b""}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o640)

    let_programs_run(str(tmp_path))
    let_programs_run(str(tmp_path / "nowhere"))

    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in contents}
    assert modes == {"a.sh": 0o750, "deep/tool": 0o750, "deep/a.txt": 0o640, "none": 0o640}


def test_links_to_folders_become_copies_but_for_those_that_lead_out_or_to_themselves(tmp_path: Path, monkeypatch):
    (tmp_path / "work" / "d" / "real" / "deep").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path("d/real/deep/x").write_text("x")
    Path("d/link").symlink_to("real")
    Path("d/real/loop").symlink_to("..")
    Path("d/out").symlink_to(tmp_path / "outside")

    copy_linked_folders("d")

    assert Path("d/link/deep/x").read_text() == "x"
    assert not Path("d/link").is_symlink()
    assert Path("d/real/loop").is_symlink()
    assert Path("d/out").is_symlink()


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
