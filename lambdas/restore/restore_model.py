"""The restore that a launch waits for, and the keys of its items in the task table."""

import hashlib
from dataclasses import dataclass

from genolaunch.contract.project import run_name
from genolaunch.contract.restore import OPEN_RESTORES, RESTORE_SHARDS, RESTORE_TASK_PREFIX, restore_shard
from genolaunch.contract.tasks import TaskField


@dataclass(frozen=True, slots=True)
class WantedObject:
    """An object that a launch waits for."""

    bucket: str
    key: str
    size: int = 0

    @property
    def uri(self) -> str:
        """The object's s3:// URL."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class OpenRestore:
    """A launch that waits for objects, or waited until a moment ago."""

    launch_id: str
    attempt: int
    config_key: str
    data_path: str
    """s3:// URL below which all its objects are."""

    @property
    def run(self) -> str:
        """Name of the attempt."""
        return run_name(self.launch_id, self.attempt)

    def covers(self, item: WantedObject) -> bool:
        """Return whether the launch may wait for this object."""
        return item.uri.startswith(self.data_path)


@dataclass(frozen=True, slots=True)
class Counts:
    """Shows the progress of a restore."""

    objects: int
    pending: int
    restored: int
    failed: int
    indexed: bool
    """Whether `objects` is final."""
    updated_at: str
    check_at: str | None
    give_up_at: str | None

    @property
    def is_over(self) -> bool:
        """Whether no object is pending any more."""
        return self.indexed and self.pending <= 0


def restore_key(restore: OpenRestore) -> dict[str, str]:
    """Return the key of the restore's own item, which has the counts."""
    return {
        TaskField.LAUNCH_ID: restore.launch_id,
        TaskField.TASK_ID: f"{RESTORE_TASK_PREFIX}{restore.attempt}",
    }


def open_key(restore: OpenRestore) -> dict[str, str]:
    """Return the key of the item that says that the launch waits."""
    return {TaskField.LAUNCH_ID: OPEN_RESTORES, TaskField.TASK_ID: restore.launch_id}


def object_key(run: str, item: WantedObject) -> dict[str, str]:
    """Return the key of an object's item.

    It has a digest of the object's key, which alone may have as many bytes as a sort key (1,024).
    """
    digest = hashlib.sha256(item.uri.encode()).hexdigest()
    return {
        TaskField.LAUNCH_ID: restore_shard(run, int(digest[-4:], 16) % RESTORE_SHARDS),
        TaskField.TASK_ID: f"{RESTORE_TASK_PREFIX}{digest[:32]}",
    }
