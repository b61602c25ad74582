"""Packages of a lock file as a function's code or layer, installed without Docker."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from stacks.constructs.bytecode import CODE_PLACE, Compiler

LAYER_FOLDER: Final = "python"
"""Where in a layer Lambda looks for packages; a function's own code has them at its root."""


def locked_packages(
    requirements: Path,
    *,
    options: Sequence[str],
    identity: str,
    compiler: Compiler | None,
    folder: str = ".",
    place: str = CODE_PLACE,
    beside: Mapping[str, Path] = MappingProxyType({}),
) -> lambda_.Code:
    """Install the packages of a lock file into `folder`.

    Args:
        requirements: the lock, complete: nothing is resolved.
        options: options with which uv chooses wheels of the right Python and machine.
        identity: text that differs between options that choose different wheels.
        compiler: makes the bytecode; None for none.
        folder: where the packages go.
        place: where Lambda unpacks it all.
        beside: modules and packages of this repository to copy there, too, by their places below `folder`.
    """
    bytecode = f" {compiler.identity}" if compiler else ""
    return lambda_.Code.from_asset(
        str(requirements.parent),
        exclude=["*", f"!{requirements.name}"],
        # What is installed depends on these files and the target: nothing is installed while those are the same.
        asset_hash_type=AssetHashType.CUSTOM,
        asset_hash=_hash_of(requirements, beside, f"{identity} {folder}{bytecode}"),
        bundling=BundlingOptions(
            image=DockerImage.from_registry("none"),  # demanded by the type; the local bundling succeeds or raises
            local=_WithUv(requirements, options, folder, beside, compiler, place),
        ),
        display_name=f"packages of {requirements.parent.name}",
    )


def _hash_of(requirements: Path, beside: Mapping[str, Path], identity: str) -> str:
    """Of the contents, and of the places to which they go."""
    files = [("", requirements)]
    for place, path in beside.items():
        inner = sorted(path.glob("*.py")) if path.is_dir() else [path]
        files += [(f"{place}/{file.name}" if path.is_dir() else place, file) for file in inner]
    parts = [f"{place} {hashlib.sha256(file.read_bytes()).hexdigest()}" for place, file in files]
    return hashlib.sha256("\n".join((identity, *parts)).encode()).hexdigest()


@jsii.implements(ILocalBundling)
class _WithUv:
    """Installs a lock's packages without Docker."""

    def __init__(
        self,
        requirements: Path,
        options: Sequence[str],
        folder: str,
        beside: Mapping[str, Path],
        compiler: Compiler | None,
        place: str,
    ) -> None:
        self._compiler = compiler
        self._place = place
        self._beside = beside
        self._requirements = requirements
        self._options = options
        self._folder = folder

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Fill the folder below `output_dir`; raises if uv fails."""
        packages = Path(output_dir, self._folder)
        subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(packages)),
                # The lock is complete on purpose and leaves out what the runtime has: nothing is to be resolved.
                *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
                *self._options,
                *("--requirements", str(self._requirements)),
            ],
            check=True,
        )
        _strip(packages)
        copy_sources(self._beside, packages)
        if self._compiler:
            self._compiler.compile(Path(output_dir), self._place)
        return True


def copy_sources(sources: Mapping[str, Path], folder: Path) -> None:
    """Copy modules and packages, without what Python keeps beside them, to their places below a folder."""
    for place, path in sources.items():
        (folder / place).parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, folder / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(path, folder / place)


def _strip(packages: Path) -> None:
    """Drop what a function never reads: compiled files of the wrong interpreter, tests, command line scripts."""
    for name in ("__pycache__", "tests", "bin"):
        for folder in sorted(packages.rglob(name), reverse=True):
            shutil.rmtree(folder, ignore_errors=True)
