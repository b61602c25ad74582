"""Refuses files of a folder that cannot be sources of a workflow, before anything is uploaded.

A foreign project may contain a link to a private key of the person who submits it, and everything that is uploaded can
be read by all readers of the launch bucket, and by the workflow.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from genolaunch.errors import GenolaunchError

_LONGEST_PATH: Final = 700
"""Bytes in UTF-8 of a path below the folder. A key has 1,024 (Amazon S3 user guide, "Naming Amazon S3 objects"); the
rest is for the prefixes of the launch bucket and of the results, to which a launch copies its sources."""

_MOST_NAMED: Final = 20


def refuse_what_is_no_source(root: Path, found: Iterable[tuple[Path, PurePosixPath]]) -> None:
    """Check files, each with its path below the root.

    Raises:
        GenolaunchError: naming all that lead out of the folder, are no plain files, have another name on this machine,
            or would not be told apart, or not be named, elsewhere.
    """
    files = list(found)
    faults = [f"{below} {fault}" for path, below in files if (fault := _fault(root.resolve(), path, below))]
    faults += _collisions(below for _, below in files)
    if faults:
        more = f"; and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        raise GenolaunchError(
            f"{root} was not uploaded, since of its files {'; '.join(faults[:_MOST_NAMED])}{more}. Copy what the "
            "workflow needs into the folder as plain files, and remove the rest."
        )


def _fault(root: Path, path: Path, below: PurePosixPath) -> str | None:
    if len(str(below).encode(errors="surrogateescape")) > _LONGEST_PATH:
        return f"has a path of more than {_LONGEST_PATH} bytes"
    if not str(below).isprintable():
        return "has a name that cannot be shown (control characters, or no UTF-8)"
    if path.is_symlink():
        target = Path(os.path.realpath(path))  # of a loop the link itself, where resolve() raises
        if not target.is_relative_to(root):
            return f"is a link out of the folder, to {target}"
        if target.is_dir():
            return f"is a link to a folder, {target.relative_to(root)}"
        if target.is_symlink() or not target.exists():
            return "is a link to nothing"
        path = target
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        return "is no plain file (a device, a pipe or a socket)"
    if status.st_nlink > 1:
        return "is a hard link: the file has another name on this machine"
    return None


def _collisions(paths: Iterable[PurePosixPath]) -> Iterator[str]:
    """Names that are equal on a case-insensitive file system, where one file would replace the other."""
    alike = defaultdict(list)
    for path in paths:
        alike[str(path).casefold()].append(str(path))
    for names in alike.values():
        if len(names) > 1:
            yield f"{' and '.join(sorted(names))} differ by case only"
