"""Environments of the images, where something that they need is missing."""

import subprocess

import pytest

from genolaunch.local_stage.locked_environment import EnvironmentFailedError, locked_environment


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "snakemake" / "requirements.txt"
    file.parent.mkdir()
    file.write_text("datrie==0.8.3\n")
    return file


def test_without_a_compiler_it_says_what_to_install_before_anything_is_made(lock, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)

    with pytest.raises(EnvironmentFailedError, match=r"C compiler .* for datrie.* apt-get install gcc"):
        locked_environment(lock, compiled="datrie", folder=tmp_path / "made")

    assert not list((tmp_path / "made").glob("*/"))


def test_without_such_a_python_it_says_which(lock, tmp_path, monkeypatch):
    refused = subprocess.CompletedProcess([], 2, "", "No interpreter found")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)

    with pytest.raises(EnvironmentFailedError, match=r"needs Python >=3.11,<3.13.*uv python install 3.12") as refusal:
        locked_environment(lock, python=">=3.11,<3.13", folder=tmp_path / "made")

    assert "No interpreter found" in str(refusal.value)


def test_below_a_folder_with_blanks_it_is_refused_at_once(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("")

    with pytest.raises(EnvironmentFailedError, match="Move the checkout to a folder without"):
        locked_environment(lock, folder=tmp_path / "my project" / "build" / "environments")
