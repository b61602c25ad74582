"""Compares files with the RO-Crate that a launch left (genolaunch/contract/provenance.py)."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.contract.provenance import ACTION_PREFIX, CRATE, CrateTerm
from genolaunch.errors import GenolaunchError
from genolaunch.results import place_of
from genolaunch.shared.crate_files import CrateFolder, FilesDigest, plain_etag

if TYPE_CHECKING:
    from genolaunch.launch import Launch
    from genolaunch.platform import Platform

_AT_A_TIME: Final = 10
"""Requests: as many as botocore keeps connections."""
_BLOCK: Final = 1 << 20
"""Bytes read at a time."""
_ABSENT: Final = ("404", "NoSuchKey", "NotFound", "NoSuchBucket", "NoSuchVersion")
_Entity = Mapping[str, Any]
_ROOT: Final = "./"
_SOURCES: Final = "SoftwareSourceCode"


class Role(StrEnum):
    """What a file is to the launch."""

    OUTPUT = "output"  # also what tells of the run: plan, bill, report
    INPUT = "input"


class State(StrEnum):
    """How a file compares with the crate."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class Checked(StrEnum):
    """The strongest thing by which a file was compared."""

    SHA256 = "sha256"
    ETAG = "etag"
    SIZE = "size"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What became of a file, or of all files of a folder."""

    uri: str
    role: Role
    state: State
    checked: Checked
    difference: str | None = None
    """What is other than described, in a phrase."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """What became of all that a crate describes."""

    launch_id: str
    attempt: int
    """That the crate describes."""
    described_at: str
    crate: str
    """As an s3:// URL."""
    files: tuple[FileCheck, ...]

    @property
    def holds(self) -> bool:
        """Whether everything is as described."""
        return all(file.state is State.SAME for file in self.files)


@dataclass(frozen=True, slots=True)
class _Described:
    """A file or a folder of the crate."""

    bucket: str
    key: str
    role: Role
    is_folder: bool
    size: int
    sha256: str | None
    etag: str | None
    version: str | None
    """S3's version id."""

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class _Crate:
    """What is read of a launch's crate."""

    attempt: int
    described_at: str
    files: Sequence[_Described]


class _DamagedCrateError(Exception):
    """The crate is not as describe_run writes it; says where."""


def recheck(
    platform: "Platform",
    launch: "Launch",
    *,
    with_inputs: bool,
    by_content: bool,
    progressed: Callable[[int, int], None] = lambda _done, _all: None,
) -> Recheck:
    """Compare outputs, and inputs if asked for, with what the launch's crate says of them.

    Args:
        platform: The stage.
        launch: The launch, whose crate is read.
        with_inputs: Whether inputs are compared, too.
        by_content: Whether files whose SHA-256 the crate has are downloaded, and their digests compared.
        progressed: Is told how many files, of how many, have been compared.

    Raises:
        GenolaunchError: there is no crate, or it is none of this launch.
    """
    bucket, prefix = place_of(platform, launch)
    folder = CrateFolder(bucket, prefix)
    crate = _read_crate(platform, launch, folder)
    described = [each for each in crate.files if with_inputs or each.role is Role.OUTPUT]
    checked: list[FileCheck] = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for check in pool.map(lambda each: _check(platform, each, by_content=by_content), described):
            checked.append(check)
            progressed(len(checked), len(described))
    return Recheck(
        launch_id=launch.launch_id,
        attempt=crate.attempt,
        described_at=crate.described_at,
        crate=f"s3://{bucket}/{prefix}{CRATE}",
        files=tuple(checked),
    )


def _read_crate(platform: "Platform", launch: "Launch", folder: CrateFolder) -> _Crate:
    uri = f"s3://{folder.bucket}/{folder.prefix}{CRATE}"
    try:
        body = platform.s3.get_object(Bucket=folder.bucket, Key=folder.prefix + CRATE)["Body"].read()
    except platform.s3.exceptions.NoSuchKey:
        raise GenolaunchError(
            f"Launch {launch.launch_id} is {launch.status} and has no description of its run ({uri}). It is written "
            "some minutes after a launch is over, when its cost is known; a launch that never ran has none."
        ) from None
    try:
        return _crate(json.loads(body), launch.launch_id, folder)
    except (ValueError, RecursionError):  # what json.loads raises
        problem = "it is not JSON"
    except _DamagedCrateError as error:
        problem = str(error)
    raise GenolaunchError(
        f"{uri} does not describe a run of launch {launch.launch_id}: somebody changed or replaced it ({problem}). "
        "No file was compared."
    )


def _crate(document: Any, launch_id: str, folder: CrateFolder) -> _Crate:  # noqa: ANN401 - any JSON value
    """Read all that is compared, so that whatever somebody did to the crate is found before the first request."""
    graph = document.get("@graph") if isinstance(document, dict) else None
    entities = {id_: each for each in _listed(graph) if (id_ := _id_of(each))}
    root = entities.get(_ROOT, {})
    if root.get("identifier") != launch_id:
        raise _DamagedCrateError("it does not name the launch")
    action = next((id_ for id_ in entities if id_.startswith(ACTION_PREFIX)), "")
    attempt = action.removeprefix(ACTION_PREFIX)
    if not (attempt.isascii() and attempt.isdecimal()):
        raise _DamagedCrateError("it does not name an attempt")
    inputs = {_id_of(each) for each in _listed(entities[action].get("object"))}
    return _Crate(
        attempt=int(attempt),
        described_at=_text(root, "datePublished") or "",
        files=list(_files(_parts(root, entities), inputs, folder)),
    )


def _parts(root: _Entity, entities: Mapping[str, _Entity]) -> Iterator[_Entity]:
    """What the crate lists as its own, in its order."""
    for each in _listed(root.get("hasPart")):
        id_ = _id_of(each)
        if id_ not in entities:
            raise _DamagedCrateError(f"it lists {id_ or each!r}, and does not describe it")
        yield entities[id_]


def _files(parts: Iterable[_Entity], inputs: Set[str], folder: CrateFolder) -> Iterator[_Described]:
    """What was there when the launch was described."""
    for entity in parts:
        if CrateTerm.SIZE in entity:
            id_ = _id_of(entity)
            bucket, key = folder.place_of(id_)
            is_own = bucket == folder.bucket and key.startswith(folder.prefix)
            # What planning copied or wrote into the launch's own folder is the launch's to keep.
            role = Role.INPUT if id_ in inputs and not is_own else Role.OUTPUT
            yield _file(entity, bucket, key, role)


def _file(entity: _Entity, bucket: str, key: str, role: Role) -> _Described:
    size, types = str(entity[CrateTerm.SIZE]), _listed(entity.get("@type"))
    if not (size.isascii() and size.isdecimal()):
        raise _DamagedCrateError(f"{_id_of(entity)!r} has no size in bytes, but {size!r}")
    is_folder, sha256 = "Dataset" in types, _text(entity, CrateTerm.SHA256)
    if is_folder and sha256 is None:
        raise _DamagedCrateError(f"the folder {_id_of(entity)!r} has no digest")
    return _Described(
        bucket=bucket,
        key=key,
        role=role,
        is_folder=is_folder,
        size=int(size),
        sha256=sha256,
        etag=_text(entity, CrateTerm.ETAG),
        # Of a workflow's own file it is another thing than S3's version id.
        version=None if _SOURCES in types else _text(entity, CrateTerm.VERSION),
    )


def _id_of(entity: Any) -> str:  # noqa: ANN401 - any JSON value
    """@id, or "" for what is no entity."""
    id_ = entity.get("@id") if isinstance(entity, dict) else None
    return id_ if isinstance(id_, str) else ""


def _text(entity: _Entity, term: str) -> str | None:
    value = entity.get(term)
    if value is not None and not isinstance(value, str):
        raise _DamagedCrateError(f"{term} of {_id_of(entity)!r} is no text, but {value!r}")
    return value


def _listed(value: Any) -> Sequence[Any]:  # noqa: ANN401 - any JSON value
    """JSON-LD writes one value without a list."""
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _check(platform: "Platform", file: _Described, *, by_content: bool) -> FileCheck:
    try:
        if file.is_folder:
            return _check_folder(platform, file)
        return _check_file(platform, file, by_content=by_content)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _ABSENT:
            return FileCheck(file.uri, file.role, State.MISSING, Checked.NOTHING, "it is not there")
        return FileCheck(file.uri, file.role, State.UNREADABLE, Checked.NOTHING, f"S3 refuses: {code}")
    except BotoCoreError as error:  # no answer, or one that broke off: the other files can still be compared
        return FileCheck(file.uri, file.role, State.UNREADABLE, Checked.NOTHING, f"S3 could not be read: {error}")


def _check_folder(platform: "Platform", file: _Described) -> FileCheck:
    """By the digest of its listing: there are too many files to be named."""
    digest = FilesDigest()
    for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=file.bucket, Prefix=file.key):
        for found in page.get("Contents", []):
            if not found["Key"].endswith("/"):
                digest.add(found["Key"].removeprefix(file.key), found["Size"], found["ETag"])
    if digest.sha256 == file.sha256:
        return FileCheck(file.uri, file.role, State.SAME, Checked.ETAG)
    if not digest.files:
        return FileCheck(file.uri, file.role, State.MISSING, Checked.ETAG, "no file is left in it")
    size = f", {file.size:,} → {digest.size:,} bytes" if digest.size != file.size else ""
    # One digest cannot tell which: a file that came since counts too, unlike beside files that are named.
    difference = f"files were added, changed or removed: it is described as a whole, now {digest.files:,} files{size}"
    return FileCheck(file.uri, file.role, State.CHANGED, Checked.ETAG, difference)


def _check_file(platform: "Platform", file: _Described, *, by_content: bool) -> FileCheck:
    head = platform.s3.head_object(Bucket=file.bucket, Key=file.key)
    if head["ContentLength"] != file.size:
        difference = f"size {file.size:,} → {head['ContentLength']:,} bytes"
        return FileCheck(file.uri, file.role, State.CHANGED, Checked.SIZE, difference)
    if by_content and file.sha256:
        digest = _digest(platform, file)
        if digest == file.sha256:
            return FileCheck(file.uri, file.role, State.SAME, Checked.SHA256)
        difference = f"SHA-256 {file.sha256} → {digest}"
        return FileCheck(file.uri, file.role, State.CHANGED, Checked.SHA256, difference)
    if file.etag is None or file.etag == plain_etag(head["ETag"]):
        return FileCheck(file.uri, file.role, State.SAME, Checked.ETAG if file.etag else Checked.SIZE)
    again = f"put again at {head['LastModified'].isoformat()}, with another ETag"
    kept = f"; version {file.version} is the one described" if file.version else ""
    return FileCheck(file.uri, file.role, State.CHANGED, Checked.ETAG, again + kept)


def _digest(platform: "Platform", file: _Described) -> str:
    body = platform.s3.get_object(Bucket=file.bucket, Key=file.key)["Body"]
    content = hashlib.sha256()
    while block := body.read(_BLOCK):
        content.update(block)
    return content.hexdigest()
