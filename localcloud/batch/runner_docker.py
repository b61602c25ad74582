"""Runs jobs in Docker containers, where an engine answers."""

import functools
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from localcloud.batch.logs import LogWriter
from localcloud.batch.mounts import HostFolders, Mount, lustre_folders
from localcloud.batch.process import run_process
from localcloud.batch.runner import ContainerRun, ContainerStartError, Outcome, StopSignal
from localcloud.images import ImageCatalog

_STAT_IN_CONTAINER: Final = "/usr/local/bin/stat"
"""Comes before the real one on the images' PATH."""

_DOCKER_FAULTS: Final = frozenset({125, 126, 127})
"""`docker run` itself failed, or the command could not be started (Docker's documentation of exit statuses)."""

_ANSWER_SECONDS: Final = 10
_BUILD_SECONDS: Final = 1_800


def docker_answers() -> bool:
    """Whether there is a Docker engine to talk to."""
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True, timeout=_ANSWER_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class DockerRunner:
    """A container runner on the local Docker engine."""

    def __init__(
        self,
        *,
        images: ImageCatalog,
        folders: HostFolders,
        scratch: Path,
        cloud_environment: Mapping[str, str],
        grace_seconds: float = 10.0,
    ) -> None:
        """`cloud_environment`: region, endpoint and keys for the job's AWS calls."""
        self._images = images
        self._folders = folders
        self._scratch = scratch
        self._cloud_environment = dict(cloud_environment)
        self._grace_seconds = grace_seconds
        self._build = functools.cache(self._build_once)

    def run(self, run: ContainerRun, stop: StopSignal, log: LogWriter, started: Callable[[], None]) -> Outcome:
        """Run the container to its end. Raises ContainerStartError."""
        image = self._local_image(run.image)
        mounts = self._folders.mounts(run.volumes, run.mount_points)
        if stop.requested:
            return Outcome(None)
        self._scratch.mkdir(parents=True, exist_ok=True)
        exit_code = run_process(
            self._command(run, image, mounts),
            environment=os.environ,  # docker's own client, not the job
            folder=self._scratch,
            stop=stop,
            log=log,
            started=started,
            grace_seconds=run.grace_seconds or self._grace_seconds,
        )
        if stop.requested:
            _remove(run.task_id)
        if exit_code in _DOCKER_FAULTS and not stop.requested:
            return Outcome(exit_code, "CannotStartContainerError: docker could not run the container; see its log")
        return Outcome(exit_code)

    def _command(self, run: ContainerRun, image: str, mounts: list[Mount]) -> list[str]:
        lustre = lustre_folders(mount.container_path for mount in mounts if mount.is_lustre)
        environment = {**self._cloud_environment, **lustre, **run.environment}
        return [
            *("docker", "run", "--rm", "--init", "--name", run.task_id),
            *("--network", "host"),  # the embedded cloud listens on this machine's loopback address
            *(("--user", run.user) if run.user else ()),
            *_repeat("--env", (f"{name}={value}" for name, value in environment.items())),
            *_repeat("--volume", (_volume(mount) for mount in mounts)),
            *("--volume", f"{self._images.stat_shim}:{_STAT_IN_CONTAINER}:ro"),
            image,
            *run.command,
        ]

    def _local_image(self, uri: str) -> str:
        source = self._images.build_source(uri)
        return uri if source is None else self._build(source.tag, source.folder, source.options)

    def _build_once(self, tag: str, folder: Path, options: tuple[str, ...]) -> str:
        build = ["docker", "build", "--quiet", "--tag", tag, *options, str(folder)]
        try:
            subprocess.run(build, check=True, capture_output=True, text=True, timeout=_BUILD_SECONDS)
        except subprocess.CalledProcessError as error:
            raise ContainerStartError(
                f"CannotPullContainerError: {tag} does not build: {error.stderr[-500:]}"
            ) from error
        except (OSError, subprocess.SubprocessError) as error:
            raise ContainerStartError(f"CannotPullContainerError: {tag} does not build: {error}") from error
        return tag


def _remove(container: str) -> None:
    """Make sure that a container is gone: the client, killed after the grace time, leaves it behind."""
    subprocess.run(["docker", "rm", "--force", container], check=False, capture_output=True, timeout=_ANSWER_SECONDS)


def _volume(mount: Mount) -> str:
    if mount.is_of_a_task:
        return mount.container_path  # a new volume, which takes the owner of the image's folder, and goes with `--rm`
    return f"{mount.folder}:{mount.container_path}{':ro' if mount.read_only else ''}"


def _repeat(option: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (option, value)]
