"""Snakemake workflows as folders of this machine: which files are a workflow's sources."""

import getpass
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genolaunch.contract.launch_bucket import SNAKEFILE_NAME, STANDARD_CONFIG, STANDARD_FOLDER
from genolaunch.source_files import refuse_what_is_no_source


@dataclass(frozen=True)
class Project:
    """What is uploaded with a Snakefile."""

    name: str
    root: Path
    snakefile: PurePosixPath
    """Below the root."""

    @classmethod
    def of(cls, snakefile: Path) -> "Project":
        """In Snakemake's own layout (PROJECT/workflow/Snakefile, PROJECT/config/) the project, else the folder.

        Every such project has a folder `workflow`: the name is that of the next folder above that is called otherwise.
        """
        folder = snakefile.resolve().parent
        named = next((each for each in (folder, *folder.parents) if each.name not in ("", STANDARD_FOLDER)), folder)
        is_standard = folder.name == STANDARD_FOLDER and (folder.parent / STANDARD_CONFIG).is_dir()
        root = folder.parent if is_standard else folder
        return cls(named.name, root, PurePosixPath(*folder.relative_to(root).parts, SNAKEFILE_NAME))

    def sources(self, snakefile: Path) -> Iterator[tuple[Path, PurePosixPath]]:
        """Each file beside and below the Snakefile, with its path below the root; of a project in the standard layout
        workflow/, config/ and the files beside them, and not its data and results.

        Raises GenolaunchError for what would carry other files of this machine along (source_files.py).
        """
        found = [(path, below) for path, below in self._taken() if path != snakefile.resolve()]
        refuse_what_is_no_source(self.root, [*found, (snakefile.resolve(), self.snakefile)])
        refuse_what_is_no_source(snakefile.absolute().parent, [(snakefile.absolute(), PurePosixPath(snakefile.name))])
        yield from (each for each in found if each[0].is_file())

    def _taken(self) -> Iterator[tuple[Path, PurePosixPath]]:
        """What lies where sources are, and is no folder."""
        taken = {STANDARD_FOLDER, STANDARD_CONFIG} if len(self.snakefile.parts) > 1 else None
        for path in sorted(self.root.rglob("*")):
            below = PurePosixPath(*path.relative_to(self.root).parts)
            is_taken = taken is None or len(below.parts) == 1 or below.parts[0] in taken
            hidden = any(part.startswith(".") for part in below.parts)
            if is_taken and not hidden and (path.is_symlink() or not path.is_dir()):
                yield path, below

    @property
    def origin(self) -> str:
        """Where it lies, and whose it is."""
        return f"{getpass.getuser()}@{platform.node()}:{self.root}"
