"""Runs Snakemake with a Snakefile that sees the launch's data as if it were in its working directory.

A Snakefile is read in the launcher and once more in each job, in folders that hold its sources. Its data is in S3. So
`glob_wildcards`, `os.listdir` and others would find nothing, without an error, and fewer files would be made. DataView
answers the Snakefile for what is in S3; rules find their files by Snakemake itself, and their code is left alone.

A copy of this file lies beside the sources, and runs Snakemake in the jobs: `python genolaunch_job.py ARGUMENTS` is
`python -m snakemake ARGUMENTS`. So it imports nothing of the launcher's.
"""

# Jobs run it in images of others: annotations are not evaluated there.
from __future__ import annotations

import glob
import hashlib
import json
import os
import pathlib
import re
import runpy
import shlex
import shutil
import stat
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

PROGRAM: Final = "genolaunch_job.py"
"""Name of this file beside the sources."""
NOTES: Final = "genolaunch-notes.json"
"""Beside it: what the launcher was told of the data, and whether S3 may be asked for more (`Sources.noted`)."""
SOURCES: Final = "genolaunch-sources.tgz"
"""Beside it in a job of Tibanna's: all sources."""
PLAIN_PATHS: Final = "--genolaunch-plain-paths"
"""First argument of a job on AWS Batch whose files lie in its working directory, by their paths below the data."""
RULES_SHELL: Final = "the rule's shell"
"""What the log calls it: `Command 'the rule's shell' returned non-zero exit status 1.`"""
EMPTY: Final = ".genolaunch_empty_folder"
"""Name of the file by which a folder of a `directory()` that holds nothing is kept in S3, which has files alone."""
LARGEST_OPENED: Final = 100 * 1024 * 1024
"""Bytes of a file of the data that the Snakefile may open while it is read: what is larger is for rules."""

_PROGRAMS: Final = (b"#!", b"\x7fELF")
"""How programs begin: scripts (execve(2), "Interpreter scripts"), and what a compiler made (elf(5), `e_ident`)."""
_OWN: Final = frozenset({".snakemake", ".git", PROGRAM, NOTES, SOURCES, "genolaunch-config.json"})
"""Beside the sources, and none of them."""
_ARCHIVES: Final = "snakemake-workflow-sources."
"""How Snakemake 9 calls what it puts there for its jobs: no data."""
_SNAKEMAKES_OWN: Final = ".snakemake/"
"""What is kept of how files were made: no data."""
_OUTER: Final = "GENOLAUNCH_JOB_PROCESS"
"""Environment variable: the process of a job that was started first, which others may be started by."""
_RULES: Final = "__rule_"
"""How the functions begin that Snakemake makes of a rule's `run:` and `shell:`."""


class Listing(Protocol):
    """What there is below the launch's data. Paths are relative to it; "" is the whole."""

    def files(self, folder: str) -> Sequence[str]:
        """All files below a folder, however deep; and folders that are noted to be empty, which end in `/`."""

    def kind(self, path: str) -> str:
        """`file`, `folder`, or `` for what is not there."""

    def fetch(self, path: str, target: str) -> bool:
        """Bring a file; False if that cannot be."""

    def size_and_time(self, path: str) -> Sequence[float]:
        """Bytes, and seconds since 1970, of a file; nothing for what is none."""


class S3Listing:
    """By asking S3, each time: what a checkpoint has just made is there as well."""

    def __init__(self, prefix: str) -> None:
        """`prefix`: bucket/prefix, or a bucket alone."""
        import boto3

        self._bucket, _, below = prefix.strip("/").partition("/")
        self._below = f"{below}/" if below else ""
        self._s3 = boto3.client("s3")

    def files(self, folder: str) -> list[str]:
        """By ListObjectsV2."""
        prefix = self._below + (f"{folder}/" if folder else "")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = (item["Key"] for page in pages for item in page.get("Contents", []))
        found = (key[len(self._below) :].removesuffix(EMPTY) for key in keys if key != prefix + EMPTY)
        return [path for path in found if not path.startswith((_ARCHIVES, _SNAKEMAKES_OWN))]

    def kind(self, path: str) -> str:
        """By the first key that there is."""
        if not path or self._first(f"{path}/"):
            return "folder"
        return "file" if self._first(path) == self._below + path else ""

    def names(self, folder: str, most: int) -> list[str]:
        """What a folder holds itself, at most so many; names of folders end in `/`."""
        prefix = self._below + (f"{folder}/" if folder else "")
        found = self._s3.list_objects_v2(
            Bucket=self._bucket,
            Prefix=prefix,
            Delimiter="/",
            MaxKeys=most + 3,  # 3: what is left out below
        )
        keys = [*(item["Prefix"] for item in found.get("CommonPrefixes", ()))]
        keys += [item["Key"] for item in found.get("Contents", ())]
        names = (key[len(prefix) :] for key in keys)
        return [name for name in names if name and not name.startswith((_ARCHIVES, ".snakemake", EMPTY))][:most]

    def fetch(self, path: str, target: str) -> bool:
        """By GetObject, if it is not too large."""
        if self._s3.head_object(Bucket=self._bucket, Key=self._below + path)["ContentLength"] > LARGEST_OPENED:
            return False
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(self._bucket, self._below + path, target)
        return True

    def size_and_time(self, path: str) -> list[float]:
        """By the first key that there is."""
        found = self._found(path)
        if found.get("Key") != self._below + path:
            return []
        return [int(found["Size"]), float(found["LastModified"].timestamp())]

    def _first(self, path: str) -> str:
        return str(self._found(path).get("Key", ""))

    def _found(self, path: str) -> dict[str, Any]:
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=self._below + path, MaxKeys=1)
        first: dict[str, Any] = next(iter(found.get("Contents", [])), {})
        return first


class Notes:
    """What a listing answered: kept while there is one to ask, and given again in a job."""

    def __init__(self, listing: Listing | None = None, noted: dict[str, Any] | None = None) -> None:
        """`noted`: by other notes. What is among it is not asked again."""
        self._listing = listing
        self._noted = noted or {"folders": {}, "kinds": {}, "sizes": {}}
        self.said: dict[str, dict[str, Any]] = {"folders": {}, "kinds": {}, "sizes": {}}
        """Answers, the last one to each question."""

    def files(self, folder: str) -> Sequence[str]:
        """As noted, or as they are."""
        if folder in self._noted["folders"] or self._listing is None:
            noted: list[str] = self._noted["folders"].get(folder, [])
            return noted
        found = self.said["folders"][folder] = list(self._listing.files(folder))
        return found

    def kind(self, path: str) -> str:
        """As noted, or as it is."""
        if path in self._noted["kinds"] or self._listing is None:
            return str(self._noted["kinds"].get(path, ""))
        found = self.said["kinds"][path] = self._listing.kind(path)
        return found

    def size_and_time(self, path: str) -> Sequence[float]:
        """As noted, or as they are."""
        if path in self._noted["sizes"] or self._listing is None:
            noted: list[float] = self._noted["sizes"].get(path, [])
            return noted
        found = self.said["sizes"][path] = list(self._listing.size_and_time(path))
        return found

    def fetch(self, path: str, target: str) -> bool:
        """Not from notes alone."""
        return self._listing is not None and self._listing.fetch(path, target)


class _Entry:
    """Of what is in S3: os.DirEntry, which only the interpreter makes."""

    def __init__(self, name: str, path: str, *, is_folder: bool, stat: Callable[[], os.stat_result]) -> None:
        self.name = name
        self.path = path
        self._is_folder = is_folder
        self._stat = stat

    def __fspath__(self) -> str:
        return self.path

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 - as os.DirEntry
        return self._is_folder

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 - as os.DirEntry
        return not self._is_folder

    def is_symlink(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002 - as os.DirEntry
        return self._stat()


class _Entries:
    """What os.scandir answers."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:  # noqa: ANN401
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open."""


class DataView:
    """Lets code of the sources see the data, outside of rules."""

    def __init__(self, root: str, prefix: str, reading: Listing, later: Listing) -> None:
        """`root`: folder of the sources, the working directory. `reading` answers while the Snakefile is read, when
        jobs are to hear what the launcher heard; `later` answers functions of rules, for which checkpoints make files.
        """
        self._roots = tuple({f"{root.rstrip('/')}/", f"{os.path.realpath(root)}/"})
        # How paths of the data begin in Snakemake 7 and 9, and in its storage plugin's own words.
        self._prefixes = (prefix, f".snakemake/storage/s3/{prefix}", f"s3:/{prefix}")
        self._reading, self._later = reading, later
        self._busy = threading.local()
        self._exists = os.path.exists
        self._walk = os.walk
        self._listdir = os.listdir
        self.opened: set[str] = set()
        """Files of the data that the sources opened, by their paths there."""
        self.tell_search: Callable[[str, str, bool], None] = lambda _call, _folder, _found: None
        """Told of searches of the sources: the call as one would write it, the folder below the data in which all that
        can match lies, and whether anything did. Of `glob` only while the Snakefile is read."""

    def install(self) -> None:
        """From now on, for the life of the process."""
        sys.addaudithook(self._hear)
        for name, kinds in (
            ("exists", "file folder"),
            ("isfile", "file"),
            ("isdir", "folder"),
            ("lexists", "file folder"),
        ):
            setattr(os.path, name, self._asking(getattr(os.path, name), kinds))
        for name, kinds in (("exists", "file folder"), ("is_file", "file"), ("is_dir", "folder")):
            setattr(pathlib.Path, name, self._asking(getattr(pathlib.Path, name), kinds))
        os.access = self._asking(os.access, "file folder")
        os.scandir = self._scanning(os.scandir)
        for module, name in ((os, "stat"), (os.path, "getsize"), (os.path, "getmtime"), (pathlib.Path, "stat")):
            self._install_stat(module, name)
        os.listdir = self._listing_folder(os.listdir)  # type: ignore[assignment]
        os.walk = self._walking(os.walk)
        find = glob.iglob
        glob.glob = self._globbing(find, list)
        glob.iglob = self._globbing(find, iter)
        for name in ("glob", "rglob"):
            setattr(pathlib.Path, name, self._path_globbing(getattr(pathlib.Path, name)))
        setattr(pathlib.Path, "iterdir", self._iterating(pathlib.Path.iterdir))  # noqa: B010 - mypy knows it as final
        self._install_glob_wildcards()

    def _install_stat(self, module: Any, name: str) -> None:  # noqa: ANN401
        real = getattr(module, name)
        measuring = self._measuring(real, {"getsize": 6, "getmtime": 8}.get(name))
        for known in (os.supports_follow_symlinks, os.supports_fd, os.supports_dir_fd):
            if real in known:  # by these sets libraries know what it can do
                known.add(measuring)
        setattr(module, name, measuring)

    def _install_glob_wildcards(self) -> None:
        # All of Snakemake, in an order that it allows: 9 has its command line, 7 has not.
        import_module("snakemake.cli" if find_spec("snakemake.cli") else "snakemake.workflow")
        io: Any = import_module("snakemake.io")
        real = io.glob_wildcards

        def glob_wildcards(pattern: Any, files: Any = None, followlinks: bool = False) -> Any:  # noqa: ANN401
            if files is not None or "storage_object" in getattr(pattern, "flags", {}):
                return real(pattern, files=files, followlinks=followlinks)
            path = self._below(str(pattern))
            if path is None:
                return real(pattern, followlinks=followlinks)
            folder = os.path.dirname(path.partition("{")[0])
            found = real(path, files=self._all_below(folder, followlinks))
            self.tell_search(f'glob_wildcards("{path}")', folder, not found or any(found))
            return found

        _replace_in_snakemake("glob_wildcards", real, glob_wildcards)

    def _all_below(self, folder: str, followlinks: bool) -> list[str]:
        """Files and folders, here and in S3, in one order."""
        here = set(self._here(folder, followlinks=followlinks, with_folders=True))
        there = {name for file in self._listing.files(folder) for name in _and_parents(file, folder)}
        return sorted(here | there)

    @property
    def _listing(self) -> Listing:
        """The Snakefile is read as long as the body of a source runs."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_name == "<module>" and self._is_source(_file(frame)):
                return self._reading
            frame = frame.f_back
        return self._later

    # --- whose question it is --------------------------------------------------------------------------------------
    def _is_source(self, file: str) -> bool:
        root = next((root for root in self._roots if file.startswith(root)), None)
        return root is not None and not file.startswith(f"{root}.snakemake/") and file != root + PROGRAM

    def _asked_by_source(self, *, depth: int = 2) -> bool:
        """The caller of the patched function is code of the sources, and no rule's."""
        if getattr(self._busy, "now", False):
            return False
        frame = sys._getframe(depth)
        return self._is_source(_file(frame)) and not _in_rule(frame)

    def _called_from_source(self) -> bool:
        """Some caller is."""
        frame: Any = sys._getframe(2)
        if _in_rule(frame):
            return False
        while frame is not None:
            if self._is_source(_file(frame)):
                return True
            frame = frame.f_back
        return False

    def plain(self, path: Any) -> str:  # noqa: ANN401 - whatever may be a path
        """The path as the Snakefile's author writes it, of one that Snakemake has put the data before."""
        text = str(os.fspath(path))
        below = text
        root = next((root for root in self._roots if text.startswith(root)), "")
        below = below[len(root) :]
        prefix = next((each for each in self._prefixes if below.startswith(f"{each}/")), None)
        return below if prefix is None and root else text if prefix is None else below[len(prefix) + 1 :]

    def _below(self, path: Any) -> str | None:  # noqa: ANN401 - whatever may be a path
        """The path below the data; None for what is elsewhere."""
        try:
            text = os.fsdecode(os.fspath(path))
        except TypeError:
            return None
        if os.path.isabs(text):
            root = next((root for root in self._roots if text.startswith(root)), None)
            if root is None:
                return None
            text = text[len(root) :]
        text = os.path.normpath(text)
        for prefix in self._prefixes:
            if text == prefix or text.startswith(f"{prefix}/"):
                text = text[len(prefix) + 1 :]
                break
        if text == ".." or text.startswith("../"):
            return None
        return "" if text == "." else text

    # --- answers ---------------------------------------------------------------------------------------------------
    def _asking(self, real: Callable[..., bool], kinds: str) -> Callable[..., bool]:
        def asking(path: Any, *args: Any, **more: Any) -> bool:  # noqa: ANN401
            if real(path, *args, **more):
                return True
            if not self._asked_by_source():
                return False
            below = self._below(path)
            return bool(below) and self._listing.kind(str(below)) in kinds.split()

        return asking

    def _measuring(self, real: Callable[..., Any], field: int | None) -> Callable[..., Any]:
        def measuring(path: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
            try:
                return real(path, *args, **more)
            except FileNotFoundError:
                below = self._below(path) if self._asked_by_source() else None
                kind = self._listing.kind(below) if below else ""
                if not below or not kind:
                    raise
                found = self._stat(below, is_folder=kind == "folder")
                return found if field is None else found[field]

        return measuring

    def _stat(self, below: str, *, is_folder: bool) -> os.stat_result:
        size, time = (0, 0) if is_folder else self._listing.size_and_time(below)
        mode = (stat.S_IFDIR | 0o755) if is_folder else (stat.S_IFREG | 0o644)
        return os.stat_result((mode, 0, 0, 1, 0, 0, int(size), int(time), int(time), int(time)))

    def _scanning(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def scandir(path: Any = ".") -> Any:  # noqa: ANN401
            if not self._asked_by_source():
                return real(path)
            names = self._names(path, self._listdir)
            here = {entry.name: entry for entry in real(path)} if self._exists(path) else {}
            return _Entries([here.get(name) or self._entry(path, name) for name in names])

        return scandir

    def _entry(self, folder: Any, name: str) -> _Entry:  # noqa: ANN401
        below = self._below(os.path.join(folder, name)) or ""
        listing = self._listing
        is_folder = listing.kind(below) == "folder"

        def stat_of_it() -> os.stat_result:
            return self._stat(below, is_folder=is_folder)

        return _Entry(name, os.path.join(folder, name), is_folder=is_folder, stat=stat_of_it)

    def _listing_folder(self, real: Callable[..., list[str]]) -> Callable[..., list[str]]:
        def listdir(path: Any = ".") -> list[str]:  # noqa: ANN401
            if not self._asked_by_source():
                return real(path)
            return self._names(path, real)

        return listdir

    def _names(self, path: Any, real: Callable[..., list[str]]) -> list[str]:  # noqa: ANN401
        below = self._below(path)
        there = set() if below is None else {_first(file, below) for file in self._listing.files(below)} - {""}
        if there and not self._exists(path):
            return sorted(there)
        here = (name for name in real(path) if below or not self._is_own(name))
        return sorted(there | set(here))

    def _iterating(self, real: Callable[..., Iterator[Path]]) -> Callable[..., Iterator[Path]]:
        def iterdir(path: Path) -> Iterator[Path]:
            if not self._asked_by_source():
                return real(path)
            return iter([path / name for name in self._names(path, self._listdir)])

        return iterdir

    def _walking(self, real: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def walk(top: Any, *args: Any, **more: Any) -> Iterator[Any]:  # noqa: ANN401
            below = self._below(top) if self._asked_by_source() else None
            return real(top, *args, **more) if below is None else iter(self._walked(real, top, below, args, more))

        return walk

    def _walked(self, real: Any, top: Any, below: str, args: Any, more: Any) -> list[Any]:  # noqa: ANN401
        with self._shadow(below) as shadow:
            start = os.path.join(shadow, below) if below else shadow
            found = list(real(start, *args, **more))
        return [(os.path.normpath(os.path.join(top, os.path.relpath(path, start))), *rest) for path, *rest in found]

    def _globbing(self, find: Callable[..., Iterator[Any]], kind: Callable[..., Any]) -> Callable[..., Any]:
        def globbing(pattern: Any, **more: Any) -> Any:  # noqa: ANN401
            here = list(find(pattern, **more))
            below = self._below(pattern) if self._asked_by_source() and isinstance(pattern, str) else None
            if below is None or more.get("root_dir") or more.get("dir_fd"):
                return kind(here)
            start = os.path.normpath(pattern).removesuffix(below)
            folder = os.path.dirname(re.split(r"[*?\[]", below)[0])
            with self._shadow(folder) as shadow:
                there = [start + name for name in find(below, root_dir=shadow, **more)]
            if self._listing is self._reading:
                self.tell_search(f'glob("{below}")', folder, bool(here or there))
            return kind(dict.fromkeys([*here, *sorted(there)]))

        return globbing

    def _path_globbing(self, real: Callable[..., Iterator[Path]]) -> Callable[..., Iterator[Path]]:
        def globbing(path: Path, *args: Any, **more: Any) -> Iterator[Path]:  # noqa: ANN401
            below = self._below(path) if self._asked_by_source() else None
            if below is None:
                return real(path, *args, **more)
            with self._shadow(below) as shadow:
                start = Path(shadow, below)
                there = [path / found.relative_to(start) for found in real(start, *args, **more)]
            if self._listing is self._reading:
                self.tell_search(f'Path("{below}").{real.__name__}("{args[0] if args else ""}")', below, bool(there))
            return iter(sorted({*there}))

        return globbing

    @contextmanager
    def _shadow(self, folder: str) -> Iterator[str]:
        """A folder with empty files by the names of what is below a folder, here and in S3."""
        with self._by_itself(), tempfile.TemporaryDirectory(prefix="data-") as shadow:
            if folder and self._exists(folder):
                os.makedirs(os.path.join(shadow, folder), exist_ok=True)
            for name in {*self._listing.files(folder), *self._here(folder)}:
                target = Path(shadow, name)
                (target if name.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
                if not name.endswith("/"):
                    target.touch()
            yield shadow

    def _here(self, folder: str, *, followlinks: bool = False, with_folders: bool = False) -> Iterator[str]:
        """Paths in the working directory, but for copies of data and what is the launcher's own."""
        for path, folders, names in self._walk(folder or ".", followlinks=followlinks):
            below = [os.path.normpath(os.path.join(path, name)) for name in folders]
            folders[:] = [os.path.basename(each) for each in below if not self._is_own(each)]
            found = (os.path.normpath(os.path.join(path, name)) for name in names)
            yield from (each for each in found if not self._is_own(each))
            if with_folders:
                yield from (each for each in below if not self._is_own(each))

    def _is_own(self, path: str) -> bool:
        return path in _OWN or path == self._prefixes[0]

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        self._busy.now = True
        try:
            yield
        finally:
            self._busy.now = False

    # --- files that the sources open -------------------------------------------------------------------------------
    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and not getattr(self._busy, "now", False):
            path, mode, _ = args
            if isinstance(path, (str, bytes, os.PathLike)) and not set("wax+") & set(mode or ""):
                self._bring(os.fsdecode(path))

    def _bring(self, path: str) -> None:
        """Fetch a file of the data that is about to be opened, and is not here."""
        below = self._below(path)
        if not below or below.startswith(".snakemake"):
            return
        plain = os.path.normpath(path) in (below, os.path.join(self._roots[0], below))
        if (plain and self._exists(path)) or not self._called_from_source():
            return
        with self._by_itself():
            there = self._exists(path)
            if not there and self._listing.kind(below) == "file":
                there = self._listing.fetch(below, path)
            if there:
                self.opened.add(below)


def _in_rule(frame: Any) -> bool:  # noqa: ANN401
    while frame is not None:
        if frame.f_code.co_name.startswith(_RULES):
            return True
        frame = frame.f_back
    return False


def _file(frame: Any) -> str:  # noqa: ANN401
    name: str = frame.f_code.co_filename
    return os.path.abspath(name) if name and not name.startswith(("<", "/")) else name


def _first(file: str, folder: str) -> str:
    """The first part of a path behind a folder."""
    return (file[len(folder) + 1 :] if folder else file).partition("/")[0]


def _and_parents(file: str, folder: str) -> Iterator[str]:
    file = file.rstrip("/")
    while file and file != folder:
        yield file
        file = os.path.dirname(file)


def see_data(root: str, *, plain_paths: bool = False) -> DataView | None:
    """Install the view of the notes beside the sources; None if there are none."""
    notes = Path(root, NOTES)
    if not notes.exists():
        return None
    said = json.loads(notes.read_text(encoding="utf-8"))
    asked = S3Listing(said["prefix"]) if said["live"] else None
    view = DataView(root, said["prefix"], Notes(asked, said["reading"]), Notes(asked, said["later"]))
    view.install()
    if plain_paths:
        use_plain_paths(said["prefix"], view)
    stay_in_own_folder()
    show_logs_in_storage(said["prefix"])
    check_outputs_where_they_are()
    tell_status_of_shells()
    _keep_checkpoints(frozenset(said["checkpoints"]), view, asked)
    use_plain_checkpoints(view)
    know_own_paths(view)
    expand_outputs_of_rules()
    keep_commas_of_wildcards()
    spawn_by_program(PLAIN_PATHS if plain_paths else "")
    keep_files_as_made_in_storage()
    return view


def stay_in_own_folder() -> None:
    """Let the S3 storage plugin (0.3.6), where there is one, ask for what a launch may ask for: its own data.

    It asks for the whole bucket: whether it is there (HeadBucket), and, after a removal, whether it is empty, which it
    would then delete. And it takes S3's 403, for what is missing, for a fault (API reference, HeadObject).
    """
    if find_spec("snakemake_storage_plugin_s3") is None:
        return
    plugin: Any = import_module("snakemake_storage_plugin_s3")

    def exists(file: Any) -> bool:  # noqa: ANN401
        named = list(file.s3bucket().objects.filter(Prefix=file.key).limit(1))
        return [item.key for item in named] == [file.key] or bool(file.is_dir())

    def remove(file: Any) -> None:  # noqa: ANN401
        if file.is_dir():
            for item in file.get_subkeys():
                item.delete()
        else:
            file.s3obj().delete()

    async def inventory(file: Any, cache: Any) -> None:  # noqa: ANN401
        folder = os.path.dirname(file.key)
        if not folder or file.get_inventory_parent() in cache.exists_in_storage:
            return
        cache.exists_in_storage[file.get_inventory_parent()] = True
        for item in file.s3bucket().objects.filter(Prefix=f"{folder}/"):
            key = file.cache_key(file._local_suffix_from_key(item.key))
            cache.mtime[key] = plugin.Mtime(storage=item.last_modified.timestamp())
            cache.size[key] = item.size
            cache.exists_in_storage[key] = True

    plugin.StorageObject.bucket_exists = lambda _file: True
    plugin.StorageObject.exists = exists
    plugin.StorageObject.remove = remove
    plugin.StorageObject.inventory = inventory


def show_logs_in_storage(prefix: str) -> None:
    """Let Snakemake 9 find the log of a failed rule, which it looks for by the words `s3://... (send to storage)`."""
    logging: Any = import_module("snakemake.logging")
    real = getattr(logging, "show_logs", None)
    if real is None:
        return  # Snakemake 7, which has its files here

    def show_logs(logs: Sequence[Any]) -> Any:  # noqa: ANN401
        names = [str(log).partition(" (")[0].removeprefix("s3://").removeprefix(f"{prefix}/") for log in logs]
        here = [name if os.path.exists(name) else f".snakemake/storage/s3/{prefix}/{name}" for name in names]
        shown = real([name for name in here if os.path.exists(name) and os.path.getsize(name)])
        return (line.replace(f".snakemake/storage/s3/{prefix}/", "") for line in shown)

    logging.show_logs = show_logs


def check_outputs_where_they_are() -> None:
    """Let Snakemake 9 look in the job at an output that is `ensure(..., non_empty=True)`, or has a checksum there: it
    asks S3, which has no such object yet, or an older one."""
    if find_spec("snakemake_storage_plugin_s3") is None:
        return
    dag: Any = import_module("snakemake.dag").DAG
    file_class: Any = import_module("snakemake.io")._IOFile
    ensure, size, checksum = dag.handle_ensure, file_class.size, file_class.checksum

    async def size_here(file: Any) -> int:  # noqa: ANN401
        return int(await (file.size_local() if os.path.exists(file) else size(file)))

    async def checksum_here(file: Any, *args: Any, algorithm: Any = None, **more: Any) -> Any:  # noqa: ANN401
        if not os.path.isfile(file):
            return await checksum(file, *args, algorithm=algorithm, **more)
        with open(file, "rb") as content:
            made = hashlib.file_digest(content, algorithm or "sha256")
        return f"{made.name}:{made.hexdigest()}"

    async def handle_ensure(*args: Any) -> None:  # noqa: ANN401
        file_class.size, file_class.checksum = size_here, checksum_here
        try:
            await ensure(*args)
        finally:
            file_class.size, file_class.checksum = size, checksum

    dag.handle_ensure = handle_ensure


def tell_status_of_shells() -> None:
    """Let a job's log say with which status the shell of a rule ended: Snakemake 7 says only that it failed."""
    module: Any = import_module("snakemake.shell")
    if find_spec("snakemake.cli") is not None:
        return  # Snakemake 9 says it
    processes: Any = module.sp
    real = processes.CalledProcessError

    def telling(status: int, *args: Any) -> Any:  # noqa: ANN401
        sys.stderr.write(f"{real(status, RULES_SHELL)}\n")
        return real(status, *args)

    class Processes:
        """The module subprocess, but for the error that is raised."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401
            return telling if name == "CalledProcessError" else getattr(processes, name)

    module.sp = Processes()


def use_plain_paths(prefix: str, view: DataView) -> None:
    """Let Snakemake 9 keep its copies of data where a plain run has the files: `in/a.txt`, and not below
    `.snakemake/storage/s3/BUCKET/`. Commands write such paths into results (md5sum, find), and name files by them."""
    base: Any = import_module("snakemake_interface_storage_plugins.storage_object").StorageObjectBase
    local_path, cache_key = base.local_path, base.cache_key
    kept = f".snakemake/storage/s3/{prefix.strip('/')}/"
    base.local_path = lambda file: Path(str(local_path(file)).removeprefix(kept))
    base.cache_key = lambda file, *suffix, **named: cache_key(file, *suffix, **named).removeprefix(kept)
    _keep_in_storage()
    file_class: Any = import_module("snakemake.io")._IOFile
    retrieve = file_class.retrieve_from_storage
    sources = {os.path.normpath(os.path.join(path, name)) for path, _, names in os.walk(".") for name in names}

    async def retrieve_all(file: Any) -> None:  # noqa: ANN401
        # A source of the same path, which Snakemake would take for its copy if it is newer; or one file of a folder.
        if any(str(file) == each or each.startswith(f"{file}/") for each in (*sources, *view.opened)):
            await file.storage_object.managed_retrieve()
        await retrieve(file)

    file_class.retrieve_from_storage = retrieve_all


def _keep_in_storage() -> None:
    """Let Snakemake 9 know files of storage by their flags: it takes a path that stays the same for one elsewhere."""
    io: Any = import_module("snakemake.io")
    module: Any = import_module("snakemake.path_modifier")
    real = module.PathModifier.modify

    def modify(modifier: Any, path: Any, property: Any = None) -> Any:  # noqa: ANN401
        made = real(modifier, path, property)
        if made is not path or any(io.is_flagged(path, name) for name in (module.PATH_MODIFIER_FLAG, "local")):
            return made
        stored = modifier.apply_default_storage(modifier.replace_prefix(path, property))
        if stored is path or not io.is_flagged(stored, "storage_object"):
            return path
        if io.is_flagged(stored, "multiext"):
            extended = stored.flags["multiext"]
            extended.prefix = modifier.apply_default_storage(modifier.replace_prefix(extended.prefix, property))
        return io.flag(stored, module.PATH_MODIFIER_FLAG)

    module.PathModifier.modify = modify


class _Output(str):
    """An output of a checkpoint, by its path below the data."""

    file: Any
    """Snakemake's own."""

    def open(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        """As Snakemake's."""
        return self.file.open(*args, **more)


def use_plain_checkpoints(view: DataView) -> None:
    """Let functions of rules see outputs of checkpoints by the paths that the Snakefile has, as in a plain run: what
    they cut out of such a path, or make of it, is what they would have there."""
    from snakemake.checkpoints import Checkpoint, CheckpointJob

    real = Checkpoint.get

    def plain(file: Any) -> Any:  # noqa: ANN401
        output = _Output(view.plain(file))
        output.file = file
        return output

    def get(checkpoint: Any, **wildcards: Any) -> Any:  # noqa: ANN401
        done = real(checkpoint, **wildcards)
        return CheckpointJob(done.rule, type(done.output)(toclone=done.output, custom_map=plain))

    Checkpoint.get = get


def know_own_paths(view: DataView) -> None:
    """Let Snakemake put the data before a path once: what a function of a rule made of a path that Snakemake gave it
    begins with the data already."""
    module: Any = import_module("snakemake.path_modifier")
    io: Any = import_module("snakemake.io")
    real = module.PathModifier.modify

    def modify(modifier: Any, path: Any, property: Any = None) -> Any:  # noqa: ANN401
        if not isinstance(path, str) or io.is_flagged(path, "storage_object") or io.is_flagged(path, "remote_object"):
            return real(modifier, path, property)
        cut = view.plain(path)
        if cut == path or io.is_flagged(path, module.PATH_MODIFIER_FLAG):
            return real(modifier, path, property)
        if hasattr(path, "flags"):
            cut = io.AnnotatedString(cut)
            cut.flags.update(path.flags)
        return real(modifier, cut, property)

    module.PathModifier.modify = modify


def expand_outputs_of_rules() -> None:
    """Let `expand(rules.a.output, s=...)` and `rules.a.output[0].format(s=...)` of Snakemake 9 take what has the flag
    of the storage, which the Snakefile did not write, as in a plain run."""
    io: Any = import_module("snakemake.io")
    real = io.expand
    own = {"storage_object", import_module("snakemake.path_modifier").PATH_MODIFIER_FLAG}

    def without_own(pattern: Any) -> Any:  # noqa: ANN401
        flags = getattr(pattern, "flags", {})
        return str(pattern) if "storage_object" in flags and own.issuperset(flags) else pattern

    def expand(*args: Any, **wildcards: Any) -> Any:  # noqa: ANN401
        first, *rest = args or ((),)
        many = isinstance(first, (list, tuple, set))
        return real([without_own(each) for each in first] if many else without_own(first), *rest, **wildcards)

    _replace_in_snakemake("expand", real, expand)
    for kind in (io.AnnotatedString, io._IOFile):
        kind.format = lambda file, *args, **values: str.format(str(without_own(file)), *args, **values)


def keep_commas_of_wildcards() -> None:
    """Let a job get its wildcards as they are: Snakemake joins those that it hands on (`--target-jobs`) by commas, and
    parts them at any comma, so the job of a file `x=1,y=2.txt` would fail, or be another one (target_jobs.py)."""
    nine = find_spec("snakemake_interface_executor_plugins") is not None
    for_jobs: Any = import_module("snakemake_interface_executor_plugins.utils" if nine else "snakemake.target_jobs")
    encode = for_jobs.encode_target_jobs_cli_args
    parse = import_module("snakemake.target_jobs").parse_target_jobs_cli_args

    def with_wildcards(spec: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401
        return spec._replace(wildcards_dict={name: change(str(each)) for name, each in spec.wildcards_dict.items()})

    def encode_target_jobs_cli_args(target_jobs: Any) -> Any:  # noqa: ANN401
        return encode([with_wildcards(spec, _without_commas) for spec in target_jobs])

    def parse_target_jobs_cli_args(args: Any) -> Any:  # noqa: ANN401
        return [with_wildcards(spec, unquote) for spec in parse(args) or ()] or None

    _replace_in_snakemake("encode_target_jobs_cli_args", encode, encode_target_jobs_cli_args)
    _replace_in_snakemake("parse_target_jobs_cli_args", parse, parse_target_jobs_cli_args)


def _without_commas(wildcard: str) -> str:
    return wildcard.replace("%", "%25").replace(",", "%2C")


def _replace_in_snakemake(name: str, real: Any, ours: Any) -> None:  # noqa: ANN401
    for module in [*sys.modules.values()]:
        if getattr(module, "__name__", "").startswith("snakemake") and getattr(module, name, None) is real:
            setattr(module, name, ours)


def spawn_by_program(argument: str) -> None:
    """Let the Snakemake of a job start others (for `run:` and `shadow:` in a group) as it was started itself: by this
    program, which knows where the files lie, and lets the Snakefile see the data.

    `argument`: of this program, or nothing.
    """
    nine = "snakemake_interface_executor_plugins.executors.real"
    executor: Any = import_module(nine if find_spec("snakemake_interface_executor_plugins") else "snakemake.executors")
    real = executor.RealExecutor.format_job_exec
    program = f"{shlex.quote(os.path.abspath(__file__))} {argument}".strip()

    def format_job_exec(*args: Any, **more: Any) -> str:  # noqa: ANN401
        return str(real(*args, **more)).replace(" -m snakemake --snakefile", f" {program} --snakefile")

    executor.RealExecutor.format_job_exec = format_job_exec


def _keep_checkpoints(done: frozenset[str], view: DataView, asked: Listing | None) -> None:
    """In a job, a checkpoint that the launcher saw done is done, though its outputs are elsewhere.

    The launcher says so (`done`), or the data (`asked`) does: no job begins before each checkpoint is done that a
    function of its rule asks for. One that runs in this job itself, of a group, is another matter.
    """
    from snakemake.checkpoints import Checkpoint, CheckpointJob

    real = Checkpoint.get

    def is_done(rule: Any, output: Any) -> bool:  # noqa: ANN401
        if asked is None:
            return all(str(file) in done for file in output)
        if rule.name in rule.workflow.dag_settings.allowed_rules:
            return False
        # What is temp() may be removed already.
        return all("temp" in file.flags or asked.kind(view.plain(file)) for file in output)

    def get(checkpoint: Any, **wildcards: Any) -> Any:  # noqa: ANN401
        output, _ = checkpoint.rule.expand_output(wildcards)
        if is_done(checkpoint.rule, output):
            return CheckpointJob(checkpoint.rule, output)
        return real(checkpoint, **wildcards)

    Checkpoint.get = get


def keep_files_as_made_in_storage() -> None:
    """Let the S3 storage plugin, where there is one, keep folders of a `directory()` that hold nothing, or are
    links, and bring programs so that they can be run."""
    if find_spec("snakemake_storage_plugin_s3") is None:
        return
    storage: Any = import_module("snakemake_storage_plugin_s3").StorageObject
    store, retrieve = storage.store_object, storage.retrieve_object

    def store_object(file: Any) -> None:  # noqa: ANN401
        copy_linked_folders(str(file.local_path()))
        mark_empty_folders(str(file.local_path()))
        try:
            store(file)
        finally:
            unmark_empty_folders(str(file.local_path()))  # rules of the same group see it as it was made

    def retrieve_object(file: Any) -> None:  # noqa: ANN401
        retrieve(file)
        unmark_empty_folders(str(file.local_path()))
        let_programs_run(str(file.local_path()))

    storage.store_object, storage.retrieve_object = store_object, retrieve_object


def mark_empty_folders(root: str) -> None:
    """Put a file into each folder below (and at) `root` that holds nothing: S3 has no folders by themselves."""
    for path, folders, names in os.walk(root):
        if not folders and not names:
            Path(path, EMPTY).touch()
        folders[:] = [name for name in folders if name != ".snakemake"]


def unmark_empty_folders(root: str) -> None:
    """Remove what `mark_empty_folders` has put there: rules see the folders as they were made."""
    for path, folders, names in os.walk(root):
        if EMPTY in names:
            Path(path, EMPTY).unlink()
        folders[:] = [name for name in folders if name != ".snakemake"]


def copy_linked_folders(root: str) -> None:
    """Put a copy in the place of each link below `root` to a folder of the working directory: S3 has no links, and what
    lies behind such a link would not be uploaded. Links to files are uploaded as files."""
    top = os.path.realpath(".")
    for path, folders, _ in os.walk(root):
        for link in (os.path.join(path, name) for name in folders if os.path.islink(os.path.join(path, name))):
            target = os.path.realpath(link)
            holds_link = os.path.realpath(path) == target or os.path.realpath(path).startswith(f"{target}/")
            if target.startswith(f"{top}/") and not holds_link:
                os.unlink(link)
                shutil.copytree(target, link, symlinks=True)
        folders[:] = [name for name in folders if name != ".snakemake"]


def let_programs_run(root: str) -> None:
    """Let what lies at or below `root`, and begins as a program, be run: S3 keeps no modes of files, so one that a rule
    made, or that is among the sources, could not be."""
    if os.path.isfile(root):
        _let_run(root)
    for path, folders, names in os.walk(root):
        for name in names:
            _let_run(os.path.join(path, name))
        folders[:] = [name for name in folders if name != ".snakemake"]


def _let_run(file: str) -> None:
    if os.path.islink(file) or not os.path.isfile(file) or os.access(file, os.X_OK):
        return
    with open(file, "rb") as content:
        if content.read(4).startswith(_PROGRAMS):
            mode = stat.S_IMODE(os.stat(file).st_mode)
            os.chmod(file, mode | (mode & 0o444) >> 2)


@contextmanager
def _with_files_as_made() -> Iterator[None]:
    """For a job whose files another program brings and takes away, without their modes and empty folders: Tibanna's."""
    is_outer = os.environ.setdefault(_OUTER, str(os.getpid())) == str(os.getpid())
    if is_outer:
        unmark_empty_folders(".")
        let_programs_run(".")
    try:
        yield
    finally:
        if is_outer:
            copy_linked_folders(".")
            mark_empty_folders(".")


def unpack(root: str) -> None:
    """Unpack the sources, but for what is an input of the job as well."""
    archive = Path(root, SOURCES)
    if archive.exists():
        with tarfile.open(archive) as sources:
            for member in sources.getmembers():
                if not Path(root, member.name).exists():
                    sources.extract(member, root)


def main() -> None:
    """Snakemake's main."""
    root = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.getcwd()  # as with `python -m`
    unpack(root)
    plain_paths = sys.argv[1:2] == [PLAIN_PATHS]
    if plain_paths:
        del sys.argv[1]
    with nullcontext() if plain_paths else _with_files_as_made():
        see_data(root, plain_paths=plain_paths)
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
