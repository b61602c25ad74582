"""The app's images as processes of this machine, told to the embedded cloud (`localcloud --images`)."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from genolaunch.local_stage.locked_environment import EnvironmentFailedError, locked_environment
from localcloud.images import Image, ImageCatalog, Programs, UnknownImageError, search_path

CHECKOUT: Final = Path(__file__).parents[2]
_CONTAINERS: Final = CHECKOUT / "containers"

REGENIE_REPOSITORY: Final = "genolaunch-regenie"
"""Last component of the image's repository; its tag is the version of regenie."""

SNAKEMAKE_REPOSITORY: Final = "genolaunch-snakemake"
"""The same of the Snakemake launcher's image, in which Tibanna's jobs run too; its tag is the version of Snakemake."""

SNAKEMAKE9_REPOSITORY: Final = "genolaunch-snakemake9"
"""The same of the image in which the jobs of Snakemake's engine aws-batch run; its tag is the version of Snakemake."""

REGENIE_OVERRIDE: Final = "GENOLAUNCH_REGENIE"
"""Environment variable of the developer that names the regenie program to use."""

STAND_IN: Final = "regenie_stand_in"
"""The module that runs where there is no regenie."""

_SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


def images() -> Mapping[str, Image]:
    """All of them, by the last component of their repositories."""
    return {
        REGENIE_REPOSITORY: Image(
            _regenie_environment,
            _CONTAINERS / "regenie",
            lambda tag: ("--build-arg", f"REGENIE_VERSION={tag}"),
            {"regenie": _regenie()},
        ),
        SNAKEMAKE_REPOSITORY: Image(lambda _: _snakemake_environment(), _CONTAINERS / "snakemake"),
        SNAKEMAKE9_REPOSITORY: Image(
            lambda _: _snakemake9_environment(), _CONTAINERS / "snakemake", lambda _tag: ("--target", "snakemake9")
        ),
    }


def process_environment(uri: str, folder: Path) -> dict[str, str]:
    """Environment in which a command of an image runs as a process; its programs are written below `folder`.

    Raises UnknownImageError.
    """
    return dict(ImageCatalog(images(), folder).environment(uri))


def real_regenie() -> str | None:
    """The developer's own regenie, if there is one."""
    return os.environ.get(REGENIE_OVERRIDE) or shutil.which("regenie", path=search_path())


def _regenie() -> str:
    """The script `regenie`: the real program, or its stand-in."""
    real = real_regenie()
    if real is not None:
        return f'#!/bin/sh\nexec {shlex.quote(real)} "$@"\n'
    return (
        f'#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(CHECKOUT))}"${{PYTHONPATH:+:$PYTHONPATH}}"\n'
        f'exec {shlex.quote(sys.executable)} -m {STAND_IN} "$@"\n'
    )


def _regenie_environment(programs: Programs) -> Mapping[str, str]:
    return {
        "PATH": f"{programs.bin}:{_SYSTEM_PATH}",
        "PYTHONPATH": str(_CONTAINERS / "regenie"),
        "MPLCONFIGDIR": str(programs.fonts),
    }


def snakemake() -> Path:
    """The launcher's virtual environment (Snakemake 7), made at its first use. Raises EnvironmentFailedError."""
    return locked_environment(
        _CONTAINERS / "snakemake" / "requirements.txt",
        built_first=("cython", "packaging", "setuptools", "wheel"),
        compiled="datrie",  # of Snakemake 7; its newest release, 0.8.3, has no wheels either
        # Tibanna takes nothing newer. uv looks for an interpreter in this range on PATH, too.
        python=sys.executable if sys.version_info < (3, 13) else ">=3.11,<3.13",
    )


@cache
def _snakemake_environment() -> Mapping[str, str]:
    try:
        environment, other = snakemake(), snakemake9()
    except EnvironmentFailedError as error:
        raise UnknownImageError(f"{SNAKEMAKE_REPOSITORY} is not to be had: {error}") from error
    return {
        "PATH": f"{environment / 'bin'}:{_SYSTEM_PATH}",
        "PYTHONPATH": str(_CONTAINERS / "snakemake"),
        "SNAKEMAKE9_PYTHON": str(other / "bin" / "python"),
    }


def snakemake9() -> Path:
    """The virtual environment of Snakemake 9, made at its first use. Raises EnvironmentFailedError."""
    lock = _CONTAINERS / "snakemake" / "requirements-aws-batch.txt"
    return locked_environment(lock, built_first=("packaging", "setuptools", "wheel"))


@cache
def _snakemake9_environment() -> Mapping[str, str]:
    try:
        environment = snakemake9()
    except EnvironmentFailedError as error:
        raise UnknownImageError(f"{SNAKEMAKE9_REPOSITORY} is not to be had: {error}") from error
    return {"PATH": f"{environment / 'bin'}:{_SYSTEM_PATH}"}
