"""Submitting a launch: its data, its config, and the platform's answer."""

import json
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genolaunch.config_files import content_of, require_config_name
from genolaunch.contract.launch_bucket import (
    LAUNCH_PREFIX,
    SNAKEFILE_NAME,
    SNAKEFILE_NAMES,
    SNAKEFILES_PREFIX,
    STANDARD_FOLDER,
    feedback_key,
)
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Fault
from genolaunch.launch_items import fault_from
from genolaunch.projects import Project

if TYPE_CHECKING:
    from genolaunch.platform import Platform

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
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def feedback_key(self) -> str:
        return feedback_key(self.key)


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


def submit(platform: "Platform", config: Path, team: str | None = None, *, same_project: bool = False) -> Submission:
    """Upload `config` as launches/<its name>; a Snakefile as snakefiles/<its project>/Snakefile, after its sources.

    A team's config goes to launches/<team>/<its name>. Raises GenolaunchError when it cannot be a config, or when a
    project of that name was submitted from elsewhere, unless it is the `same_project`.
    """
    require_config_name(config)
    if config.name in SNAKEFILE_NAMES:
        if not same_project:
            check_project_is_known(platform, config)
        return _submit_snakefile(platform, config)
    return submit_content(platform, key_of(config, team), content_of(config))


def submit_each(
    platform: "Platform", configs: Sequence[Path], team: str | None = None, timeout: float = ANSWER_TIMEOUT
) -> Iterator[tuple[Path, "Answer | NoAnswerError"]]:
    """Submit configs in their order; each with its answer, in that order too.

    Whether a Snakefile's project is known is the caller's to ask before (check_project_is_known). Answers are waited
    for when all are uploaded, or before another file of the same name replaces one of them.
    Raises what `submit` raises, after the answers to what was uploaded before.
    """
    waiting: list[tuple[Path, Submission]] = []
    try:
        for config in configs:
            if any(sent.key == key_of(config, team) for _, sent in waiting):
                yield from _answers(platform, waiting, timeout)
                waiting = []
            waiting.append((config, submit(platform, config, team, same_project=True)))
    except Exception:
        yield from _answers(platform, waiting, timeout)
        raise
    yield from _answers(platform, waiting, timeout)


def _answers(
    platform: "Platform", waiting: Sequence[tuple[Path, Submission]], timeout: float
) -> Iterator[tuple[Path, "Answer | NoAnswerError"]]:
    for config, sent in waiting:
        try:
            yield config, wait_for_answer(platform, sent, timeout)
        except NoAnswerError as error:
            yield config, error


def key_of(config: Path, team: str | None = None) -> str:
    """Where in the launch bucket a config, or a Snakefile, is dropped."""
    if config.name in SNAKEFILE_NAMES:
        project = Project.of(config)
        return f"{SNAKEFILES_PREFIX}{project.name}/{project.snakefile}"
    return LAUNCH_PREFIX + (f"{team}/" if team else "") + config.name


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
    origin = urllib.parse.quote(project.origin, safe="/:@")
    return submit_content(platform, key_of(snakefile), content_of(snakefile), {_ORIGIN: origin})


def submit_content(
    platform: "Platform", key: str, content: bytes, metadata: Mapping[str, str] = MappingProxyType({})
) -> Submission:
    """Drop a file in the launch bucket, by what is in it."""
    submission = Submission(str(uuid.uuid4()), platform.names.launch_bucket, key)
    platform.s3.put_object(
        Bucket=submission.bucket,
        Key=submission.key,
        Body=content,
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


def _feedback(platform: "Platform", submission: Submission) -> dict[str, Any] | None:
    try:
        answer = platform.s3.get_object(Bucket=submission.bucket, Key=submission.feedback_key)
    except platform.s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _NOT_TO_BE_SEEN:
            raise
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
