"""`docker`, as far as the embedded cloud calls it, with buildah and the images that the tests have built.

A container is its own copy of the image and goes when its command ends.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.images.buildah import LOCAL, Buildah

STORAGE: Final = "GENOLAUNCH_IMAGES"
"""Environment variable with the folder of buildah's storage."""

_NOT_STARTED: Final = 125  # `docker run` itself failed (Docker's documentation of exit statuses)


def main(arguments: Sequence[str]) -> int:
    """Docker's exit code."""
    buildah = Buildah(Path(os.environ[STORAGE]))
    asked = _parser().parse_args(arguments)
    if asked.command == "info":
        return 0
    if asked.command == "build":
        return 0 if buildah.has(LOCAL + asked.tag) else _complain(f"the tests have not built {asked.tag}")
    if asked.command == "rm":
        return 0  # it went with its client
    if not buildah.has(LOCAL + asked.image):
        return _complain(f"the tests have not built {asked.image}")
    return _run(buildah, asked)


def _run(buildah: Buildah, asked: argparse.Namespace) -> int:
    with buildah.container(LOCAL + asked.image) as container:
        command = container.command(
            asked.arguments,
            user=asked.user,
            environment=dict(pair.split("=", 1) for pair in asked.env),
            # Without a folder of this machine it is a new volume: the container has one, where the image declares it.
            volumes=[volume for volume in asked.volume if ":" in volume],
        )
        return subprocess.run(command, check=False).returncode


def _complain(words: str) -> int:
    sys.stderr.write(f"{words}\n")
    return _NOT_STARTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="docker", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info")
    build = commands.add_parser("build")
    build.add_argument("--quiet", action="store_true")
    build.add_argument("--tag", required=True)
    build.add_argument("--build-arg", action="append")
    build.add_argument("--target")
    build.add_argument("folder")
    remove = commands.add_parser("rm")
    remove.add_argument("--force", action="store_true")
    remove.add_argument("name")
    run = commands.add_parser("run")
    for flag in ("--rm", "--init"):
        run.add_argument(flag, action="store_true")
    for option in ("--name", "--network", "--user"):
        run.add_argument(option)
    for option in ("--env", "--volume"):
        run.add_argument(option, action="append", default=[])
    run.add_argument("image")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
