"""The sources in the engine's process: what goes with the jobs, the view of the data too."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from snakemake_launcher import genolaunch_job
from snakemake_launcher.engines.options import Options
from snakemake_launcher.genolaunch_job import NOTES, PROGRAM, SOURCES, DataView, Notes, S3Listing

_SKIPPED: Final = frozenset({".snakemake", ".git", "__pycache__"})


class Sources:
    """The working directory of the engine's process."""

    def __init__(self, options: Options) -> None:
        """Put into it what the jobs need to see the data."""
        self.root = Path.cwd()
        self._prefix = options.prefix
        self._notes = Notes(S3Listing(options.prefix))
        self.view = DataView(str(self.root), options.prefix, self._notes)
        self.checkpoints: set[str] = set()
        """Outputs of checkpoints that are done, by their paths below the data."""
        self._packed: Any = None
        shutil.copyfile(genolaunch_job.__file__, self.root / PROGRAM)
        (self.root / NOTES).write_text(json.dumps({"prefix": options.prefix}), encoding="utf-8")

    def files(self) -> Iterator[str]:
        """All sources, by their paths below the working directory. Copies of data are none."""
        for path, folders, names in os.walk(self.root):
            below = os.path.relpath(path, self.root)
            folders[:] = [
                name for name in folders if name not in _SKIPPED and os.path.normpath(f"{below}/{name}") != self._prefix
            ]
            for name in names:
                file = os.path.normpath(f"{below}/{name}")
                if file != SOURCES:
                    yield file

    def pack(self) -> str:
        """The archive's name, for jobs that cannot ask S3: sources, opened data, and what the view answered."""
        state = (len(self.view.opened), json.dumps(self._noted(), sort_keys=True))
        if state != self._packed:
            self._write()
            self._packed = state
        return SOURCES

    def _write(self) -> None:
        noted = self.root / ".snakemake" / NOTES
        noted.parent.mkdir(exist_ok=True)
        noted.write_text(json.dumps(self._noted()), encoding="utf-8")
        with tarfile.open(self.root / SOURCES, "w:gz") as archive:
            archive.add(noted, arcname=NOTES)
            sources = {*self.files()} - {NOTES, PROGRAM}
            for file in sorted(sources):
                archive.add(self.root / file, arcname=file)
            for file in sorted(self.view.opened - sources):
                copy = self.root / self._prefix / file
                if copy.is_file():
                    archive.add(copy, arcname=file)

    def _noted(self) -> dict[str, Any]:
        return {
            "prefix": self._prefix,
            "folders": dict(self._notes.folders),
            "kinds": dict(self._notes.kinds),
            "checkpoints": sorted(self.checkpoints),
        }


def run_by_program(command: str, program: str = PROGRAM) -> str:
    """A job's command, which calls Snakemake as a module, with the program that sees the data."""
    return command.replace(" -m snakemake --snakefile", f" {program} --snakefile")
