"""An image that is kept is of the sources that are there now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.buildah import LOCAL, Buildah
from tests.images.conftest import built

IMAGE = "kept:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Given: sources of a small image."""
    context = tmp_path / "context"
    (context / "package").mkdir(parents=True)
    (context / "Dockerfile").write_text("FROM kept-base\nARG SAYS=nothing\nCOPY package /package\nENV SAYS=$SAYS\n")
    (context / "package" / "one.py").write_text("1\n")
    return context


def make_base(buildah: Buildah, content: Path) -> None:
    def fill(root: Path) -> None:
        (root / "base").write_text(content.read_text())

    with buildah.container("scratch") as container:
        container.change_root(fill)
        buildah.commit(container, f"{LOCAL}kept-base")


def build(buildah: Buildah, folder: Path, *options: str) -> str:
    return buildah.identity(built(buildah, IMAGE, folder, f"{LOCAL}kept-base", *options))


def change_a_file(folder: Path, _: Buildah) -> None:
    (folder / "package" / "one.py").write_text("2\n")


def add_a_file(folder: Path, _: Buildah) -> None:
    (folder / "package" / "two.py").touch()


def rename_a_file(folder: Path, _: Buildah) -> None:
    (folder / "package" / "one.py").rename(folder / "package" / "first.py")


def let_a_file_run(folder: Path, _: Buildah) -> None:
    (folder / "package" / "one.py").chmod(0o755)


def change_the_dockerfile(folder: Path, _: Buildah) -> None:
    with (folder / "Dockerfile").open("a") as file:
        file.write("CMD one\n")


def change_the_base(folder: Path, buildah: Buildah) -> None:
    make_base(buildah, folder / "Dockerfile")


@pytest.mark.parametrize(
    "change",
    [change_a_file, add_a_file, rename_a_file, let_a_file_run, change_the_dockerfile, change_the_base],
)
def test_an_image_is_built_again_when_what_it_is_built_from_changed(
    buildah: Buildah, folder: Path, change: Callable[[Path, Buildah], None]
):
    make_base(buildah, folder / "package" / "one.py")
    first = build(buildah, folder)
    assert build(buildah, folder) == first

    change(folder, buildah)

    changed = build(buildah, folder)
    assert changed != first
    assert build(buildah, folder) == changed


def test_an_image_is_built_again_with_other_arguments(buildah: Buildah, folder: Path):
    make_base(buildah, folder / "package" / "one.py")
    build(buildah, folder)

    build(buildah, folder, "--build-arg", "SAYS=more")

    assert "SAYS=more" in buildah.configuration(LOCAL + IMAGE)["Env"]


def test_what_python_leaves_behind_in_a_folder_is_no_source(buildah: Buildah, folder: Path):
    make_base(buildah, folder / "package" / "one.py")
    first = build(buildah, folder)

    (folder / "package" / "__pycache__").mkdir()
    (folder / "package" / "__pycache__" / "one.cpython-311.pyc").touch()

    assert build(buildah, folder) == first
