"""Functions' code is unpacked once for all processes."""

import shutil
import tempfile
import zipfile

import pytest

from localcloud.unpacked_code import sharing_zipfile


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Makes a bundle with some content, in a file of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def make(name, content):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("package/handler.py", content)
        return tmp_path / name

    return make


def unpack(bundle, folder):
    folder.mkdir()
    with sharing_zipfile().ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def test_the_same_code_has_the_same_files_for_all(bundle, tmp_path):
    first = unpack(bundle("a.zip", "one"), tmp_path / "first")
    second = unpack(bundle("b.zip", "one"), tmp_path / "second")

    assert (first / "package" / "handler.py").read_text() == "one"
    assert first.resolve() == second.resolve()


def test_changed_code_has_files_of_its_own(bundle, tmp_path):
    before = unpack(bundle("a.zip", "one"), tmp_path / "before")
    after = unpack(bundle("b.zip", "two"), tmp_path / "after")

    assert (before / "package" / "handler.py").read_text() == "one"
    assert (after / "package" / "handler.py").read_text() == "two"


def test_a_process_that_goes_leaves_the_files_to_the_others(bundle, tmp_path):
    (tmp_path / "gone").mkdir()
    unpack(bundle("a.zip", "one"), tmp_path / "gone" / "code")
    kept = unpack(bundle("b.zip", "one"), tmp_path / "kept")

    shutil.rmtree(tmp_path / "gone")

    assert (kept / "package" / "handler.py").read_text() == "one"
