"""File systems, data repository associations and tasks as the service keeps them, and as its API shows them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from localcloud.fsx.transfer import NOTHING, Counts, Link, Transfer

Document = dict[str, Any]


class Lifecycle(StrEnum):
    """States of file systems and of associations."""

    CREATING = "CREATING"
    AVAILABLE = "AVAILABLE"
    FAILED = "FAILED"
    MISCONFIGURED = "MISCONFIGURED"
    DELETING = "DELETING"


class TaskLifecycle(StrEnum):
    """States of data repository tasks."""

    PENDING = "PENDING"
    EXECUTING = "EXECUTING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


ENDED = frozenset({TaskLifecycle.SUCCEEDED, TaskLifecycle.FAILED, TaskLifecycle.CANCELED})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False, slots=True)
class FileSystem:
    """A Lustre file system. A folder of this machine stands in for it."""

    id: str
    arn: str
    owner: str
    region: str
    mount_name: str
    request: Document
    """CreateFileSystem's parameters."""
    transfer: Transfer
    tags: dict[str, str]
    lifecycle: Lifecycle = Lifecycle.CREATING
    failure: str | None = None
    created: datetime = field(default_factory=_now)

    def describe(self) -> Document:
        """A `FileSystem` of the API."""
        lustre = {
            "DataCompressionType": "NONE",
            **self.request.get("LustreConfiguration", {}),
            "MountName": self.mount_name,
        }
        return {
            "OwnerId": self.owner,
            "CreationTime": self.created,
            "FileSystemId": self.id,
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": self.request["FileSystemTypeVersion"],
            "Lifecycle": str(self.lifecycle),
            **_failure(self.failure),
            "StorageCapacity": self.request["StorageCapacity"],
            "StorageType": self.request.get("StorageType", "SSD"),
            "SubnetIds": list(self.request["SubnetIds"]),
            "DNSName": f"{self.id}.fsx.{self.region}.amazonaws.com",
            "ResourceARN": self.arn,
            "Tags": describe_tags(self.tags),
            "LustreConfiguration": lustre,
        }


@dataclass(eq=False, slots=True)
class Association:
    """A data repository association: a folder of a file system linked to a prefix in S3."""

    id: str
    arn: str
    file_system: FileSystem
    request: Document
    """CreateDataRepositoryAssociation's parameters."""
    link: Link
    tags: dict[str, str]
    lifecycle: Lifecycle = Lifecycle.CREATING
    failure: str | None = None
    created: datetime = field(default_factory=_now)

    def describe(self) -> Document:
        """A `DataRepositoryAssociation` of the API."""
        return {
            "AssociationId": self.id,
            "ResourceARN": self.arn,
            "FileSystemId": self.file_system.id,
            "Lifecycle": str(self.lifecycle),
            **_failure(self.failure),
            "FileSystemPath": self.request["FileSystemPath"],
            "DataRepositoryPath": self.request["DataRepositoryPath"],
            "BatchImportMetaDataOnCreate": self.request.get("BatchImportMetaDataOnCreate", False),
            "ImportedFileChunkSize": self.request.get("ImportedFileChunkSize", 1024),
            **({"S3": self.request["S3"]} if "S3" in self.request else {}),
            "Tags": describe_tags(self.tags),
            "CreationTime": self.created,
        }


@dataclass(eq=False, slots=True)
class Task:
    """A data repository task."""

    id: str
    arn: str
    file_system: FileSystem
    request: Document
    """CreateDataRepositoryTask's parameters."""
    tags: dict[str, str]
    lifecycle: TaskLifecycle = TaskLifecycle.PENDING
    failure: str | None = None
    counts: Counts = NOTHING
    created: datetime = field(default_factory=_now)
    started: datetime | None = None
    ended: datetime | None = None

    def describe(self) -> Document:
        """A `DataRepositoryTask` of the API."""
        succeeded, failed = self.counts.succeeded, len(self.counts.failed)
        return {
            "TaskId": self.id,
            "Lifecycle": str(self.lifecycle),
            "Type": self.request["Type"],
            "CreationTime": self.created,
            **({"StartTime": self.started} if self.started else {}),
            **({"EndTime": self.ended} if self.ended else {}),
            "ResourceARN": self.arn,
            "Tags": describe_tags(self.tags),
            "FileSystemId": self.file_system.id,
            "Paths": list(self.request.get("Paths", [])),
            **_failure(self.failure),
            "Status": {
                "TotalCount": succeeded + failed,
                "SucceededCount": succeeded,
                "FailedCount": failed,
                "LastUpdatedTime": self.ended or self.started or self.created,
            },
            "Report": dict(self.request["Report"]),
        }

    def start(self) -> None:
        """Note that the task executes now."""
        self.lifecycle = TaskLifecycle.EXECUTING
        self.started = _now()

    def end(self, lifecycle: TaskLifecycle, failure: str | None = None) -> None:
        """Note that the task has ended."""
        self.lifecycle = lifecycle
        self.failure = failure
        self.ended = _now()


def parse_tags(tags: list[Document]) -> dict[str, str]:
    """Tags of a request, by key."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def describe_tags(tags: dict[str, str]) -> list[Document]:
    """Tags as the API shows them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _failure(message: str | None) -> Document:
    return {"FailureDetails": {"Message": message}} if message else {}
