"""Where the embedded cloud works has a path that every program can write into its files."""

from pathlib import Path

import pytest

from localcloud import control, run_folder


@pytest.mark.parametrize(
    "name", ["my project", "tab\there", "R & D (2026)", "it's", "Größe", "a:b", "50%", "$HOME", "a#b", "a,b"]
)
def test_below_a_folder_of_any_name_its_path_is_plain(tmp_path: Path, name: str) -> None:
    state_dir = tmp_path / name / ".localcloud"
    state_dir.mkdir(parents=True)

    folder = run_folder.emptied(state_dir)
    (folder / "file").write_text("x")

    assert folder == folder.resolve()
    assert not set(str(folder)) & set(" \t&()':%$#,ß")
    assert (state_dir / "run" / "file").read_text() == "x"
    assert folder.stat().st_mode & 0o077 == 0
    run_folder.removed(state_dir)
    assert not folder.exists()


def test_else_it_lies_in_the_state_folder(tmp_path: Path) -> None:
    assert run_folder.emptied(tmp_path) == tmp_path / "run"
    assert not run_folder.is_elsewhere(tmp_path)


@pytest.mark.parametrize("name", ["plain", "my project"])
def test_what_an_earlier_server_left_is_gone(tmp_path: Path, name: str) -> None:
    state_dir = tmp_path / name
    state_dir.mkdir()
    first = run_folder.emptied(state_dir)
    (first / "file").write_text("x")

    second = run_folder.emptied(state_dir)

    assert list(second.iterdir()) == []
    assert not (first / "file").exists()
    run_folder.removed(state_dir)


def test_stopping_the_cloud_leaves_nothing_outside_its_folder(tmp_path: Path) -> None:
    state_dir = tmp_path / "my project"
    state_dir.mkdir()
    folder = run_folder.emptied(state_dir)

    control.down(state_dir)

    assert not folder.exists()
    assert not (state_dir / "run").is_symlink()
