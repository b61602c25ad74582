"""The embedded cloud on a full disk: one sentence at its start; and what was full goes on once there is room."""

import errno
import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from localcloud import control, full_disk, unpacked_code
from localcloud.server import LOCK_NAME
from tests.unit.localcloud.disks import fill, small_disk


def test_a_cloud_does_not_start_on_a_full_disk_and_says_what_to_do_in_one_sentence(tmp_path):
    with small_disk(tmp_path / "disk", kib=2048) as disk:
        state, filled = disk / "state", fill(disk)

        with pytest.raises(control.LocalCloudError) as error:
            control.up(state, control.free_port())

        assert str(error.value) == (
            f"No space left on the disk of {state}: free some, then start the embedded cloud again."
        )
        assert control.status(state) is None
        filled.unlink()
        assert not full_disk.is_full(state)


def test_a_server_whose_record_has_no_room_is_not_left_running(tmp_path, monkeypatch):
    ended = []
    (tmp_path / LOCK_NAME).write_text("17")
    monkeypatch.setattr(control, "_start", lambda *_, **__: type("Process", (), {"pid": 17}))
    monkeypatch.setattr(control, "_wait_until_ready", lambda *_: None)
    monkeypatch.setattr(control, "_end", lambda pid, _: ended.append(pid))
    (tmp_path / "cloud.json").mkdir()  # what is there cannot be written

    with pytest.raises(IsADirectoryError):
        control._up(tmp_path, 4570, images="", enforce_iam=False)

    assert ended == [17]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_what_has_no_room_while_it_is_deployed_is_one_sentence(tmp_path, monkeypatch, code):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path / "logs"))

    monkeypatch.setattr(control, "_deploy", refuse)

    with pytest.raises(control.LocalCloudError, match=r"^No space left on the disk of .*: free some, then start"):
        control.deploy(control.Cloud(tmp_path, 1, 4570), tmp_path, {})


def test_another_failure_is_told_as_it_is(tmp_path):
    cloud = control.Cloud(tmp_path, 1, 4570)

    assert str(control._failed(cloud, "cdk deploy failed")) == "cdk deploy failed"


def test_code_that_had_no_room_is_unpacked_once_there_is(tmp_path, monkeypatch):
    package = tmp_path / "code.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("code.py", "x = 1\n")
        archive.writestr("large.bin", os.urandom(600_000))
    with small_disk(tmp_path / "disk", kib=1024) as disk:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: str(disk))
        first, second = disk / "first", disk / "second"
        first.mkdir()
        second.mkdir()
        filled = fill(disk)

        with unpacked_code.UnpackedOnce(package) as archive, pytest.raises(OSError, match="No space left on device"):
            archive.extractall(first)
        filled.unlink()
        with unpacked_code.UnpackedOnce(package) as archive:
            archive.extractall(second)

        assert (second / "large.bin").stat().st_size == 600_000


def test_a_folder_that_may_not_be_written_to_is_not_called_full(tmp_path):
    assert not full_disk.is_full(tmp_path)
    assert not full_disk.is_full(Path(tmp_path / "missing"))
