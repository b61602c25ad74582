"""Which version and commit a command says that it is of."""

import subprocess
from pathlib import Path

from genolaunch import checkout
from genolaunch.version import version_and_place


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def repository(folder: Path) -> str:
    """Given: a repository; its commit."""
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    return git(folder, "rev-parse", "--short", "HEAD")


def checkout_in(folder: Path, monkeypatch) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text('[project]\nversion = "7.1.0"\n')
    monkeypatch.setattr(checkout, "own", lambda: folder)
    return folder


def test_a_checkout_names_its_commit(tmp_path, monkeypatch):
    commit = repository(tmp_path)
    root = checkout_in(tmp_path, monkeypatch)

    assert version_and_place() == f"7.1.0 (checkout {root}, commit {commit})"


def test_files_that_lie_in_another_projects_repository_have_no_commit_of_it(tmp_path, monkeypatch):
    repository(tmp_path)
    root = checkout_in(tmp_path / "unpacked", monkeypatch)

    assert version_and_place() == f"7.1.0 (checkout {root})"
