"""The usage table: what launches used of what costs money."""

from typing import Final


class UsageField:
    """Attributes of an item of the usage table (key: owner + usageId; index by instance)."""

    OWNER: Final = "owner"  # a launch's id, or instance#<id>
    USAGE_ID: Final = "usageId"
    ATTEMPT: Final = "attempt"
    INSTANCE_ID: Final = "instanceId"
    CONTAINER_INSTANCE: Final = "containerInstance"
    JOB_NAME: Final = "jobName"
    JOB_ID: Final = "jobId"
    VCPUS: Final = "vcpus"
    MEMORY_MIB: Final = "memoryMib"
    STARTED_AT: Final = "startedAt"
    STOPPED_AT: Final = "stoppedAt"
    TYPE: Final = "type"
    ZONE: Final = "zone"
    REGION: Final = "region"
    IS_SPOT: Final = "isSpot"
    IS_ARM: Final = "isArm"
    IS_INTERRUPTED: Final = "isInterrupted"
    VOLUMES: Final = "volumes"
    CAPACITY_GIB: Final = "capacityGib"
    STORAGE_GIB: Final = "storageGib"
    THROUGHPUT: Final = "throughput"
    EXPIRES_AT: Final = "expiresAt"
    ARCHIVE: Final = "archive"  # of a restore: S3's StorageClass or ArchiveStatus; the next five are a restore's, too
    TIER: Final = "tier"
    DAYS: Final = "days"  # for which copies are kept
    REQUESTS: Final = "requests"
    RETRIEVED_BYTES: Final = "retrievedBytes"
    COPIED_BYTES: Final = "copiedBytes"  # of which a copy is kept


USAGE_KEPT_DAYS: Final = 400
"""Items of the usage table expire: longer than a year, so that a price can be questioned."""
USAGE_OF_INSTANCE: Final = "instance#"
"""owner of an instance's own item is this and its id; its usageId is USAGE_INSTANCE."""
USAGE_INSTANCE: Final = "instance"
USAGE_JOB_PREFIX: Final = "job#"
"""usageId of an attempt of a job: this and the id of its ECS task, which no other attempt has."""
USAGE_TASK_PREFIX: Final = "task#"
"""usageId of a Fargate task."""
USAGE_FILE_SYSTEM_PREFIX: Final = "fsx#"
"""usageId of a file system: this and its id. Clean-up writes it, just before it asks for the deletion."""
USAGE_EXCLUSIVE_PREFIX: Final = "ec2#"
"""usageId of an instance that one launch has for itself, below the launch's id."""
USAGE_OF_TIBANNA_JOB: Final = "awsem-"
"""owner of the item (usageId: USAGE_INSTANCE) that says which instance one of Tibanna's jobs has: this and the job's
id. Tibanna tags its instances with that name, and with nothing that tells the launch."""
USAGE_RESTORE_PREFIX: Final = "restore#"
"""usageId of a restore: this, attempt, archive and tier (restore#1#GLACIER#Bulk). Who asks S3 writes it."""
USAGE_INDEX: Final = "by-instance"
