"""Submitting a launch: its data, its config, and the platform's answer."""

import getpass
import json
import platform as machine
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from contract import (
    FEEDBACK_PREFIX,
    LAUNCH_PREFIX,
    SNAKEFILE_NAME,
    SNAKEFILE_NAMES,
    SNAKEFILES_PREFIX,
    STANDARD_CONFIG,
    STANDARD_FOLDER,
)
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.launch import Fault
from genolaunch.launch_items import fault_from

if TYPE_CHECKING:
    from genolaunch.platform import Platform

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")

ANSWER_TIMEOUT = 60.0
"""Seconds to wait for the platform's answer. It takes a few; a minute covers a cold start and a retried delivery."""

_FIRST_PAUSE, _LONGEST_PAUSE, _PAUSE_GROWTH = 0.2, 3.0, 1.5
"""Seconds between two looks for the answer: short at first, since it mostly comes at once."""

_ORIGIN = "origin"
"""Metadata of a Snakefile: who submitted it from where (USER@HOST:FOLDER, percent-encoded, as metadata is ASCII)."""


_NOT_TO_BE_SEEN = frozenset({403, 404})
"""S3's answers for an object that is not there: which of them depends on the right to list the bucket."""


class NoAnswerError(GenolaunchError):
    """The config was uploaded, and the platform has not answered in time."""


@dataclass(frozen=True)
class Submission:
    """A config that was uploaded."""

    submission_id: str
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def feedback_key(self) -> str:
        return f"{FEEDBACK_PREFIX}{self.key.removeprefix(LAUNCH_PREFIX)}.json"


@dataclass(frozen=True)
class Answer:
    """What the platform says to a submission. `document` is the feedback object as it is in S3."""

    accepted: bool
    launch_id: str | None
    status: str | None
    faults: tuple[Fault, ...]
    document: dict[str, Any]

    @property
    def repeats(self) -> bool:
        """The very same files were submitted before, and their launch, which this is, is not over."""
        return bool(self.document.get("repeats"))


@dataclass(frozen=True)
class Upload:
    """A file on its way into the data bucket."""

    path: Path
    key: str
    size: int


def submit(platform: "Platform", config: Path, team: str | None = None, *, same_project: bool = False) -> Submission:
    """Upload `config` as launches/<its name>; a Snakefile as snakefiles/<its project>/Snakefile, after its sources.

    A team's config goes to launches/<team>/<its name>. Raises GenolaunchError when it cannot be a config, or when a
    project of that name was submitted from elsewhere, unless it is the `same_project`.
    """
    if config.name in SNAKEFILE_NAMES:
        if not same_project:
            check_project_is_known(platform, config)
        return _submit_snakefile(platform, config)
    if config.suffix.lower() not in CONFIG_SUFFIXES:
        raise WrongArgumentError(f"{config} is not a launch config: its name must end in {', '.join(CONFIG_SUFFIXES)}.")
    return _put(platform, config, LAUNCH_PREFIX + (f"{team}/" if team else "") + config.name)


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
        workflow/, config/ and the files beside them, and not its data and results."""
        taken = {STANDARD_FOLDER, STANDARD_CONFIG} if len(self.snakefile.parts) > 1 else None
        for path in sorted(self.root.rglob("*")):
            below = PurePosixPath(*path.relative_to(self.root).parts)
            is_taken = taken is None or len(below.parts) == 1 or below.parts[0] in taken
            hidden = any(part.startswith(".") for part in below.parts)
            if path.is_file() and is_taken and not hidden and path != snakefile.resolve():
                yield path, below

    @property
    def key(self) -> str:
        """Of the Snakefile in the launch bucket."""
        return f"{SNAKEFILES_PREFIX}{self.name}/{self.snakefile}"

    @property
    def origin(self) -> str:
        """Where it lies, and whose it is."""
        return f"{getpass.getuser()}@{machine.node()}:{self.root}"


def check_project_is_known(platform: "Platform", config: Path) -> None:
    """Projects of one name share sources and data: raises GenolaunchError if another of its name was submitted.

    Nothing is known of what was uploaded by other means, or of what one may not look at.
    """
    if config.name not in SNAKEFILE_NAMES:
        return
    project = Project.of(config)
    for folder in ("", f"{STANDARD_FOLDER}/"):
        origin = _origin(platform, f"{SNAKEFILES_PREFIX}{project.name}/{folder}{SNAKEFILE_NAME}")
        if origin not in ("", project.origin):
            raise GenolaunchError(
                f"A project called {project.name} was submitted before, from {origin}, and this one lies in "
                f"{project.origin}. Both would have the sources snakefiles/{project.name}/ and the data "
                f"{project.name}/, and files of the one would be taken for the other's. Rename this project's folder, "
                "or name another `data` in a launch config; if it is the same project in another place, submit it with "
                "--same-project."
            )


def _origin(platform: "Platform", key: str) -> str:
    """Who submitted a Snakefile from where; empty if nothing is known."""
    try:
        found = platform.s3.head_object(Bucket=platform.names.launch_bucket, Key=key)
    except platform.s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _NOT_TO_BE_SEEN:
            raise
        return ""
    return urllib.parse.unquote(found["Metadata"].get(_ORIGIN, ""))


def _submit_snakefile(platform: "Platform", snakefile: Path) -> Submission:
    """The Snakefile goes last: it is launched as it arrives, with what is beside it then."""
    project = Project.of(snakefile)
    prefix = f"{SNAKEFILES_PREFIX}{project.name}/"
    for path, below in project.sources(snakefile):
        platform.s3.upload_file(str(path), platform.names.launch_bucket, f"{prefix}{below}")
    return _put(platform, snakefile, project.key, {_ORIGIN: urllib.parse.quote(project.origin, safe="/:@")})


def _put(
    platform: "Platform", config: Path, key: str, metadata: Mapping[str, str] = MappingProxyType({})
) -> Submission:
    submission = Submission(str(uuid.uuid4()), platform.names.launch_bucket, key)
    platform.s3.put_object(
        Bucket=submission.bucket,
        Key=submission.key,
        Body=_content(config),
        Metadata={"submission-id": submission.submission_id, **metadata},
    )
    return submission


def wait_for_answer(platform: "Platform", submission: Submission, timeout: float = ANSWER_TIMEOUT) -> Answer:
    """The platform's answer to this very submission; raises NoAnswerError after `timeout` seconds without one."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        document = _feedback(platform, submission)
        # An earlier file of that name may have left its answer there: ours repeats our id.
        if document and document.get("submissionId") == submission.submission_id:
            return _answer(document)
        if time.monotonic() + pause > deadline:
            raise NoAnswerError(
                f"{submission.uri} was uploaded, but the platform has not answered within {timeout:.0f} seconds: it "
                f"may be busy, or the file was replaced meanwhile; look for the launch with `genolaunch list`, or for "
                f"the answer at s3://{submission.bucket}/{submission.feedback_key}."
            )
        time.sleep(pause)
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)


def planned_uploads(platform: "Platform", config: Path, folder: Path) -> list[Upload]:
    """The files of `folder` that the data bucket lacks below the config's `data`, or has in an older version.

    Raises GenolaunchError when the config does not name a place in the stage's data bucket.
    """
    prefix = data_prefix(config, platform.names.data_bucket)
    stored = {
        entry["Key"]: (entry["Size"], entry["LastModified"])
        for page in platform.s3.get_paginator("list_objects_v2").paginate(
            Bucket=platform.names.data_bucket, Prefix=prefix
        )
        for entry in page.get("Contents", [])
    }
    return [upload for upload in _files(folder, prefix) if not _is_stored(upload, stored.get(upload.key))]


def upload_data(platform: "Platform", upload: Upload, progressed: Callable[[int], None]) -> None:
    """Upload one file in parts; `progressed` is told the bytes as they go (from several threads)."""
    platform.s3.upload_file(str(upload.path), platform.names.data_bucket, upload.key, Callback=progressed)


def data_prefix(config: Path, data_bucket: str) -> str:
    """The key prefix in the data bucket, ending in a slash, that the config's `data` names."""
    import yaml

    if config.name in SNAKEFILE_NAMES:  # as the platform has it by default
        return f"{Project.of(config).name}/"
    try:
        document = yaml.safe_load(_content(config))
    except yaml.YAMLError as error:
        raise GenolaunchError(f"{config} is not readable as YAML: {' '.join(str(error).split())}.") from error
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, str) or not data.strip("/"):
        raise GenolaunchError(f"{config} does not say under `data` where in the data bucket its data belongs.")
    path = data.removeprefix(f"s3://{data_bucket}/")
    if path.startswith("s3://"):
        raise GenolaunchError(f"{config} reads {data}, which is not in this stage's data bucket ({data_bucket}).")
    return f"{path.strip('/')}/"


def _files(folder: Path, prefix: str) -> Iterator[Upload]:
    if not folder.is_dir():
        raise GenolaunchError(f"{folder} is not a folder.")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = prefix + str(PurePosixPath(path.relative_to(folder)))
            yield Upload(path, key, path.stat().st_size)


def _is_stored(upload: Upload, stored: tuple[int, datetime] | None) -> bool:
    """Whether the stored object is this file: of its size, and not older. (An ETag is no MD5 under KMS encryption.)"""
    if stored is None:
        return False
    size, modified = stored
    return size == upload.size and modified >= datetime.fromtimestamp(upload.path.stat().st_mtime, UTC).replace(
        microsecond=0
    )


def _content(config: Path) -> bytes:
    try:
        return config.read_bytes()
    except OSError as error:
        raise GenolaunchError(f"{config} cannot be read: {error.strerror}.") from error


def _feedback(platform: "Platform", submission: Submission) -> dict[str, Any] | None:
    try:
        answer = platform.s3.get_object(Bucket=submission.bucket, Key=submission.feedback_key)
    except platform.s3.exceptions.NoSuchKey:
        return None
    document: dict[str, Any] = json.load(answer["Body"])
    return document


def _answer(document: dict[str, Any]) -> Answer:
    return Answer(
        accepted=bool(document["accepted"]),
        launch_id=document.get("launchId"),
        status=document.get("status"),
        faults=tuple(fault_from(fault) for fault in document.get("faults") or ()),
        document=document,
    )
