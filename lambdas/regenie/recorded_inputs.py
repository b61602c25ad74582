"""Records the state of a launch's inputs when it is planned, and finds later differences.

FSx shows what it imported, and loads a file's content from S3 when it is first read: an object that is replaced in
between is read with other bytes than were planned for. So each file's state is recorded, and compared as long as
anything reads it. `lastModified` counts too: what was replaced and put back had other bytes for a while.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.shared.input_error import KeptError, UnusableInputError

_AT_A_TIME: Final = 10
"""Requests: as many as botocore keeps connections."""
_MOST_DIGESTED_BYTES: Final = 1 << 28
"""Of a file whose content every job compares: a quarter of a GB takes a job a second. Larger files, genotypes and lists
of variants are compared by size there, and by their ETag in S3."""
_NOT_DIGESTED: Final = (".bed", ".bim", ".pgen", ".pvar", ".bgen", ".bgi", ".loco")
_LONGEST_SENTENCE: Final = 15_000
"""Characters: a cause has room for 32,768, and this is quoted once on its way (input_error.py)."""
_MEND: Final = (
    "Nothing of this attempt counts as complete. Put the right files in place and retry the launch, which plans anew "
    "and does again what was made of other files; or submit it again. Leave a running launch's inputs alone"
)


class InputsChangedError(KeptError):
    """Inputs of a launch are not what was planned for. Its report names each, and how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__("Inputs of the launch changed after it was planned.")
        self._message = message

    @property
    def report(self) -> dict[str, Any]:
        """`{"message"}`."""
        return {"message": self._message}


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file that a launch reads."""

    bucket: str
    key: str
    place: str
    """Below the root of the launch's file system; empty where no job compares the file."""
    size: int
    etag: str
    last_modified: str = ""
    """Empty where a file is the platform's own copy, which may be made again."""
    version_id: str | None = None
    sha256: str | None = None

    @property
    def uri(self) -> str:
        """As an s3:// URL."""
        return f"s3://{self.bucket}/{self.key}"

    def as_dict(self) -> dict[str, Any]:
        """As the record has it, which the jobs read too."""
        return {_KEYS.get(name, name): value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "RecordedFile":
        """Read as_dict's."""
        return cls(
            **{name: content[key] for name in cls.__dataclass_fields__ if (key := _KEYS.get(name, name)) in content}
        )

    def change(self) -> str | None:
        """How the object differs now, or None."""
        try:
            now = DataSet(self.bucket, "").state(self.key)
        except UnusableInputError as error:
            return error.problem.removeprefix("needs ")
        compared: list[tuple[str, object, object]] = [
            (f"size {self.size:,} → {now.size:,} bytes", self.size, now.size),
            (f"ETag {self.etag} → {now.etag}", self.etag, now.etag),
        ]
        if self.last_modified:  # else it is the platform's own copy, which may be made again
            compared += [
                (f"version {self.version_id} → {now.version_id}", self.version_id, now.version_id),
                (f"put {self.last_modified}, and again", self.last_modified, now.last_modified),
            ]
        differences = [words for words, then, is_now in compared if then != is_now]
        return (
            f"{self.uri}, which was put anew at {now.last_modified} ({', '.join(differences)})" if differences else None
        )


_KEYS: Final = {"last_modified": "lastModified", "version_id": "versionId"}
"""Names of the record, where they are not the fields'."""


def is_digested(path: str, size: int) -> bool:
    """Whether jobs compare the content of a file, besides its size."""
    return size <= _MOST_DIGESTED_BYTES and not path.endswith(_NOT_DIGESTED)


def record_data(data: DataSet, states: Mapping[str, ObjectState]) -> list[RecordedFile]:
    """Record a launch's data: path -> state, as it was when planning began.

    Raises:
        UnusableInputError: a file was replaced since.
    """

    def recorded(file: tuple[str, ObjectState]) -> RecordedFile:
        path, state = file
        return RecordedFile(
            data.bucket,
            data.prefix + path,
            f"data/{path}",
            state.size,
            state.etag,
            state.last_modified,
            state.version_id,
            data.sha256(path, state.etag) if is_digested(path, state.size) else None,
        )

    def compared(file: tuple[str, ObjectState]) -> RecordedFile:
        now = data.state(file[0])
        if now != file[1]:
            raise data.replaced(file[0])
        return recorded(file)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(compared, sorted(states.items())))


def record_copies(results: DataSet, paths: Iterable[str]) -> list[RecordedFile]:
    """Record files that were copied to a launch's results for it to read."""
    files = ((path, results.state(path)) for path in paths)
    return [
        RecordedFile(results.bucket, results.prefix + path, f"work/{path}", state.size, state.etag)
        for path, state in files
    ]


def record_references(folder: DataSet, states: Mapping[str, ObjectState]) -> list[RecordedFile]:
    """Record reference files: path below their folder -> state. They stop nothing: what of them cannot be asked for
    (a listing tells no version), or was replaced since it was listed, is recorded as it was listed."""

    def recorded(path: str, state: ObjectState) -> RecordedFile:
        try:
            now = folder.state(path)
        except UnusableInputError:
            now = state
        known = now if now.etag == state.etag else state
        key = folder.prefix + path
        return RecordedFile(folder.bucket, key, "", state.size, state.etag, known.last_modified, known.version_id)

    return [recorded(path, state) for path, state in sorted(states.items())]


def as_text(attempt: int, files: Sequence[RecordedFile], references: Sequence[RecordedFile] = ()) -> str:
    """The record, as it is stored. `references` may change: nothing compares them."""
    record = {"files": files, "references": references}
    named = {name: [file.as_dict() for file in each] for name, each in record.items()}
    return json.dumps({"attempt": attempt, **named}, sort_keys=True)


def read_record(text: str) -> tuple[int, list[RecordedFile]]:
    """The attempt that a stored record is of, and its files."""
    content = json.loads(text)
    return content["attempt"], [RecordedFile.read(file) for file in content["files"]]


def changes(files: Iterable[RecordedFile]) -> list[str]:
    """What is other than recorded, a phrase for each file: one HeadObject each."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return [change for change in pool.map(RecordedFile.change, files) if change]


def sentence(changed: Sequence[str], seen: str) -> str:
    """For people: what changed, when that was seen, and what to do."""
    named: list[str] = []
    room = _LONGEST_SENTENCE
    for change in changed:
        room -= len(change)
        if room < 0:
            break
        named.append(change)
    rest = f" and {len(changed) - len(named):,} more files" if len(named) < len(changed) else ""
    return f"Inputs changed while the launch ran (seen {seen}): {'; '.join(named)}{rest}. {_MEND}."
