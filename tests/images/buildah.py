"""Debian's buildah, as far as these tests need it: images and containers in a folder, without a daemon or privileges.

Chroot isolation and copied layers (`vfs`) need neither namespaces nor overlays, so they work in most containers.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOCAL: Final = "localhost/"
"""The registry of an image that has none."""

_ISOLATION: Final = ("--isolation", "chroot")
_SECONDS: Final = 1_800
"""As long as the embedded cloud lets Docker build an image."""


class BuildahError(Exception):
    """buildah refused something; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that commands can be run in, one after the other or at once."""

    buildah: "Buildah"
    id: str

    def run(
        self,
        *command: str,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        volumes: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in the image's environment and folder. `volumes`: HOST:CONTAINER[:ro]."""
        return subprocess.run(
            self.command(command, user=user, environment=environment or {}, volumes=volumes),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def output(self, *command: str, **how: Any) -> str:
        """What a command prints; an AssertionError if it fails."""
        done = self.run(*command, **how)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def command(
        self, command: Sequence[str], *, user: str | None, environment: Mapping[str, str], volumes: Sequence[str]
    ) -> list[str]:
        """The command line that does so."""
        return [
            *self.buildah.program,
            "run",
            *_ISOLATION,
            *(("--user", user) if user else ()),
            *(part for name, value in environment.items() for part in ("--env", f"{name}={value}")),
            *(part for volume in volumes for part in ("--volume", volume)),
            self.id,
            "--",
            *command,
        ]

    def change_root(self, change: Callable[[Path], None]) -> None:
        """Let `change` work on the container's root folder from outside."""
        change(Path(self.buildah.call("mount", self.id)))
        self.buildah.call("umount", self.id)


class Buildah:
    """buildah with all that it keeps below one folder."""

    def __init__(self, folder: Path) -> None:
        self.program: Final = (
            "buildah",
            *("--root", str(folder / "storage")),
            *("--runroot", str(folder / "run")),
            *("--storage-driver", "vfs"),
        )

    def call(self, *arguments: str) -> str:
        """What one of its commands prints. Raises BuildahError."""
        done = subprocess.run(
            [*self.program, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            raise BuildahError(f"buildah {' '.join(arguments)}\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout.strip()

    def identity(self, image: str) -> str:
        """An image's id, which is of its content; "" if there is no such image."""
        return self.call("images", "--filter", f"reference={image}", "--quiet", "--no-trunc")

    def has(self, image: str) -> bool:
        """Whether there is such an image."""
        return bool(self.identity(image))

    def build(self, image: str, folder: Path, *options: str) -> str:
        """Build an image from a folder with a Dockerfile; answers what was said. No image is asked of a registry."""
        return self.call("build", *_ISOLATION, "--pull-never", "--tag", image, *options, str(folder))

    def configuration(self, image: str) -> dict[str, Any]:
        """What an image says of its containers (OCI image specification, `config`), and its architecture."""
        described = json.loads(self.call("inspect", "--type", "image", image))["OCIv1"]
        return dict(described["config"]) | {"architecture": described["architecture"]}

    def megabytes(self, image: str) -> int:
        """Of all its files."""
        size: int = json.loads(self.call("images", "--json", image))[0]["size"].partition(" ")[0].partition(".")[0]
        return int(size)

    @contextmanager
    def container(self, image: str) -> Iterator[Container]:
        """A container of an image, which is gone afterwards."""
        container = Container(self, self.call("from", "--pull-never", image))
        try:
            yield container
        finally:
            self.call("rm", container.id)

    def commit(self, container: Container, image: str, *configuration: str) -> None:
        """Make an image of a container. `configuration`: options of `buildah config`."""
        if configuration:
            self.call("config", *configuration, container.id)
        self.call("commit", "--quiet", container.id, image)


def missing() -> str | None:
    """What this machine lacks to build images, in one line; None if it lacks nothing."""
    programs = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if programs:
        return f"install {' and '.join(programs)} (Debian: apt-get install buildah debootstrap) to build the images"
    if platform.machine() != "x86_64":
        return "the images are for x86-64, which this machine is not"
    if os.geteuid() != 0:
        return "only root can make base images (debootstrap)"
    return None
