"""The task table: failed jobs, and what else belongs to a launch (docs/architecture.md)."""

from typing import Final


class TaskField:
    """Attributes of an item of the task table (key: launchId + taskId)."""

    LAUNCH_ID: Final = "launchId"
    TASK_ID: Final = "taskId"
    STATUS: Final = "status"
    ERROR_TYPE: Final = "errorType"
    REASON: Final = "reason"
    EXIT_CODE: Final = "exitCode"
    ATTEMPTS: Final = "attempts"
    LOG_GROUP: Final = "logGroup"
    LOG_STREAM: Final = "logStream"
    LOG_TAIL: Final = "logTail"
    JOB_ID: Final = "jobId"
    JOB_NAME: Final = "jobName"
    UPDATED_AT: Final = "updatedAt"
    BUCKET: Final = "bucket"  # of a restored object
    OBJECT_KEY: Final = "objectKey"
    SIZE: Final = "size"  # bytes
    EXPIRES_AT: Final = "expiresAt"  # Unix seconds: DynamoDB deletes the item then


JOB_TASK_PREFIX: Final = "job#"
"""taskId of a failed job: job#<job name>#<array index, or 0>; the job name has the attempt in it."""

LOG_TASK_PREFIX: Final = "log#"
"""taskId of what a job's log names: log#<log stream>#<type of error>, written while the job runs. What a launcher's log
names last is log#<log stream>, and its launchId is the stream (launcher_log_stream), by which its end is looked up."""

LOG_TASK_DAYS: Final = 90
"""How long what a launcher's log names is kept: its launch has it by then, if it ended by it."""

ERROR_TASK_PREFIX: Final = "error#"
"""taskId of an error in full, on its way past state machines and logs: error#<digest> (shared/kept_errors.py)."""

TASK_FAILED: Final = "FAILED"
TASK_RESUBMITTED: Final = "RESUBMITTED"
"""Statuses of a failed job's item: the launch failed for it, or another job does its task again."""
