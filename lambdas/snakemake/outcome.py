"""The outcome of a launcher: from its own record, or from ECS's description of its task."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launcher import LauncherExit, launcher_outcome, launcher_prefix
from genolaunch.shared import aws
from lambdas.snakemake.task_event import LauncherTask

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_NO_IMAGE: Final = "CannotPullContainerError"
"""Amazon ECS developer guide, "CannotPullContainer task errors"."""
_KILLED: Final = 137
"""128 + SIGKILL."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a launcher ended."""

    error: ErrorType | None
    """None if the workflow is done."""
    message: str
    report_uri: str | None = None
    failed_jobs: int = 0
    """As far as the launcher could count them."""
    is_stages: bool = False
    """Whether a setting of the stage is wrong: then the people who run the stage are alarmed, whatever the type."""
    warnings: Sequence[str] = ()
    """What the launch's author should know although the launch succeeded."""

    quotes: bool = False
    """Whether the message quotes the workflow or its log, which may name people and traits."""

    @property
    def public(self) -> str:
        """The text of a failure that logs, events and notices may contain."""
        return f"The workflow ended with {self.error}; the launch's error says why." if self.quotes else self.message

    @property
    def is_unexplained(self) -> bool:
        """Whether it failed, and neither a job nor ECS's description gives the reason."""
        return self.error is ErrorType.APPLICATION_ERROR and not self.failed_jobs

    def told_by_log(self, error: ErrorType, line: str) -> "Outcome":
        """Return the same outcome with the error that the launcher's log names."""
        return replace(self, error=error, message=f"{self.message} It says: {line}", quotes=True)


def outcome_of(task: LauncherTask, written: Mapping[str, Any] | None) -> Outcome:
    """Return the outcome of a stopped task. `written` is the launcher's own record, if it wrote one."""
    if task.exit_code == LauncherExit.DONE and not (written or {}).get("type"):
        warnings = [str(warning) for warning in (written or {}).get("warnings") or ()]
        return Outcome(None, "", (written or {}).get("reportUri"), warnings=warnings)
    if written and written.get("type") in set(ErrorType):
        message = str(written.get("message") or "The launcher gave no reason.")
        failed = int((written.get("jobs") or {}).get("failed", 0))
        return Outcome(ErrorType(written["type"]), message, failed_jobs=failed, quotes=True)
    return _by_task(task)


def _by_task(task: LauncherTask) -> Outcome:
    """Return ECS's description of the end, in words for people."""
    why = task.container_reason or task.stopped_reason or "ECS gives no reason"
    if "OutOfMemory" in task.container_reason:
        return Outcome(
            ErrorType.OUT_OF_MEMORY,
            f"The launcher ran out of memory (snakemake.memory_gib of the stage): {why}",
            is_stages=True,
        )
    if _NO_IMAGE in why:
        return Outcome(
            ErrorType.IMAGE_PULL,
            f"The launcher's image could not be pulled (snakemake.image of the stage): {why}",
            is_stages=True,
        )
    if task.exit_code is None:
        never = task.stop_code == "TaskFailedToStart"
        error = ErrorType.NEVER_STARTED if never else ErrorType.STOPPED
        return Outcome(error, f"The launcher {'did not start' if never else 'was stopped'}: {why}")
    if task.exit_code == LauncherExit.WRONG_RUN_SHEET:
        return Outcome(ErrorType.PLATFORM, "The launcher could not use its run sheet; its log says why.")
    if task.exit_code in (LauncherExit.CANCELLED, _KILLED) or task.stop_code == "UserInitiated":
        return Outcome(ErrorType.STOPPED, f"The launcher was stopped: {task.stopped_reason or why}")
    return Outcome(
        ErrorType.APPLICATION_ERROR, f"The launcher ended with exit code {task.exit_code}; its log says why ({why})."
    )


def written_outcome(launch_id: str, attempt: int, results_bucket: str) -> dict[str, Any] | None:
    """Return the launcher's own record from S3, or None."""
    client: S3Client = aws.client("s3")
    key = launcher_prefix(launch_id) + launcher_outcome(attempt)
    try:
        body = client.get_object(Bucket=results_bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    try:
        written = json.loads(body)
    except ValueError:
        return None
    return written if isinstance(written, dict) else None
