"""Types of errors that users meet, and who can mend them."""

from enum import StrEnum
from typing import Final

LOG_ERROR_TERMS: Final = (
    "No space left on device",
    "ENOSPC",
    "Disk quota exceeded",
    "std::bad_alloc",
    "Cannot allocate memory",
    "MemoryError",
    "AccessDenied",
    "Access Denied",
    "UnauthorizedOperation",
)
"""Of the lines of jobs' logs that are looked at (lambdas/shared/log_errors.py says what each means)."""


class ErrorType(StrEnum):
    """`error.type` of a launch, and `errorType` of a failed job."""

    MISSING_REQUIRED_PARAMETERS = "MissingRequiredParametersError"
    INVALID_ARGUMENTS = "InvalidArguments"
    CAPACITY = "CapacityUnavailableError"
    LAUNCH_INPUT = "LaunchInputError"
    APPLICATION_ERROR = "ApplicationError"
    OUT_OF_MEMORY = "OutOfMemoryError"
    NO_SPACE_LEFT = "NoSpaceLeftError"
    ACCESS_DENIED = "AccessDeniedError"
    IMAGE_PULL = "ImagePullError"
    CONTAINER_START = "ContainerStartError"
    NEVER_STARTED = "JobNeverStartedError"
    SPOT_RECLAIMED = "SpotReclaimedError"
    TIMED_OUT = "TimedOutError"
    STOPPED = "StoppedError"
    FILE_SYSTEM = "FileSystemError"
    EXPORT = "ExportError"
    RESTORE = "RestoreError"
    INPUTS_CHANGED = "InputsChangedError"
    PLATFORM = "PlatformError"


INPUTS_UNSEEN: Final = "InputsUnseen"
"""Error of an execution of **launch** that left its launch QUEUED, and could not look for its inputs."""
