"""Step Functions' error, in the words of genolaunch.contract.errors.ErrorType, when no job failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genolaunch.contract.errors import ErrorType
from lambdas.shared.nested_errors import innermost

_TYPES: Final[Mapping[str, ErrorType]] = {
    **{error_type.value: error_type for error_type in ErrorType},
    "States.Timeout": ErrorType.TIMED_OUT,
}
_WITHOUT_JOBS: Final[Mapping[str, ErrorType]] = {
    "Plan": ErrorType.PLATFORM,
    "File system": ErrorType.FILE_SYSTEM,
    "Data links": ErrorType.FILE_SYSTEM,
    "Job definition": ErrorType.PLATFORM,
    "Inputs": ErrorType.PLATFORM,
    "Export": ErrorType.EXPORT,
}
"""Steps that run no job of the launch's author -> what it is when one takes too long: no matter of theirs."""
_FSX_PREFIX: Final = "fsx."
"""Of the names of Amazon FSx's errors in Step Functions (FSx.BadRequestException)."""


@dataclass(frozen=True, slots=True)
class WorkflowError:
    """What ended the workflow, for people."""

    type: ErrorType
    message: str
    about_jobs: str | None = None
    """Of failed jobs, whose last words the message quotes: what may be told of them anywhere."""

    @property
    def public(self) -> str:
        """What may be told anywhere: what Step Functions said of a step, it has told anyhow."""
        return self.message if self.about_jobs is None else self.about_jobs

    @classmethod
    def of_step(cls, error: Mapping[str, str], step: str) -> "WorkflowError":
        """From `{Error, Cause}` and the name of the state it came from ("Export: check")."""
        name, cause = innermost(str(error.get("Error") or ""), str(error.get("Cause") or ""))
        group = step.partition(":")[0]
        error_type = _type(name, group)
        if cause and name in _TYPES:
            return cls(error_type, cause)
        if error_type is ErrorType.TIMED_OUT:
            return cls(_WITHOUT_JOBS.get(group, error_type), f"The step {group} exceeded its time limit.")
        return cls(
            error_type, f"The step {group} failed: {cause or 'no reason was given'} ({name or 'unnamed error'})."
        )


def _type(name: str, group: str) -> ErrorType:
    if name in _TYPES:
        return _TYPES[name]
    if name.casefold().startswith(_FSX_PREFIX):
        return ErrorType.EXPORT if group == "Export" else ErrorType.FILE_SYSTEM
    return ErrorType.PLATFORM
