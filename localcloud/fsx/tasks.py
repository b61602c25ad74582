"""Executes data repository tasks: exports to S3 and imports of what is new there."""

import csv
import io
import logging
import threading
from typing import TYPE_CHECKING

from localcloud.fsx.model import Task, TaskLifecycle
from localcloud.fsx.transfer import NOTHING, TRANSFER_FAULTS, Counts, Link, MissingPathError
from localcloud.fsx.validation import parse_s3_path
from localcloud.service import ServiceError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

logger = logging.getLogger(__name__)


class TaskRunner:
    """Runs one task at a time for each caller's thread."""

    def __init__(self, s3: "S3Client", lock: threading.RLock) -> None:
        """`lock` guards the tasks' state."""
        self._s3 = s3
        self._lock = lock
        self._made_to_fail: list[str] = []

    def fail_next_export(self, pattern: str) -> None:
        """Let files whose path matches the glob fail in the next export."""
        with self._lock:
            self._made_to_fail.append(pattern)

    def run(self, task: Task, links: list[Link]) -> None:
        """Execute a task to its end, or end it at once when it was cancelled before."""
        with self._lock:
            if task.lifecycle is TaskLifecycle.CANCELING:
                task.end(TaskLifecycle.CANCELED)
                return
            task.start()
        try:
            counts = self._execute(task, links)
            self._report(task, counts)
        except MissingPathError as error:
            self._end(task, NOTHING, f"Path {error} does not exist in the file system.")
        except (*TRANSFER_FAULTS, ServiceError) as error:
            self._end(task, NOTHING, f"Amazon FSx is unable to access the data repository: {error}")
        else:
            self._end(task, counts, "Some files could not be processed; see the report." if counts.failed else None)

    def _execute(self, task: Task, links: list[Link]) -> Counts:
        paths = task.request.get("Paths") or ["/"]
        if task.request["Type"] == "IMPORT_METADATA_FROM_REPOSITORY":
            return self._import(task, paths, links)
        with self._lock:
            pattern = self._made_to_fail.pop(0) if self._made_to_fail else None
        return task.file_system.transfer.export(
            [path.strip("/") for path in paths],
            links,
            is_cancelled=lambda: task.lifecycle is TaskLifecycle.CANCELING,
            fail_matching=pattern,
        )

    @staticmethod
    def _import(task: Task, paths: list[str], links: list[Link]) -> Counts:
        """Import what is below each s3:// path; all linked prefixes for the default path."""
        parts = links if paths == ["/"] else [_linked_part(path, links) for path in paths]
        return Counts(sum(map(task.file_system.transfer.import_metadata, parts)), ())

    def _end(self, task: Task, counts: Counts, failure: str | None) -> None:
        with self._lock:
            task.counts = counts
            if task.lifecycle is TaskLifecycle.CANCELING:
                task.end(TaskLifecycle.CANCELED)
            else:
                task.end(TaskLifecycle.FAILED if failure else TaskLifecycle.SUCCEEDED, failure)

    def _report(self, task: Task, counts: Counts) -> None:
        """Write the completion report, which lists the files that failed, if it is wanted and there are any."""
        report = task.request["Report"]
        if not report["Enabled"] or not counts.failed:
            return
        bucket, prefix = parse_s3_path(report["Path"])
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerow(["FilePath", "FileStatus", "ErrorCode"])
        rows.writerows([f"/{path}", "failed", "S3Error"] for path in counts.failed)
        self._s3.put_object(Bucket=bucket, Key=f"{prefix}{task.id}/failures.csv", Body=table.getvalue().encode())


def _linked_part(path: str, links: list[Link]) -> Link:
    """What an s3:// path names of one of the links.

    Raises ServiceError: a task with a path that is not valid fails (CreateDataRepositoryTask, Paths).
    """
    for link in links:
        part = _part_of(link, path)
        if part is not None:
            return part
    raise ServiceError("BadRequest", f"{path} is in no linked data repository.")


def _part_of(link: Link, path: str) -> Link | None:
    """The part of a link that an s3:// path names, if it lies in it."""
    bucket, prefix = parse_s3_path(path)
    if bucket != link.bucket or not prefix.startswith(link.prefix):
        return None
    below = prefix[len(link.prefix) :].rstrip("/")
    return Link("/".join(part for part in (link.folder, below) if part), bucket, prefix)
