"""Maps the host folders that a container mounts to folders of this machine."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

from localcloud.batch.runner import ContainerStartError

_LUSTRE_MOUNT: Final = re.compile(r"^(?P<id>fs-[0-9a-f]{8,})_(?P<mount_name>[A-Za-z0-9_-]{1,8})$")
"""Last component of the host folder on which a launch template's automounter mounts a file system."""

OF_A_TASK: Final = "/fargate/"
"""Where the folders are that stand in for a Fargate task's own volumes."""


class MountError(Exception):
    """A file system cannot be mounted; the message says why."""


class FileSystems(Protocol):
    """File systems that can be mounted by id."""

    def mount(self, file_system_id: str, mount_name: str) -> Path:
        """Return the folder that stands in for the file system, after all files have their content.

        Raises:
            MountError: the file system cannot be mounted.
        """


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of this machine, and its path in the container."""

    container_path: str
    folder: Path
    read_only: bool
    is_lustre: bool
    is_of_a_task: bool = False
    """Whether it is the task's own volume: empty at first, deleted with the task, and owned like its folder in the
    image (Amazon ECS developer guide, "Use bind mounts")."""

    def translate(self, text: str) -> str | None:
        """`text` with the container's path replaced by the folder, if it is a path at or below the mount."""
        path = self.container_path.rstrip("/")
        if text == path or text.startswith(path + "/"):
            return f"{self.folder}{text[len(path) :]}"
        return None


class HostFolders:
    """Maps the container host's paths to folders of this machine."""

    def __init__(self, root: Path, file_systems: FileSystems) -> None:
        """Keep where the folders are.

        Args:
            root: the folder that stands in for the host's own disk.
            file_systems: mounts file systems by id.
        """
        self._root = root
        self._file_systems = file_systems

    def mounts(self, volumes: Sequence[Mapping[str, Any]], mount_points: Sequence[Mapping[str, Any]]) -> list[Mount]:
        """Make the folders of the container's mounts, and fill its file systems.

        Raises:
            ContainerStartError: a mount fails; the text is that of the container service.
        """
        sources = {volume["name"]: volume.get("host", {}).get("sourcePath") for volume in volumes}
        return [self._mount(point, sources.get(point["sourceVolume"])) for point in mount_points]

    def _mount(self, point: Mapping[str, Any], source_path: str | None) -> Mount:
        if not source_path:
            raise ContainerStartError(
                f"CannotStartContainerError: volume {point['sourceVolume']} has no host.sourcePath; "
                "other volumes are not supported by the local cloud"
            )
        lustre = _LUSTRE_MOUNT.match(PurePosixPath(source_path).name)
        folder = self._file_system(lustre) if lustre else self._host_folder(source_path)
        return Mount(
            point["containerPath"],
            folder,
            read_only=bool(point.get("readOnly")),
            is_lustre=lustre is not None,
            is_of_a_task=source_path.startswith(OF_A_TASK),
        )

    def _file_system(self, name: re.Match[str]) -> Path:
        try:
            return self._file_systems.mount(name["id"], name["mount_name"])
        except MountError as error:
            raise ContainerStartError(f"CannotStartContainerError: {name[0]} cannot be mounted: {error}") from error

    def _host_folder(self, source_path: str) -> Path:
        parts = PurePosixPath(source_path).parts
        if ".." in parts:
            raise ContainerStartError(f"CannotStartContainerError: {source_path} is no absolute path")
        folder = self._root.joinpath(*(part for part in parts if part != "/"))
        folder.mkdir(parents=True, exist_ok=True)  # Docker makes a missing bind source, too
        return folder


def translate(text: str, mounts: Iterable[Mount]) -> str:
    """Translate `text` for a process outside a container: a path below a mount becomes a path below its folder."""
    for mount in sorted(mounts, key=lambda each: len(each.container_path), reverse=True):
        translated = mount.translate(text)
        if translated is not None:
            return translated
    return text


def lustre_folders(paths: Iterable[str | Path]) -> dict[str, str]:
    """Return the environment variables by which the `stat` shim knows which folders are on Lustre."""
    return {"LOCALCLOUD_LUSTRE": ":".join(str(path) for path in paths)}
