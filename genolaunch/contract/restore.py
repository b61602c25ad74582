"""Restores of archived inputs, as the task table has them."""

from enum import StrEnum
from typing import Final


class RestoreField:
    """Attributes of a restore in the task table (taskId: RESTORE_TASK_PREFIX + attempt), beside TaskField's."""

    ATTEMPT: Final = "attempt"
    CONFIG_KEY: Final = "configKey"  # of the restore config in the launch bucket
    OBJECTS: Final = "objects"
    BYTES: Final = "bytes"
    PENDING: Final = "pending"  # objects that are neither restored nor failed
    RESTORED: Final = "restored"
    RESTORED_BYTES: Final = "restoredBytes"
    FAILED: Final = "failed"
    INDEXED: Final = "indexed"  # true once OBJECTS is final: only then PENDING decides
    TIER: Final = "tier"
    CHECK_AT: Final = "checkAt"  # when S3 is asked for what no event told of
    GIVE_UP_AT: Final = "giveUpAt"


RESTORE_TASK_PREFIX: Final = "restore#"
"""taskId of a restore (restore#<attempt>), and of each object of it (restore#<digest>, below restore_shard)."""

RESTORE_PENDING: Final = "PENDING"
RESTORE_DONE: Final = "RESTORED"
RESTORE_FAILED: Final = "FAILED"
"""Statuses of a restored object's item."""

RESTORE_SHARDS: Final = 16
"""A partition takes 1,000 write units a second, and an object needs two of them twice: S3 restores as many at most."""

OPEN_RESTORES: Final = "open-restores"
"""launchId of the items (taskId: the launch's) that say which launches wait for objects: few, and read together."""


def restore_shard(run: str, shard: int) -> str:
    """launchId of the items of a run's restored objects: spread, since all of them change at once."""
    return f"{run}#{shard}"


class RetrievalTier(StrEnum):
    """How fast S3 restores, as RestoreObject names it."""

    BULK = "Bulk"
    STANDARD = "Standard"
    EXPEDITED = "Expedited"
