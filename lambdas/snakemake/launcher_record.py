"""Reads a launcher's report of its run (LauncherRecord), which its user's program can forge: all of it is checked."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.project import run_name
from genolaunch.contract.tasks import JOB_TASK_PREFIX, TaskField

_MOST_JOBS: Final = 10**9

_Count = Annotated[int, Field(ge=0, le=_MOST_JOBS)]
_Name = Annotated[str, Field(min_length=1, max_length=500)]  # in a sort key, of which DynamoDB takes 1,024 bytes
_Sentence = Annotated[str, Field(max_length=4_000)]
_Tail = Annotated[str, Field(max_length=100_000)]  # an item of DynamoDB has 400 KB


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, strict=True)


class Progress(_Said):
    """How many jobs of the workflow there are, are done, and failed for good."""

    done: _Count
    total: _Count
    failed: _Count


class FailedJob(_Said):
    """A failed submission of a job."""

    job_name: _Name
    status: Literal["FAILED", "RESUBMITTED"]  # genolaunch.contract.tasks.TASK_FAILED, TASK_RESUBMITTED
    error_type: ErrorType = Field(strict=False)
    reason: _Sentence
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    attempts: Annotated[int, Field(ge=1, le=1000)]
    log_group: _Name | None = None
    log_stream: _Name | None = None
    log_tail: _Tail | None = None
    job_id: _Name | None = None


class LauncherRecord(_Said):
    """One message."""

    launch_id: _Name
    attempt: Annotated[int, Field(ge=1)]
    at: Annotated[int, Field(ge=0, lt=10**15)]
    """Milliseconds since 1970, by the launcher's clock."""
    progress: Progress | None = None
    job: FailedJob | None = None

    @property
    def item(self) -> dict[str, Any] | None:
        """The failed job's item of the task table; None if there is none, or it is no job of this attempt."""
        name = run_name(self.launch_id, self.attempt)
        if self.job is None or not self.job.job_name.startswith(f"{name}-"):
            return None
        said: dict[str, JsonValue] = self.job.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {
            **said,
            TaskField.LAUNCH_ID: self.launch_id,
            TaskField.TASK_ID: f"{JOB_TASK_PREFIX}{self.job.job_name}#0",
        }
