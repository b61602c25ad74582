"""How a container image becomes the environment of a process, and what Docker builds it from."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from localcloud.archived_file import ARCHIVED_LINK
from localcloud.executables import put_executable
from localcloud.locked_environment import EnvironmentFailedError, locked_environment

REGENIE_REPOSITORY: Final = "genolaunch-regenie"
"""Last component of the image's repository; its tag is the version of regenie."""

SNAKEMAKE_REPOSITORY: Final = "genolaunch-snakemake"
"""The same of the Snakemake launcher's image, in which Tibanna's jobs run too; its tag is the version of Snakemake."""

SNAKEMAKE9_REPOSITORY: Final = "genolaunch-snakemake9"
"""The same of the image in which the jobs of Snakemake's engine aws-batch run; its tag is the version of Snakemake."""

REGENIE_OVERRIDE: Final = "GENOLAUNCH_REGENIE"
"""Environment variable of the developer that names the regenie program to use."""

_SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"

_STAT_SHIM: Final = """#!/bin/sh
# Jobs check that their workspace is a Lustre file system. Here a folder stands in for it; LOCALCLOUD_LUSTRE lists such
# folders, separated by colons. Everything else is the real stat's to answer.
if [ "$#" -eq 3 ] && [ "$1" = --file-system ] && [ "$2" = --format=%T ]; then
    path=$(cd "$3" 2>/dev/null && pwd -P)
    old_ifs=$IFS
    IFS=:
    for folder in $LOCALCLOUD_LUSTRE; do
        folder=$(cd "$folder" 2>/dev/null && pwd -P) || continue
        case "$path/" in
        "$folder"/*)
            echo lustre
            exit 0
            ;;
        esac
    done
    IFS=$old_ifs
fi
exec /usr/bin/stat "$@"
"""


_LFS: Final = f"""#!/bin/sh
# Lustre's lfs, as far as jobs use it. The stand-in file system brings the content of all files that can be read before
# a job starts; a link to nowhere stands for a file whose object is archived and not restored.
action=$1
shift
for file in "$@"; do
    case "$action:$(readlink "$file")" in
    hsm_restore:{ARCHIVED_LINK})
        echo "lfs hsm_restore: cannot restore $file: its object is archived" >&2
        exit 1
        ;;
    hsm_restore:*) ;;
    hsm_state:{ARCHIVED_LINK}) echo "$file: (0x0000000d) released exists archived, archive_id:1" ;;
    hsm_state:*) echo "$file: (0x00000009) exists archived, archive_id:1" ;;
    *)
        echo "lfs: the local cloud does not know $action" >&2
        exit 2
        ;;
    esac
done
"""


class UnknownImageError(Exception):
    """No process environment is known for an image."""


@dataclass(frozen=True, slots=True)
class ProcessImage:
    """What a process needs in its environment to find what the image holds."""

    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BuildSource:
    """What Docker builds an image of this project from."""

    tag: str
    folder: Path
    options: tuple[str, ...]
    """Of `docker build`."""


class ImageCatalog:
    """The images that this checkout knows how to run."""

    def __init__(self, checkout: Path, state: Path) -> None:
        """`checkout`: the project's folder. `state`: where the programs of the images' PATH are written."""
        self._checkout = checkout.resolve()
        self._bin = state.resolve() / "bin"
        self._fonts = state.resolve() / "matplotlib"
        self._write_programs()

    @property
    def stat_shim(self) -> Path:
        """The `stat` that calls stand-in file systems Lustre."""
        return self._bin / "stat"

    def resolve(self, uri: str) -> ProcessImage:
        """The process environment of an image. Raises UnknownImageError."""
        repository, tag = _name(uri)
        environments: Mapping[str, Callable[[], Mapping[str, str]]] = {
            REGENIE_REPOSITORY: self._regenie_environment,
            SNAKEMAKE_REPOSITORY: lambda: _snakemake_environment(self._checkout),
            SNAKEMAKE9_REPOSITORY: lambda: _snakemake9_environment(self._checkout),
        }
        if repository not in environments or not tag:
            raise UnknownImageError(
                f"{uri} can be run by Docker only; without it the local cloud knows "
                f"{', '.join(f'{each}:<version>' for each in environments)}"
            )
        return ProcessImage(environments[repository]())

    def build_source(self, uri: str) -> BuildSource | None:
        """What to build an image from, if it is one of this project's."""
        repository, tag = _name(uri)
        containers = self._checkout / "containers"
        sources = {
            REGENIE_REPOSITORY: (containers / "regenie", ("--build-arg", f"REGENIE_VERSION={tag}")),
            SNAKEMAKE_REPOSITORY: (containers / "snakemake", ()),
            SNAKEMAKE9_REPOSITORY: (containers / "snakemake", ("--target", "snakemake9")),
        }
        if repository not in sources or not tag:
            return None
        return BuildSource(f"{repository}:{tag}", *sources[repository])

    def _regenie_environment(self) -> Mapping[str, str]:
        return {
            "PATH": f"{self._bin}:{_SYSTEM_PATH}",
            "PYTHONPATH": str(self._checkout / "containers" / "regenie"),
            # As in the image: matplotlib lists the fonts once and keeps the list.
            "MPLCONFIGDIR": str(self._fonts),
        }

    def _write_programs(self) -> None:
        python = shlex.quote(sys.executable)
        self._bin.mkdir(parents=True, exist_ok=True)
        self._fonts.mkdir(exist_ok=True)
        # Wrappers, not links: an interpreter that is called by a link does not find its virtual environment.
        put_executable(self._bin / "python3", f'#!/bin/sh\nexec {python} "$@"\n')
        put_executable(self._bin / "stat", _STAT_SHIM)
        put_executable(self._bin / "lfs", _LFS)
        put_executable(self._bin / "regenie", self._regenie(python))

    def _regenie(self, python: str) -> str:
        real = real_regenie()
        if real is not None:
            return f'#!/bin/sh\nexec {shlex.quote(real)} "$@"\n'
        checkout = shlex.quote(str(self._checkout))
        return (
            f'#!/bin/sh\nexport PYTHONPATH={checkout}"${{PYTHONPATH:+:$PYTHONPATH}}"\n'
            f'exec {python} -m localcloud.regenie "$@"\n'
        )


def real_regenie() -> str | None:
    """The developer's own regenie, if there is one."""
    return os.environ.get(REGENIE_OVERRIDE) or shutil.which("regenie")


def _name(uri: str) -> tuple[str, str]:
    """The last component of an image's repository, and its tag; "" without one."""
    repository, _, tag = uri.rpartition("/")[2].partition(":")
    return repository, tag


def snakemake(checkout: Path) -> Path:
    """The launcher's virtual environment (Snakemake 7), made at its first use. Raises EnvironmentFailedError."""
    lock = checkout / "containers" / "snakemake" / "requirements.txt"
    return locked_environment(
        lock,
        built_first=("cython", "packaging", "setuptools", "wheel"),
        compiled="datrie",  # of Snakemake 7; its newest release, 0.8.3, has no wheels either
        # Tibanna takes nothing newer. uv looks for an interpreter in this range on PATH, too.
        python=sys.executable if sys.version_info < (3, 13) else ">=3.11,<3.13",
    )


@cache
def _snakemake_environment(checkout: Path) -> Mapping[str, str]:
    try:
        environment, other = snakemake(checkout), snakemake9(checkout)
    except EnvironmentFailedError as error:
        raise UnknownImageError(f"{SNAKEMAKE_REPOSITORY} is not to be had: {error}") from error
    return {
        "PATH": f"{environment / 'bin'}:{_SYSTEM_PATH}",
        "PYTHONPATH": str(checkout / "containers" / "snakemake"),
        "SNAKEMAKE9_PYTHON": str(other / "bin" / "python"),
    }


def snakemake9(checkout: Path) -> Path:
    """The virtual environment of Snakemake 9, made at its first use. Raises EnvironmentFailedError."""
    lock = checkout / "containers" / "snakemake" / "requirements-aws-batch.txt"
    return locked_environment(lock, built_first=("packaging", "setuptools", "wheel"))


@cache
def _snakemake9_environment(checkout: Path) -> Mapping[str, str]:
    try:
        environment = snakemake9(checkout)
    except EnvironmentFailedError as error:
        raise UnknownImageError(f"{SNAKEMAKE9_REPOSITORY} is not to be had: {error}") from error
    return {"PATH": f"{environment / 'bin'}:{_SYSTEM_PATH}"}


def process_environment(uri: str, folder: Path) -> dict[str, str]:
    """Environment in which a command of an image runs as a process; its programs are written below `folder`.

    Raises UnknownImageError.
    """
    return dict(ImageCatalog(Path(__file__).parents[1], folder).resolve(uri).environment)
