"""The launch's file system: checks that it is mounted, and moves outputs to their place only when they are complete."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from regenie_runner.errors import FileSystemMissingError, UsageError

FILE_SYSTEM_TYPE = "lustre"
ANY_FILE_SYSTEM = "any"
"""On a cluster: its shared folder may be on Lustre, NFS or EFS, and no Docker makes a folder where it is missing."""
SENTINEL = "launch.json"


class Workspace(NamedTuple):
    """Where the launch's file system is mounted, and who writes to it."""

    root: Path
    launch_id: str
    attempt: str
    """Unique to one attempt of one job: no two writers ever share a folder."""
    file_system_type: str = FILE_SYSTEM_TYPE
    """As `stat` names it; ANY_FILE_SYSTEM where nothing but the sentinel tells."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Workspace:
        """Raises UsageError naming the variables that the job definition should have set."""
        missing = [name for name in ("WORKSPACE", "LAUNCH_ID") if not environment.get(name)]
        if missing:
            raise UsageError(f"The environment lacks {' and '.join(missing)}.")
        job = environment.get("AWS_BATCH_JOB_ID", "no-job").replace(":", "-")
        attempt = environment.get("AWS_BATCH_JOB_ATTEMPT", "1")
        file_system = environment.get("FILE_SYSTEM_TYPE", FILE_SYSTEM_TYPE)
        return cls(Path(environment["WORKSPACE"]), environment["LAUNCH_ID"], f"{job}-{attempt}", file_system)

    @property
    def data(self) -> Path:
        """The launch's data."""
        return self.root / "data"

    @property
    def work(self) -> Path:
        """The launch's results prefix."""
        return self.root / "work"

    def plan(self, phase: str) -> Path:
        """The file with one task a line."""
        return self.work / "plan" / f"{phase}.jsonl"

    def check_mounted(self) -> None:
        """Raise FileSystemMissingError unless this launch's file system is mounted.

        Docker creates a missing bind source, so without the mount a job would see an empty folder and fill the
        instance's own disk.
        """
        if self.file_system_type != ANY_FILE_SYSTEM:
            found = _file_system_type(self.root)
            if found != self.file_system_type:
                raise FileSystemMissingError(
                    f"{self.root} is not a Lustre file system but {found}: the mount is missing."
                )
        owner = self._sentinel_launch_id()
        if owner != self.launch_id:
            raise FileSystemMissingError(
                f"The file system at {self.root} belongs to launch {owner}, this job to {self.launch_id}."
            )

    def _sentinel_launch_id(self) -> str:
        sentinel = self.work / SENTINEL
        try:
            return str(json.loads(sentinel.read_text(encoding="utf-8"))["launchId"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileSystemMissingError(f"{sentinel} cannot be read: {error!r}.") from None

    @contextmanager
    def fresh_folder(self, target: Path) -> Iterator[Path]:
        """A new empty folder that becomes `target` if the body succeeds, and vanishes if it does not."""
        with self._own_corner(target) as corner:
            folder = corner / "new"
            folder.mkdir()
            yield folder
            if target.exists():
                # A folder cannot be renamed onto one that has files: what was left incomplete steps aside first.
                target.rename(corner / "old")
            folder.rename(target)

    @contextmanager
    def fresh_file(self, target: Path) -> Iterator[BinaryIO]:
        """A new file that becomes `target` if the body succeeds, and vanishes if it does not."""
        with self._own_corner(target) as corner:
            path = corner / target.name
            with path.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            path.replace(target)

    @contextmanager
    def _own_corner(self, target: Path) -> Iterator[Path]:
        """A folder of this attempt beside the target, so that a rename stays on one file system.

        Attempts of one target share a parent, so that what a killed one left is found without listing the (possibly
        ten thousand) outputs of the phase. Only the own folder is removed at the end: an attempt on an instance that
        was given up may still be running, and must not take its successor's files away.
        """
        attempts = target.parent / f".{target.name}.attempts"
        shutil.rmtree(attempts, ignore_errors=True)
        corner = attempts / self.attempt
        corner.mkdir(parents=True)
        try:
            yield corner
        finally:
            shutil.rmtree(corner, ignore_errors=True)
            with suppress(OSError):  # not empty: somebody else's
                attempts.rmdir()


def _file_system_type(path: Path) -> str:
    """Name of the file system that `path` is on, as coreutils prints it, or a reason why there is none."""
    command = ["stat", "--file-system", "--format=%T", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else f"unreadable ({answer.stderr.strip()})"
