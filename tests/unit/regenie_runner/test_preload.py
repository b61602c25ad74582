"""Restored inputs are in the file system before anything reads them."""

import os
from pathlib import Path

import pytest

from regenie_runner import preload as module
from regenie_runner.errors import RunnerError
from regenie_runner.preload import preload

LFS = """#!/bin/sh
# Files are released until the second look; what is asked for is written down.
action=$1
shift
echo "$action $*" >> "$CALLS"
looks=$(grep -c hsm_state "$CALLS")
for file in "$@"; do
    [ "$action" = hsm_restore ] && { [ -e "$file" ] || { echo "cannot restore $file" >&2; exit 1; }; continue; }
    if [ "$looks" -lt 2 ]; then echo "$file: (0x0000000d) released exists archived, archive_id:1"
    else echo "$file: (0x00000009) exists archived, archive_id:1"; fi
done
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Given: two files; one has the word for what is to be found out in its name."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("cohort.bed", "released.bim"):
        (folder / name).write_bytes(b"x" * 10)
    return folder


@pytest.fixture
def lfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Given: an image with Lustre's program; what it was asked for is in the file that this is."""
    program = tmp_path / "bin" / "lfs"
    program.parent.mkdir()
    program.write_text(LFS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    return tmp_path / "calls"


def test_files_are_asked_for_and_waited_for(data, lfs):
    preload(["cohort.bed", "released.bim"], data)

    calls = lfs.read_text().splitlines()
    assert calls[0] == f"hsm_restore {data / 'cohort.bed'} {data / 'released.bim'}"
    assert [call.split()[0] for call in calls[1:]] == ["hsm_state", "hsm_state"]


def test_many_files_are_asked_for_in_several_calls(data, lfs, monkeypatch):
    monkeypatch.setattr(module, "_FILES_A_CALL", 1)

    preload(["cohort.bed", "released.bim"], data)

    assert [call.split()[0] for call in lfs.read_text().splitlines()[:2]] == ["hsm_restore", "hsm_restore"]


def test_what_cannot_be_loaded_is_said(data, lfs):
    (data / "archived").symlink_to("nowhere")

    with pytest.raises(RunnerError, match=r"cannot be loaded from S3: cannot restore .*archived"):
        preload(["archived"], data)


def test_a_file_that_was_not_imported_is_named(data):
    with pytest.raises(RunnerError, match=r"lacks .*absent\.bed"):
        preload(["absent.bed"], data)


def test_without_lustres_program_files_are_read_through(data, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    preload(["cohort.bed", "released.bim"], data)

    (data / "archived").symlink_to("nowhere")
    with pytest.raises(RunnerError, match=r"cannot be loaded from S3: .*archived"):
        preload(["archived"], data)
