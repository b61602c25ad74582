"""The sources in the engine's process: the files that go with jobs, the view of the data included."""

import hashlib
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import boto3

from snakemake_launcher import genolaunch_job
from snakemake_launcher.engines.near_misses import NearMisses
from snakemake_launcher.engines.options import Options
from snakemake_launcher.events import emit
from snakemake_launcher.genolaunch_job import NOTES, PROGRAM, SOURCES, DataView, Notes, S3Listing, let_programs_run

_SKIPPED: Final = frozenset({".snakemake", ".git", "__pycache__"})
_SOURCE_MARK: Final = "genolaunch-source"
"""Metadata of an object that is a copy of a source: the source's SHA-256."""
_MOST_NAMED: Final = 5
_MOST_DESCRIBED: Final = 5
"""Searches of which a run says where they looked and what is there, and which its log names: each asks S3, and a
Snakefile may search for each of its samples."""


class Sources:
    """The working directory of the engine's process."""

    def __init__(self, options: Options) -> None:
        """Put into it what the jobs need to see the data."""
        self.root = Path.cwd()
        self._prefix = options.prefix
        listing = S3Listing(options.prefix)
        self._reading, self._later = Notes(listing), Notes(listing)
        self.view = DataView(str(self.root), options.prefix, self._reading, self._later)
        self.near_misses = NearMisses(self.view.plain, listing)
        self.view.tell_search = Searches(options.prefix, listing).tell
        self.checkpoints: set[str] = set()
        """Outputs of checkpoints that are done, by their paths below the data."""
        self._packed: Any = None
        shutil.copyfile(genolaunch_job.__file__, self.root / PROGRAM)
        self._write_notes()
        let_programs_run(str(self.root))
        self._brought: set[str] = set()
        """Paths that were asked for as inputs."""
        self._copies = SourceCopies(options.prefix)

    def bring(self, path: str) -> bool:
        """Copy what lies at a path of the sources, a file or a folder, to the data, if it lacks that.

        An input of a rule, which no rule makes, may be one of the sources, or have been written by the Snakefile as it
        was read: in a plain run all lie in one folder. What the data has by itself at this path, it keeps.

        Returns:
            Whether the data is another one now.
        """
        if path in self._brought:
            return False
        self._brought.add(path)
        there = [each for each in sorted(self._walk(path)) if each == path or each.startswith(f"{path}/")]
        brought = [self._copies.bring(self.root / each, each) for each in there]
        return any(brought)

    def files(self) -> Iterator[str]:
        """All sources, by their paths below the working directory. Copies of data are none."""
        self._write_notes()  # the Snakefile has been read
        yield from self._walk()

    def times(self) -> dict[str, int]:
        """When each file here was written, in nanoseconds; but for copies of data."""
        files = (file for file in self._walk() if file not in self.view.opened)
        return {file: (self.root / file).lstat().st_mtime_ns for file in files}

    def _walk(self, start: str = "") -> Iterator[str]:
        """All files, or those at and below a path."""
        if (self.root / start).is_file():
            yield start
        for path, folders, names in os.walk(self.root / start):
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
        state = (len(self.view.opened), json.dumps(self.noted(live=False), sort_keys=True))
        if state != self._packed:
            self._write()
            self._packed = state
        return SOURCES

    def _write(self) -> None:
        noted = self.root / ".snakemake" / NOTES
        noted.parent.mkdir(exist_ok=True)
        noted.write_text(json.dumps(self.noted(live=False)), encoding="utf-8")
        with tarfile.open(self.root / SOURCES, "w:gz") as archive:
            archive.add(noted, arcname=NOTES)
            sources = {*self.files()} - {NOTES, PROGRAM}
            for file in sorted(sources):
                archive.add(self.root / file, arcname=file)
            for file in sorted(self.view.opened - sources):
                copy = self.root / self._prefix / file
                if copy.is_file():
                    archive.add(copy, arcname=file)

    def noted(self, *, live: bool) -> dict[str, Any]:
        """For jobs. Where S3 may be asked (`live`), it is for what functions of rules want to know."""
        return {
            "prefix": self._prefix,
            "live": live,
            "reading": self._reading.said,
            "later": None if live else self._later.said,
            "checkpoints": [] if live else sorted(self.checkpoints),
        }

    def _write_notes(self) -> None:
        (self.root / NOTES).write_text(json.dumps(self.noted(live=True)), encoding="utf-8")


class SourceCopies:
    """Copies of sources in the data, each with a mark, by which a later launch knows it for one and renews it."""

    def __init__(self, prefix: str) -> None:
        """`prefix`: of the data."""
        self._bucket, _, below = prefix.partition("/")
        self._below = f"{below}/" if below else ""
        self._s3 = boto3.client("s3")

    def bring(self, source: Path, path: str) -> bool:
        """Copy a source to its path, unless the data has it, or a file of its own, there. Returns whether it did."""
        key, digest = self._below + path, hashlib.sha256(source.read_bytes()).hexdigest()
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        if [item["Key"] for item in found] == [key]:
            known = self._s3.head_object(Bucket=self._bucket, Key=key)["Metadata"].get(_SOURCE_MARK)
            if known in (None, digest):
                return False
        self._s3.upload_file(str(source), self._bucket, key, ExtraArgs={"Metadata": {_SOURCE_MARK: digest}})
        return True


class Searches:
    """Tells of searches of the Snakefile that found nothing: what is made of them is empty, and no error."""

    def __init__(self, prefix: str, listing: S3Listing) -> None:
        """`prefix`: of the data, which `listing` knows."""
        self._data = f"s3://{prefix}/"
        self._listing = listing
        self._unmatched: set[str] = set()
        self._told = 0

    def tell(self, call: str, folder: str, found: bool) -> None:
        """Tell of one, once; and that it found something after all, as it may behind a checkpoint."""
        if found and call in self._unmatched:
            self._unmatched.remove(call)
            emit("unmatched", search=call, message="")
        elif not found and call not in self._unmatched:
            self._unmatched.add(call)
            emit("unmatched", search=call, message=self._sentence(call, folder))

    def _sentence(self, call: str, folder: str) -> str:
        self._told += 1
        sentence = f"{call} in the Snakefile found nothing"
        if self._told > _MOST_DESCRIBED:
            if self._told == _MOST_DESCRIBED + 1:
                _log("more searches of the Snakefile found nothing: the launch's warnings say how many.")
            return f"{sentence}."
        sentence += f": {self._what_there_is(folder)}"
        _log(sentence)
        return sentence

    def _what_there_is(self, folder: str) -> str:
        missing = ""
        while folder and self._listing.kind(folder) != "folder":
            missing, folder = folder, folder.rpartition("/")[0]
        names = self._listing.names(folder, _MOST_NAMED + 1)
        more = ", …" if len(names) > _MOST_NAMED else ""
        there = f"holds {', '.join(names[:_MOST_NAMED])}{more}" if names else "is empty"
        place = f"{self._data}{folder}/" if folder else self._data
        lacks = f"there is no folder {missing}/ in the launch's data. " if missing else ""
        return f"{lacks}{place} {there}. If that is not meant, correct the pattern, or upload what it looks for."


def _log(sentence: str) -> None:
    """Into Snakemake's log."""
    sys.stderr.write(f"Warning: {sentence}\n")


def run_local_rules_as_jobs(workflow: Any) -> None:  # noqa: ANN401 - Snakemake has no types here
    """Local rules run as jobs: in the launcher, which has no image's tools, their files lie elsewhere, and what their
    commands print of their paths would be other than in a plain run.

    `workflow`: Snakemake's class.
    """
    workflow.is_local = lambda _workflow, rule: rule.group is None and rule.norun


def tell_lost_files(workflow: Any, sources: Sources) -> None:  # noqa: ANN401
    """What `onstart:`, `onsuccess:` and `onerror:` write is told: they run here, so it is not among the data, as it
    would be in a plain run.

    `workflow`: Snakemake's class.
    """
    for name in ("onstart", "onsuccess", "onerror"):
        setattr(workflow, name, _telling(name, getattr(workflow, name), sources))


def _telling(name: str, register: Callable[..., None], sources: Sources) -> Callable[..., None]:
    def registering(workflow: Any, function: Callable[[Any], None]) -> None:  # noqa: ANN401
        def handling(log: Any) -> None:  # noqa: ANN401
            before = sources.times()
            try:
                function(log)
            finally:
                after = sources.times()
                lost = sorted(file for file, time in after.items() if before.get(file) != time)
                if lost:
                    emit("lost", by=name, message=_of_lost(name, lost))

        register(workflow, handling)

    return registering


def _of_lost(name: str, files: Sequence[str]) -> str:
    more = f" and {len(files) - _MOST_NAMED:,} more" if len(files) > _MOST_NAMED else ""
    return (
        f"The Snakefile's `{name}:` wrote {', '.join(files[:_MOST_NAMED])}{more} in the launcher, where no result is "
        "kept. Let a rule write what is to stay."
    )


def run_by_program(command: str, program: str = PROGRAM) -> str:
    """A job's command, which calls Snakemake as a module, with the program that sees the data."""
    return command.replace(" -m snakemake --snakefile", f" {program} --snakefile")
