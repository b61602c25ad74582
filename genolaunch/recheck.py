"""Compares files with the RO-Crate that a launch left (genolaunch/contract/provenance.py)."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

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

    entity: Mapping[str, Any]
    bucket: str
    key: str
    role: Role

    @property
    def is_folder(self) -> bool:
        return "Dataset" in _listed(self.entity["@type"])

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def size(self) -> int:
        return int(self.entity[CrateTerm.SIZE])

    @property
    def version(self) -> str | None:
        """S3's version id. Of a workflow's own file, `version` is another thing."""
        return None if _SOURCES in _listed(self.entity["@type"]) else self.entity.get(CrateTerm.VERSION)


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
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    described = [each for each in _described(entities, folder) if with_inputs or each.role is Role.OUTPUT]
    checked: list[FileCheck] = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for check in pool.map(lambda each: _check(platform, each, by_content=by_content), described):
            checked.append(check)
            progressed(len(checked), len(described))
    return Recheck(
        launch_id=launch.launch_id,
        attempt=int(_action(entities).removeprefix(ACTION_PREFIX)),
        described_at=entities[_ROOT]["datePublished"],
        crate=f"s3://{bucket}/{prefix}{CRATE}",
        files=tuple(checked),
    )


def _read_crate(platform: "Platform", launch: "Launch", folder: CrateFolder) -> dict[str, Any]:
    uri = f"s3://{folder.bucket}/{folder.prefix}{CRATE}"
    try:
        body = platform.s3.get_object(Bucket=folder.bucket, Key=folder.prefix + CRATE)["Body"].read()
    except platform.s3.exceptions.NoSuchKey:
        raise GenolaunchError(
            f"Launch {launch.launch_id} is {launch.status} and has no description of its run ({uri}). It is written "
            "some minutes after a launch is over, when its cost is known; a launch that never ran has none."
        ) from None
    try:
        crate: dict[str, Any] = json.loads(body)
        entities = {entity["@id"]: entity for entity in crate["@graph"]}
        if entities[_ROOT]["identifier"] == launch.launch_id and _action(entities):
            return crate
    except (ValueError, KeyError, TypeError, StopIteration):
        pass
    raise GenolaunchError(f"{uri} does not describe a run of launch {launch.launch_id}: somebody replaced it.")


def _action(entities: Mapping[str, Any]) -> str:
    """@id of the action that stands for the attempt."""
    return next(id_ for id_ in entities if id_.startswith(ACTION_PREFIX))


def _described(entities: Mapping[str, Any], folder: CrateFolder) -> Iterator[_Described]:
    """What the crate says has been there, in its order."""
    action = entities[_action(entities)]
    inputs = {each["@id"] for each in _listed(action.get("object"))}
    for each in _listed(entities[_ROOT].get("hasPart")):
        entity = entities[each["@id"]]
        if CrateTerm.SIZE in entity:
            bucket, key = folder.place_of(entity["@id"])
            is_own = bucket == folder.bucket and key.startswith(folder.prefix)
            # What planning copied or wrote into the launch's own folder is the launch's to keep.
            role = Role.INPUT if entity["@id"] in inputs and not is_own else Role.OUTPUT
            yield _Described(entity, bucket, key, role)


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


def _check_folder(platform: "Platform", file: _Described) -> FileCheck:
    """By the digest of its listing: there are too many files to be named."""
    digest = FilesDigest()
    for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=file.bucket, Prefix=file.key):
        for found in page.get("Contents", []):
            if not found["Key"].endswith("/"):
                digest.add(found["Key"].removeprefix(file.key), found["Size"], found["ETag"])
    if digest.sha256 == file.entity[CrateTerm.SHA256]:
        return FileCheck(file.uri, file.role, State.SAME, Checked.ETAG)
    if not digest.files:
        return FileCheck(file.uri, file.role, State.MISSING, Checked.ETAG, "no file is left in it")
    size = f", {file.size:,} → {digest.size:,} bytes" if digest.size != file.size else ""
    difference = f"some of its files are others now ({digest.files:,} files{size})"
    return FileCheck(file.uri, file.role, State.CHANGED, Checked.ETAG, difference)


def _check_file(platform: "Platform", file: _Described, *, by_content: bool) -> FileCheck:
    head = platform.s3.head_object(Bucket=file.bucket, Key=file.key)
    if head["ContentLength"] != file.size:
        difference = f"size {file.size:,} → {head['ContentLength']:,} bytes"
        return FileCheck(file.uri, file.role, State.CHANGED, Checked.SIZE, difference)
    sha256 = file.entity.get(CrateTerm.SHA256)
    if by_content and sha256:
        digest = _digest(platform, file)
        if digest == sha256:
            return FileCheck(file.uri, file.role, State.SAME, Checked.SHA256)
        difference = f"SHA-256 {sha256} → {digest}"
        return FileCheck(file.uri, file.role, State.CHANGED, Checked.SHA256, difference)
    etag: str | None = file.entity.get(CrateTerm.ETAG)
    if etag is None or etag == plain_etag(head["ETag"]):
        return FileCheck(file.uri, file.role, State.SAME, Checked.ETAG if etag else Checked.SIZE)
    again = f"put again at {head['LastModified'].isoformat()}, with another ETag"
    kept = f"; version {file.version} is the one described" if file.version else ""
    return FileCheck(file.uri, file.role, State.CHANGED, Checked.ETAG, again + kept)


def _digest(platform: "Platform", file: _Described) -> str:
    body = platform.s3.get_object(Bucket=file.bucket, Key=file.key)["Body"]
    content = hashlib.sha256()
    while block := body.read(_BLOCK):
        content.update(block)
    return content.hexdigest()
