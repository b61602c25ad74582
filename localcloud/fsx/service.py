"""The operations of Amazon FSx for Lustre."""

import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from localcloud.batch.mounts import MountError
from localcloud.fsx.background import Background
from localcloud.fsx.model import (
    ENDED,
    Association,
    Document,
    FileSystem,
    Lifecycle,
    Task,
    TaskLifecycle,
    describe_tags,
    parse_tags,
)
from localcloud.fsx.tasks import TaskRunner
from localcloud.fsx.transfer import TRANSFER_FAULTS, Stored, Transfer
from localcloud.fsx.validation import bad_request, check_association, check_file_system, check_task, require
from localcloud.paging import BadTokenError, page
from localcloud.service import ServiceError, operation_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Resource = TypeVar("Resource", FileSystem, Association, Task)

_PAGE: Final = 50
_ASSOCIATIONS_PAGE: Final = 25

_MOUNT_NAME_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


_OWNER_TAG: Final = "launchId"
"""Tag of what one piece of work has made for itself."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class FsxService:
    """Amazon FSx for Lustre in folders. Implements localcloud.service.Service and batch.mounts.FileSystems."""

    name = "fsx"

    def __init__(
        self,
        *,
        state: Path,
        s3: "S3Client",
        region: str,
        account: str,
        delay_seconds: float = 0.05,
        stored: Stored = lambda _bucket, _key: None,
    ) -> None:
        """File systems are folders `<state>/fsx/<id>`.

        Args:
            state: the embedded cloud's folder.
            s3: where linked objects are read and written.
            region: of the file systems' ARNs.
            account: likewise.
            delay_seconds: between one lifecycle state and the next.
            stored: tells an object's content without a request, where it can.
        """
        self._stored = stored
        self._folder = state.resolve() / "fsx"
        self._private = self._folder / ".private"
        shutil.rmtree(self._folder, ignore_errors=True)  # of an earlier run: what it knew about its files is lost
        self._s3 = s3
        self._region = region
        self._account = account
        self._arn_prefix = f"arn:aws:fsx:{region}:{account}"
        self._lock = threading.RLock()
        self._background = Background(delay_seconds)
        self._task_runner = TaskRunner(s3, self._lock)
        self._file_systems: dict[str, FileSystem] = {}
        self._associations: dict[str, Association] = {}
        self._tasks: dict[str, Task] = {}
        self._failures: list[str] = []
        self._refusals: list[str] = []
        self.operations: Mapping[str, Callable[[Document], Document]] = {
            "CreateFileSystem": self._create_file_system,
            "DescribeFileSystems": self._describe_file_systems,
            "DeleteFileSystem": self._delete_file_system,
            "CreateDataRepositoryAssociation": self._create_association,
            "DescribeDataRepositoryAssociations": self._describe_associations,
            "DeleteDataRepositoryAssociation": self._delete_association,
            "CreateDataRepositoryTask": self._create_task,
            "DescribeDataRepositoryTasks": self._describe_tasks,
            "CancelDataRepositoryTask": self._cancel_task,
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_tags,
        }

    # --- What the rest of the local cloud calls ----------------------------------------------------------------------
    def call(self, operation: str, params: Document) -> Document:
        """Answer one operation. Raises ServiceError."""
        answer = operation_of("FSx", self.operations, operation)
        with self._lock:
            return answer(params)

    def mount(self, file_system_id: str, mount_name: str) -> Path:
        """The file system's folder, its files' content fetched from S3. Raises MountError."""
        with self._lock:
            file_system = self._file_systems.get(file_system_id)
            if file_system is None or file_system.mount_name != mount_name:
                raise MountError(f"there is no file system {file_system_id} with mount name {mount_name}")
            if file_system.lifecycle is not Lifecycle.AVAILABLE:
                raise MountError(f"file system {file_system_id} is {file_system.lifecycle}")
        try:
            file_system.transfer.fill()
        except TRANSFER_FAULTS as error:
            raise MountError(f"a file of {file_system_id} cannot be read from its data repository: {error}") from error
        with self._lock:
            return self._path_in_containers(file_system)

    def _path_in_containers(self, file_system: FileSystem) -> Path:
        """A path that the launch's next file system will have too: a container on AWS has each of them at /fsx.

        Programs write it into their files, which a retry takes over. Two of a launch's file systems at a time are told
        apart by their own folders.
        """
        folder = self._folder / file_system.id
        owner = file_system.tags.get(_OWNER_TAG, "")
        if not _PLAIN_NAME.fullmatch(owner):
            return folder
        link = self._private / "mounted" / owner
        if link.resolve() == folder:
            return link
        if link.exists():
            return folder
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
        return link

    def fail_next_file_system(self, message: str = "Insufficient capacity in the Availability Zone.") -> None:
        """Let the next file system that is created end FAILED."""
        with self._lock:
            self._failures.append(message)

    def refuse_next_file_system(self, message: str) -> None:
        """Refuse the next request for a file system, as where the account's quota is used up."""
        with self._lock:
            self._refusals.append(message)

    def fail_next_export(self, pattern: str = "*") -> None:
        """Let files whose path matches the glob fail in the next export."""
        self._task_runner.fail_next_export(pattern)

    def close(self) -> None:
        """Drop what has not been done yet."""
        self._background.close()
        for file_system in self._file_systems.values():
            file_system.transfer.close()

    # --- File systems ------------------------------------------------------------------------------------------------
    def _create_file_system(self, params: Document) -> Document:
        request = check_file_system(params)
        same = _made_with_same_token(self._file_systems.values(), request)
        if same is not None:
            return {"FileSystem": same.describe()}
        if self._refusals:
            raise ServiceError("ServiceLimitExceeded", self._refusals.pop(0))
        file_system_id = _new_id("fs", 17)
        file_system = FileSystem(
            id=file_system_id,
            arn=f"{self._arn_prefix}:file-system/{file_system_id}",
            owner=self._account,
            region=self._region,
            mount_name="".join(secrets.choice(_MOUNT_NAME_LETTERS) for _ in range(8)),
            request=request,
            transfer=Transfer(self._folder / file_system_id, self._private / file_system_id, self._s3, self._stored),
            tags=parse_tags(params.get("Tags", [])),
        )
        self._file_systems[file_system_id] = file_system
        failure = self._failures.pop(0) if self._failures else None
        self._background.later(lambda: self._finish_creation(file_system, failure))
        return {"FileSystem": file_system.describe()}

    def _finish_creation(self, file_system: FileSystem, failure: str | None) -> None:
        with self._lock:
            file_system.failure = failure
            file_system.lifecycle = Lifecycle.FAILED if failure else Lifecycle.AVAILABLE

    def _describe_file_systems(self, params: Document) -> Document:
        found = self._chosen(self._file_systems, params.get("FileSystemIds"), "FileSystemNotFound")
        return _page("FileSystems", found, params, _PAGE)

    def _delete_file_system(self, params: Document) -> Document:
        file_system = self._file_system(params)
        if file_system.lifecycle is Lifecycle.CREATING:
            bad_request(f"File system {file_system.id} is being created; it can be deleted when that is done.")
        if self._pending_tasks(file_system):
            bad_request(
                f"File system {file_system.id} has data repository tasks in progress. "
                "Wait until they have ended, or cancel them, and try again."
            )
        if file_system.lifecycle is not Lifecycle.DELETING:
            file_system.lifecycle = Lifecycle.DELETING
            for association in self._associations_of(file_system):
                association.lifecycle = Lifecycle.DELETING
            self._background.later(lambda: self._finish_deletion(file_system))
        return {"FileSystemId": file_system.id, "Lifecycle": str(file_system.lifecycle)}

    def _finish_deletion(self, file_system: FileSystem) -> None:
        file_system.transfer.close()
        for folder in (self._folder, self._private):
            shutil.rmtree(folder / file_system.id, ignore_errors=True)
        with self._lock:
            for association in self._associations_of(file_system):
                del self._associations[association.id]
            del self._file_systems[file_system.id]

    def _file_system(self, params: Document) -> FileSystem:
        require(params, "FileSystemId")
        return self._chosen(self._file_systems, [params["FileSystemId"]], "FileSystemNotFound")[0]

    def _available(self, params: Document) -> FileSystem:
        file_system = self._file_system(params)
        if file_system.lifecycle is not Lifecycle.AVAILABLE:
            bad_request(f"File system {file_system.id} is {file_system.lifecycle}, not AVAILABLE.")
        return file_system

    # --- Data repository associations --------------------------------------------------------------------------------
    def _create_association(self, params: Document) -> Document:
        file_system = self._available(params)
        same = _made_with_same_token(self._associations.values(), params)
        if same is not None:
            return {"Association": same.describe()}
        version = file_system.request["FileSystemTypeVersion"]
        deployment = file_system.request["LustreConfiguration"]["DeploymentType"]
        link = check_association(params, version, deployment, self._associations_of(file_system))
        association_id = _new_id("dra", 17)
        association = Association(
            id=association_id,
            arn=f"{self._arn_prefix}:association/{file_system.id}/{association_id}",
            file_system=file_system,
            request=params,
            link=link,
            tags=parse_tags(params.get("Tags", [])),
        )
        self._associations[association_id] = association
        self._background.later(lambda: self._finish_association(association))
        return {"Association": association.describe()}

    def _finish_association(self, association: Association) -> None:
        failure = None
        try:
            if association.request.get("BatchImportMetaDataOnCreate"):
                association.file_system.transfer.import_metadata(association.link)
            else:
                self._s3.head_bucket(Bucket=association.link.bucket)
        except TRANSFER_FAULTS as error:
            failure = f"Amazon FSx is unable to access {association.request['DataRepositoryPath']}: {error}"
        with self._lock:
            if association.lifecycle is Lifecycle.CREATING:
                association.failure = failure
                association.lifecycle = Lifecycle.MISCONFIGURED if failure else Lifecycle.AVAILABLE

    def _describe_associations(self, params: Document) -> Document:
        found = self._chosen(self._associations, params.get("AssociationIds"), "DataRepositoryAssociationNotFound")
        tests: dict[str, Callable[[Association, list[str]], bool]] = {
            "file-system-id": lambda association, values: association.file_system.id in values,
        }
        return _page("Associations", _filtered(found, params, tests), params, _ASSOCIATIONS_PAGE)

    def _delete_association(self, params: Document) -> Document:
        require(params, "AssociationId")
        association = self._chosen(self._associations, [params["AssociationId"]], "DataRepositoryAssociationNotFound")[
            0
        ]
        delete_files = bool(params.get("DeleteDataInFileSystem"))
        if association.lifecycle is Lifecycle.CREATING:
            bad_request(f"Association {association.id} is being created; it can be deleted when that is done.")
        if association.lifecycle is not Lifecycle.DELETING:
            association.lifecycle = Lifecycle.DELETING
            self._background.later(lambda: self._finish_unlinking(association, delete_files))
        return {
            "AssociationId": association.id,
            "Lifecycle": str(association.lifecycle),
            "DeleteDataInFileSystem": delete_files,
        }

    def _finish_unlinking(self, association: Association, delete_files: bool) -> None:
        association.file_system.transfer.forget(association.link, delete_files=delete_files)
        with self._lock:
            self._associations.pop(association.id, None)

    def _associations_of(self, file_system: FileSystem) -> list[Association]:
        return [each for each in self._associations.values() if each.file_system is file_system]

    # --- Data repository tasks ---------------------------------------------------------------------------------------
    def _create_task(self, params: Document) -> Document:
        file_system = self._available(params)
        same = _made_with_same_token(self._tasks.values(), params)
        if same is not None:
            return {"DataRepositoryTask": same.describe()}
        links = [each.link for each in self._associations_of(file_system) if each.lifecycle is Lifecycle.AVAILABLE]
        check_task(params, links)
        if self._pending_tasks(file_system):
            raise ServiceError(
                "DataRepositoryTaskExecuting",
                f"A data repository task is executing on file system {file_system.id}; try again when it has ended.",
            )
        task_id = _new_id("task", 17)
        task = Task(
            id=task_id,
            arn=f"{self._arn_prefix}:task/{task_id}",
            file_system=file_system,
            request=params,
            tags=parse_tags(params.get("Tags", [])),
        )
        self._tasks[task_id] = task
        self._background.later(lambda: self._task_runner.run(task, links))
        return {"DataRepositoryTask": task.describe()}

    def _describe_tasks(self, params: Document) -> Document:
        found = self._chosen(self._tasks, params.get("TaskIds"), "DataRepositoryTaskNotFound")
        tests: dict[str, Callable[[Task, list[str]], bool]] = {
            "file-system-id": lambda task, values: task.file_system.id in values,
            "task-lifecycle": lambda task, values: task.lifecycle in values,
        }
        return _page("DataRepositoryTasks", _filtered(found, params, tests), params, _PAGE)

    def _cancel_task(self, params: Document) -> Document:
        require(params, "TaskId")
        task = self._chosen(self._tasks, [params["TaskId"]], "DataRepositoryTaskNotFound")[0]
        if task.lifecycle in ENDED:
            raise ServiceError("DataRepositoryTaskEnded", f"Data repository task {task.id} has ended already.")
        task.lifecycle = TaskLifecycle.CANCELING
        return {"TaskId": task.id, "Lifecycle": str(task.lifecycle)}

    def _pending_tasks(self, file_system: FileSystem) -> list[Task]:
        return [
            each for each in self._tasks.values() if each.file_system is file_system and each.lifecycle not in ENDED
        ]

    # --- Tags --------------------------------------------------------------------------------------------------------
    def _tag_resource(self, params: Document) -> Document:
        require(params, "ResourceARN", "Tags")
        self._tags_of(params["ResourceARN"]).update(parse_tags(params["Tags"]))
        return {}

    def _untag_resource(self, params: Document) -> Document:
        require(params, "ResourceARN", "TagKeys")
        tags = self._tags_of(params["ResourceARN"])
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, params: Document) -> Document:
        require(params, "ResourceARN")
        return {"Tags": describe_tags(self._tags_of(params["ResourceARN"]))}

    def _tags_of(self, arn: str) -> dict[str, str]:
        resources: list[FileSystem | Association | Task] = [
            *self._file_systems.values(),
            *self._associations.values(),
            *self._tasks.values(),
        ]
        for resource in resources:
            if resource.arn == arn:
                return resource.tags
        raise ServiceError("ResourceNotFound", f"There is no resource {arn}.")

    @staticmethod
    def _chosen(resources: Mapping[str, Resource], ids: Iterable[str] | None, code: str) -> list[Resource]:
        """Those of these ids, or all without ids. Raises ServiceError(code)."""
        if not ids:
            return list(resources.values())
        for each in ids:
            if each not in resources:
                raise ServiceError(code, f"There is no {each}.")
        return [resources[each] for each in ids]


def _new_id(kind: str, digits: int) -> str:
    return f"{kind}-0{secrets.token_hex(digits // 2)}"


def _made_with_same_token(resources: Iterable[Resource], request: Document) -> Resource | None:
    """What an earlier, equal request with this token made. Refuses a token that came with another request."""
    token = request.get("ClientRequestToken")
    if token is None:
        return None
    for resource in resources:
        if resource.request.get("ClientRequestToken") == token:
            if resource.request != request:
                raise ServiceError(
                    "IncompatibleParameterError", f"ClientRequestToken {token} was used with other parameters."
                )
            return resource
    return None


def _filtered(
    resources: Sequence[Resource],
    params: Document,
    tests: Mapping[str, Callable[[Resource, list[str]], bool]],
) -> list[Resource]:
    """Those that pass every filter."""
    remaining = list(resources)
    for each in params.get("Filters", []):
        test = tests.get(each.get("Name"))
        if test is None:
            bad_request(f"Filter {each.get('Name')} is not one of {', '.join(tests)}.")
        values: list[str] = each.get("Values", [])
        remaining = [resource for resource in remaining if test(resource, values)]
    return remaining


def _page(member: str, resources: Sequence[Resource], params: Document, largest: int) -> Document:
    try:
        chosen, token = page(resources, min(params.get("MaxResults", largest), largest), params.get("NextToken"))
    except BadTokenError:
        bad_request("Invalid NextToken.")
    answer: dict[str, Any] = {member: [each.describe() for each in chosen]}
    return {**answer, "NextToken": token} if token else answer
