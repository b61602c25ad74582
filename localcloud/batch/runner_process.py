"""Runs a container's command as a process of this machine, for laptops without Docker."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from localcloud.batch.logs import LogWriter
from localcloud.batch.mounts import HostFolders, lustre_folders, translate
from localcloud.batch.process import run_process
from localcloud.batch.runner import ContainerRun, ContainerStartError, Outcome, StopSignal
from localcloud.images import ImageCatalog, UnknownImageError


class ProcessRunner:
    """A container runner without containers: image, mounts and environment are mapped to folders and variables."""

    def __init__(
        self,
        *,
        images: ImageCatalog,
        folders: HostFolders,
        scratch: Path,
        cloud_environment: Mapping[str, str],
        grace_seconds: float = 10.0,
    ) -> None:
        """`cloud_environment`: region, endpoint and keys for the job's AWS calls.

        `grace_seconds`: between SIGTERM and SIGKILL, 30 on AWS.
        """
        self._images = images
        self._folders = folders
        self._scratch = scratch
        self._cloud_environment = dict(cloud_environment)
        self._grace_seconds = grace_seconds

    def run(self, run: ContainerRun, stop: StopSignal, log: LogWriter, started: Callable[[], None]) -> Outcome:
        """Run the command to its end. Raises ContainerStartError."""
        scratch = self._scratch / run.task_id
        scratch.mkdir(parents=True)
        try:
            command, environment = self._translate(run, scratch)
            if stop.requested:
                return Outcome(None)
            exit_code = run_process(
                [_program(command, environment["PATH"]), *command[1:]],
                environment=environment,
                folder=scratch,
                stop=stop,
                log=log,
                started=started,
                grace_seconds=run.grace_seconds or self._grace_seconds,
            )
            return Outcome(exit_code)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _translate(self, run: ContainerRun, scratch: Path) -> tuple[list[str], dict[str, str]]:
        try:
            image = self._images.environment(run.image)
        except UnknownImageError as error:
            raise ContainerStartError(f"CannotPullContainerError: {error}") from error
        mounts = self._folders.mounts(run.volumes, run.mount_points)
        asked = {name: translate(value, mounts) for name, value in run.environment.items()}
        environment = {
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "LANG": "C.UTF-8",
            # A container is held to its share of the cores; a process would start a thread for each core there is.
            "OMP_NUM_THREADS": str(run.vcpus),
            **self._cloud_environment,
            **image,
            **lustre_folders(mount.folder for mount in mounts if mount.is_lustre),
            **asked,
        }
        return [translate(argument, mounts) for argument in run.command], environment


def _program(command: list[str], path: str) -> str:
    """The program's file, looked for in the container's PATH, not in that of this process."""
    name = command[0] if command else ""
    program = shutil.which(name, path=path)
    if program is None:
        raise ContainerStartError(f'CannotStartContainerError: exec: "{name}": executable file not found in $PATH')
    return program
