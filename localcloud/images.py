"""How a container image becomes the environment of a process, and what Docker builds it from.

This package has no images of its own. Whoever starts the cloud names a module (`--images`) whose `images()` answers
those that it can run: last component of the image's repository -> Image. The cloud, and the processes that it starts,
find the module's name in their environment.
"""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from localcloud.archived_file import ARCHIVED_LINK
from localcloud.clean_environment import APP_SETTINGS
from localcloud.executables import put_executable

MODULE: Final = "LOCALCLOUD_IMAGES"
"""Environment variable that names the module; without it no image is known."""

_PATH: Final = "LOCALCLOUD_PATH"
"""Environment variable of the cloud's processes that play other machines, whose PATH is that machine's."""

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
class Programs:
    """Folders of what processes find beside an image's own files, as Path objects."""

    bin: Path
    """For PATH: `python3`, `stat`, `lfs`, and the programs of all images."""
    fonts: Path
    """For MPLCONFIGDIR: matplotlib lists the fonts once and keeps the list."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a process of this machine can stand in for."""

    environment: Callable[[Programs], Mapping[str, str]]
    """What a process needs in its environment to find what the image holds. Raises UnknownImageError."""
    folder: Path
    """What Docker builds it from."""
    build_options: Callable[[str], tuple[str, ...]] = lambda _tag: ()
    """Of `docker build`, by the image's tag."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Name -> script of programs that the image has and this machine may lack."""


@dataclass(frozen=True, slots=True)
class BuildSource:
    """What Docker builds a known image from."""

    tag: str
    folder: Path
    options: tuple[str, ...]
    """Of `docker build`."""


def known() -> Mapping[str, Image]:
    """The images that this cloud was told of, by the last component of their repositories."""
    name = os.environ.get(MODULE)
    images: Mapping[str, Image] = import_module(name).images() if name else {}
    return images


def environment() -> dict[str, str]:
    """By which a process of this cloud knows the same images, and finds the same programs for them."""
    if not os.environ.get(MODULE):
        return {}
    settings = {name: value for name, value in os.environ.items() if name.startswith(APP_SETTINGS)}
    return {MODULE: os.environ[MODULE], _PATH: search_path(), **settings}


def search_path() -> str:
    """Where the cloud itself finds programs: its PATH, also in a process that plays another machine."""
    return os.environ.get(_PATH) or os.environ.get("PATH", os.defpath)


class ImageCatalog:
    """Runs images as processes."""

    def __init__(self, images: Mapping[str, Image], state: Path) -> None:
        """`images` by the last component of their repositories. `state`: where programs of their PATH are written."""
        self._images = images
        self._programs = Programs(state.resolve() / "bin", state.resolve() / "matplotlib")
        self._write_programs()

    @property
    def stat_shim(self) -> Path:
        """The `stat` that calls stand-in file systems Lustre."""
        return self._programs.bin / "stat"

    def environment(self, uri: str) -> Mapping[str, str]:
        """The environment of an image's process. Raises UnknownImageError."""
        repository, tag = _name(uri)
        if repository not in self._images or not tag:
            known = ", ".join(f"{each}:<version>" for each in self._images) or "no image"
            raise UnknownImageError(f"{uri} can be run by Docker only; without it the local cloud knows {known}")
        return self._images[repository].environment(self._programs)

    def build_source(self, uri: str) -> BuildSource | None:
        """What to build an image from, if it is a known one."""
        repository, tag = _name(uri)
        if repository not in self._images or not tag:
            return None
        image = self._images[repository]
        return BuildSource(f"{repository}:{tag}", image.folder, image.build_options(tag))

    def _write_programs(self) -> None:
        folder = self._programs.bin
        folder.mkdir(parents=True, exist_ok=True)
        self._programs.fonts.mkdir(exist_ok=True)
        # A wrapper, not a link: an interpreter that is called by a link does not find its virtual environment.
        put_executable(folder / "python3", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        put_executable(folder / "stat", _STAT_SHIM)
        put_executable(folder / "lfs", _LFS)
        for image in self._images.values():
            for name, script in image.programs.items():
                put_executable(folder / name, script)


def _name(uri: str) -> tuple[str, str]:
    """The last component of an image's repository, and its tag; "" without one."""
    repository, _, tag = uri.rpartition("/")[2].partition(":")
    return repository, tag
