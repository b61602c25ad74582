"""What the records of a launch's workflow say of an attempt, in one shape for every workflow.

A workflow's own module (WorkflowFunctions.run_records) reads its records, and answers with WorkflowRecords.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from genolaunch.contract.results import WORK_COST, WORK_REPORT
from genolaunch.shared import aws
from lambdas.provenance.listing import StoredFile, StoredFolder
from lambdas.shared.launch import Launch

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class Software:
    """A program that worked on the data."""

    name: str
    version: str
    url: str
    """Its home page."""


@dataclass(frozen=True, slots=True)
class Language:
    """What a workflow is written in."""

    id: str
    """Its URL as Workflow RO-Crate 1.0 ("Language") or its publisher has it."""
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class MainWorkflow:
    """The file that says what is done."""

    path: str
    """Below the launch's results."""
    name: str
    language: Language
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRecords:
    """What is known of an attempt besides the launch's item; what nobody recorded is empty."""

    software: Sequence[Software] = ()
    images: Sequence[str] = ()
    """Names of the images in which jobs ran."""
    main: MainWorkflow | None = None
    """None: the state machine is the workflow."""
    inputs: Sequence[StoredFolder] = ()
    outputs: Sequence[StoredFolder] = ()
    """Outside of the launch's folder of results."""
    results: Sequence[str] = (WORK_REPORT,)
    """Files, and folders with a slash at their end, below the launch's results: what was asked for. The others there
    tell how it was made."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Path below the launch's results, or the beginning of such paths -> what it is."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Path below the launch's results -> digest in hexadecimal, as the workflow wrote it down."""


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """A launch's folder in the results bucket."""

    bucket: str
    prefix: str
    """Ends with a slash."""

    def read(self, path: str) -> bytes | None:
        """An object's content; None if there is none."""
        client: S3Client = aws.client("s3")
        try:
            return client.get_object(Bucket=self.bucket, Key=self.prefix + path)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None

    def document(self, path: str) -> dict[str, Any]:
        """A JSON object; an empty one if there is no such file."""
        content = self.read(path)
        return {} if content is None else dict(json.loads(content))

    def write(self, path: str, content: bytes, content_type: str) -> None:
        """Put an object."""
        client: S3Client = aws.client("s3")
        client.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=content, ContentType=content_type)


class ReadsRecords(Protocol):
    """What WorkflowFunctions.run_records names."""

    def __call__(self, launch: Launch, results: ResultsFolder) -> WorkflowRecords:
        """Read what the launch's last attempt left."""


ABOUT_ANY: Final[Mapping[str, str]] = {
    f"{WORK_COST}/": "What an attempt cost, at list prices",
    WORK_REPORT: "Report for the people who launched it",
}


def read_nothing(_launch: Launch, _results: ResultsFolder) -> WorkflowRecords:
    """Of a workflow without records of its own: what the launch's item and its folder of results say."""
    return WorkflowRecords()


def in_one_folder(bucket: str, prefix: str, files: Sequence[StoredFile]) -> StoredFolder:
    """Files that are named one by one."""
    folder = StoredFolder(bucket, prefix)
    for file in files:
        folder.add(file)
    return folder
