"""A folder of somebody else's that would carry files of whoever submits it along."""

import os
import socket
from pathlib import Path

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.projects import Project
from tests.attacks.guarantees import guarantee

PROMISE = "`submit` takes no link that leads out of the folder of a workflow, no hard link, no device or pipe"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Given: a workflow's folder, beside a file that is nobody's business."""
    (tmp_path / "key").write_text("private")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("private")
    project = tmp_path / "calls"
    project.mkdir()
    (project / "Snakefile").write_text("rule all:\n")
    (project / "rules.smk").write_text("")
    return project


def sources(folder: Path, snakefile: str = "Snakefile") -> list[str]:
    path = folder / snakefile
    return [str(below) for _, below in Project.of(path).sources(path)]


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


CARRIED = {
    "a link out": (lambda folder: (folder / "a").symlink_to(folder.parent / "key"), "a is a link out of the folder"),
    "a relative link out": (lambda folder: (folder / "a").symlink_to("../key"), "a is a link out of the folder"),
    "a link to a folder outside": (lambda folder: (folder / "a").symlink_to("../private"), "a is a link out"),
    "a link to a link out": (
        lambda folder: ((folder / "b").symlink_to("../key"), (folder / "a").symlink_to("b")),
        "a is a link out of the folder",
    ),
    "a link to a folder of its own": (
        lambda folder: ((folder / "rules").mkdir(), (folder / "a").symlink_to("rules")),
        "a is a link to a folder, rules",
    ),
    "a link to nothing": (lambda folder: (folder / "a").symlink_to("nothing"), "a is a link to nothing"),
    "a link to itself": (lambda folder: (folder / "a").symlink_to("a"), "a "),
    "a device": (lambda folder: (folder / "a").symlink_to("/dev/zero"), "a is a link out of the folder, to /dev/zero"),
    "a hard link": (lambda folder: os.link(folder.parent / "key", folder / "a"), "a is a hard link"),
    "a pipe": (lambda folder: os.mkfifo(folder / "a"), "a is no plain file"),
    "a socket": (lambda folder: listening(folder / "a"), "a is no plain file"),
    "names alike": (
        lambda folder: ((folder / "A.py").write_text(""), (folder / "a.py").write_text("")),
        "A.py and a.py differ by case only",
    ),
    "a name like the Snakefile's": (
        lambda folder: (folder / "snakefile").write_text(""),
        "Snakefile and snakefile differ",
    ),
    "a long path": (
        lambda folder: (
            folder.joinpath(*["x" * 200] * 4).mkdir(parents=True)
            or folder.joinpath(*["x" * 200] * 4, "a").write_text("")
        ),
        "has a path of more than 700 bytes",
    ),
    "a name that acts": (lambda folder: (folder / "a\x1b[31m").write_text(""), "has a name that cannot be shown"),
    "a name of two lines": (lambda folder: (folder / "a\nb").write_text(""), "has a name that cannot be shown"),
    "a name that is no UTF-8": (
        lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text(""),
        "has a name that cannot be shown",
    ),
}


@guarantee(PROMISE)
@pytest.mark.parametrize(("make", "why"), CARRIED.values(), ids=CARRIED)
def test_it_is_refused_and_said(folder, make, why):
    assert sources(folder) == ["rules.smk"]
    make(folder)

    with pytest.raises(GenolaunchError) as refusal:
        sources(folder)
    assert why in str(refusal.value)
    assert "Copy what the workflow needs into the folder as plain files" in str(refusal.value)


@guarantee(PROMISE)
def test_a_snakefile_that_lies_elsewhere_is_refused(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "Snakefile").symlink_to(folder / "Snakefile")

    with pytest.raises(GenolaunchError, match="Snakefile is a link out of the folder"):
        sources(other)


@guarantee(PROMISE)
def test_all_faults_are_said_at_once(folder):
    (folder / "a").symlink_to("../key")
    os.mkfifo(folder / "b")

    with pytest.raises(GenolaunchError, match=r"a is a link out of .*; b is no plain file"):
        sources(folder)


@guarantee(PROMISE)
def test_a_link_within_the_folder_and_hidden_files_are_no_fault(folder):
    (folder / "a.smk").symlink_to("rules.smk")
    (folder / ".git").symlink_to("../private")

    assert sources(folder) == ["a.smk", "rules.smk"]
