"""A reader of the README: a copy of this checkout, a shell, and nothing else set."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.readme.page import REPOSITORY

_INHERITED = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


LAST_RESORT = 7200
"""Seconds that lines may take: nobody waits so long, but a machine that does much else is not at fault."""

_THIS_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The reader's shell ends what never ends, and says what it printed before."""
    for item in items:
        if _THIS_FOLDER in item.path.parents:
            item.add_marker(pytest.mark.timeout(2 * LAST_RESORT))


@dataclass(frozen=True)
class Reader:
    """Someone at a terminal in a checkout that was set up, in a home of their own."""

    checkout: Path
    home: Path

    def types(self, *lines: str, **variables: str) -> str:
        """Type lines into one new shell; what it printed. Fails at the first line that fails, or never ends."""
        done = subprocess.run(
            # `timeout` ends all that was started, not only the shell.
            ["timeout", "--kill-after=10", str(LAST_RESORT), "bash", "-c", "\n".join(["set -eo pipefail", *lines])],
            cwd=self.checkout,
            env=self._environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{lines} ended with {done.returncode}:\n{done.stdout[-8000:]}"
        return done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            # Which registries packages are from is the machine's business.
            if name in _INHERITED or name.upper().startswith(("UV_", "PIP_", "NPM_CONFIG_", "HTTP", "NO_PROXY"))
        }
        return kept | {"HOME": str(self.home)}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Given: this checkout's files as they are, copied, with what `make setup` has installed here already.

    A module's CHECKOUT is the name of their folder.
    """
    # Else the reader's first `make` would install anew what these tests run on.
    assert subprocess.run(["make", "--question", "setup"], cwd=REPOSITORY, check=False).returncode == 0, "make setup"
    folder = tmp_path_factory.mktemp("reader")
    checkout = folder / getattr(request.module, "CHECKOUT", "genolaunch")
    for name in _files_of_the_checkout():
        target = checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target)
    for name in (".venv", "node_modules"):
        (checkout / name).symlink_to(REPOSITORY / name)
    (folder / "home").mkdir()
    one = Reader(checkout, folder / "home")
    try:
        yield one
    finally:
        one.types(".venv/bin/genolaunch local down")


def _files_of_the_checkout() -> Sequence[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]
