"""The images of containers/, really built, and what building them took.

Everything is below a folder that is removed afterwards. With GENOLAUNCH_IMAGES=/path/to/a/folder it stays there, and an
image that is there is built again only when what it is built from has changed. For newer packages of Debian, remove it.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genolaunch.local_stage.images import REGENIE_REPOSITORY, SNAKEMAKE9_REPOSITORY, SNAKEMAKE_REPOSITORY
from tests.images import buildah as buildah_module
from tests.images.buildah import LOCAL, Buildah, Container
from tests.images.kept import fingerprint, keep
from tests.images.locks import LAUNCHER_LOCK, SNAKEMAKE9_LOCK, locked
from tests.images.stand_in_bases import (
    CONTAINERS,
    PYTHON,
    REGENIE,
    REGENIE_VERSION,
    debian,
    make_python_base,
    make_regenie_base,
    python_sources,
    regenie_sources,
)

_THIS_FOLDER = Path(__file__).parent
_SECONDS = 1_800  # of a test that has to build first

_done: list[str] = []
"""What was done, a line each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder build images, or need those that others built."""
    reason = buildah_module.missing()
    for item in items:
        if _THIS_FOLDER in item.path.parents:
            item.add_marker(pytest.mark.images)
            item.add_marker(pytest.mark.timeout(_SECONDS))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was done."""
    for line in _done:
        terminalreporter.write_line(line)


@contextmanager
def _timed(what: str) -> Iterator[list[str]]:
    """Write down what is done, for how long, and what is added to the answered list."""
    more: list[str] = []
    start = time.monotonic()
    yield more
    _done.append(f"{time.monotonic() - start:5.0f} s  {', '.join([what, *more])}")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of everything."""
    kept = os.environ.get("GENOLAUNCH_IMAGES")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("images")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if not kept:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def buildah(storage: Path) -> Buildah:
    return Buildah(storage)


@pytest.fixture(scope="session")
def debian_root(storage: Path) -> Path:
    with _timed("Debian 12 by debootstrap"):
        return debian(storage)


@pytest.fixture(scope="session")
def regenie_base(buildah: Buildah, debian_root: Path) -> str:
    def make(labels: tuple[str, ...]) -> None:
        with _timed(f"base image {REGENIE}"):
            make_regenie_base(buildah, debian_root, *labels)

    keep(buildah, REGENIE, regenie_sources(), make)
    return REGENIE


@pytest.fixture(scope="session")
def python_base(buildah: Buildah, debian_root: Path) -> str:
    def make(labels: tuple[str, ...]) -> None:
        with _timed(f"base image {PYTHON}") as more:
            more.append(f"with Python {make_python_base(buildah, debian_root, *labels)}")

    keep(buildah, PYTHON, python_sources(), make)
    return PYTHON


@pytest.fixture(scope="session")
def regenie_image(buildah: Buildah, regenie_base: str) -> str:
    """Name of the image in which regenie's jobs run, as the embedded cloud calls it."""
    version = f"REGENIE_VERSION={REGENIE_VERSION}"
    tag = f"{REGENIE_REPOSITORY}:{REGENIE_VERSION}"
    return built(buildah, tag, CONTAINERS / "regenie", regenie_base, "--build-arg", version)


@pytest.fixture(scope="session")
def snakemake9_image(buildah: Buildah, python_base: str) -> str:
    """The same of the jobs of Snakemake 9."""
    tag = f"{SNAKEMAKE9_REPOSITORY}:{locked(SNAKEMAKE9_LOCK)['snakemake']}"
    return built(buildah, tag, CONTAINERS / "snakemake", python_base, "--target", "snakemake9")


@pytest.fixture(scope="session")
def launcher_image(buildah: Buildah, python_base: str) -> str:
    """The same of the launcher and Tibanna's jobs."""
    tag = f"{SNAKEMAKE_REPOSITORY}:{locked(LAUNCHER_LOCK)['snakemake']}"
    return built(buildah, tag, CONTAINERS / "snakemake", python_base)


@pytest.fixture(scope="session")
def regenie(buildah: Buildah, regenie_image: str) -> Iterator[Container]:
    with buildah.container(regenie_image) as container:
        yield container


@pytest.fixture(scope="session")
def snakemake9(buildah: Buildah, snakemake9_image: str) -> Iterator[Container]:
    with buildah.container(snakemake9_image) as container:
        yield container


@pytest.fixture(scope="session")
def launcher(buildah: Buildah, launcher_image: str) -> Iterator[Container]:
    with buildah.container(launcher_image) as container:
        yield container


def built(buildah: Buildah, tag: str, folder: Path, base: str, *options: str) -> str:
    """An image of what is in a folder now, on the base that is there now."""
    image = LOCAL + tag

    def make(labels: tuple[str, ...]) -> None:
        with _timed(f"image {tag} from {folder.parent.name}/{folder.name}") as more:
            buildah.build(image, folder, *options, *labels)
            more.append(f"{buildah.megabytes(image)} MB with its base")

    keep(buildah, image, fingerprint(folder, *options, buildah.identity(base)), make)
    return image
