"""Python environments of container images, made on this machine from the images' own locks.

Each is made at its first use, and shared by everything that is run from this checkout: it is named by what is in it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from localcloud import run_folder

_FOLDER = Path(__file__).parents[2] / "build" / "environments"


class EnvironmentFailedError(Exception):
    """An environment could not be made. The message is for people."""


def locked_environment(
    lock: Path,
    *,
    built_first: Iterable[str] = (),
    compiled: str | None = None,
    python: str = sys.executable,
    folder: Path = _FOLDER,
) -> Path:
    """The folder of a virtual environment that holds what `lock` (pip's format, with hashes) names.

    `built_first`: packages of the lock that build others of it. They are installed beforehand, and those builds are not
    isolated: what builds is then locked as well. `compiled`: a package of the lock that PyPI has as C sources only.
    `python`: the interpreter, or a range of versions. Raises EnvironmentFailedError.
    """
    if not run_folder.is_plain(folder):
        raise EnvironmentFailedError(
            f"Snakemake's jobs cannot run below {folder.parents[1]}: it writes the path of its Python into shell "
            "commands, which blanks and other signs of that path would break. Move the checkout to a folder without."
        )
    content = lock.read_bytes() + sys.version.encode() + sys.platform.encode()
    environment = folder / f"{lock.parent.name}-{lock.stem}-{hashlib.sha256(content).hexdigest()[:12]}"
    ready = environment / ".ready"
    folder.mkdir(parents=True, exist_ok=True)
    # Test runs and the embedded cloud start at the same time, and need the same environments.
    with environment.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(environment, ignore_errors=True)
            if compiled:
                _check_compiler(compiled)
            _make(environment, lock, list(built_first), python)
            ready.touch()
    return environment


def _make(environment: Path, lock: Path, built_first: list[str], python: str) -> None:
    try:
        _uv("venv", "--quiet", "--python", python, str(environment))
    except EnvironmentFailedError as error:
        raise EnvironmentFailedError(
            f"{lock.parent.name}/{lock.name} needs Python {python}, and there is none. Install one that is on PATH,"
            f" or let uv do it (uv python install 3.12), and try again.\n{error}"
        ) from error
    install = ["pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), "--require-hashes"]
    if built_first:
        some = environment / "built-first.txt"
        some.write_text(_only(lock.read_text(encoding="utf-8"), built_first), encoding="utf-8")
        _uv(*install, "--requirement", str(some))
        install.append("--no-build-isolation")
    _uv(*install, "--requirement", str(lock))


def _check_compiler(package: str) -> None:
    named = [os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc"]
    if not any(shutil.which(name.split()[0]) for name in named if name):
        raise EnvironmentFailedError(
            f"A C compiler is needed once, for {package}, which PyPI has as sources only, and none is on PATH. Install"
            " one (Debian, Ubuntu: apt-get install gcc libc6-dev; macOS: xcode-select --install) and try again."
        )


def _only(lock: str, packages: list[str]) -> str:
    """The lines of a lock that pin `packages`: names of packages begin a line, their hashes are indented."""
    kept, keep = [], False
    for line in lock.splitlines():
        if line[:1].isalnum():
            keep = line.partition("==")[0].lower() in packages
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _uv(*arguments: str) -> None:
    answer = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise EnvironmentFailedError(f"uv {arguments[0]} failed:\n{answer.stderr.strip()}")
