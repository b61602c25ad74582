"""Parts of the launch config that all workflows share: types of values, and the keys at the top."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from genolaunch.contract.compute import ComputeService, Priority
from genolaunch.contract.launch import BudgetAction
from genolaunch.contract.restore import RetrievalTier
from genolaunch.contract.workflow import Workflow

_LONGEST_PATH: Final = 900
"""Characters. An S3 key may have 1,024 bytes, and the data set's folder needs some of them."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
PatternsInWords = Mapping[str, tuple[str, str]]
"""Pattern -> what it asks for, to read on from the key, and the remedy."""
_NAME_IN_WORDS: Final = {
    _NAME: (
        "must be up to 63 letters, digits and . _ - with a letter or digit first",
        "Shorten it, and write - for other characters.",
    ),
}
"""Pattern of a name -> (problem, remedy). The problem continues a sentence that begins with the key."""

PATH_SEGMENT: Final = re.compile(r"[A-Za-z0-9._+=@,~-]+")
S3_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def plain_fault(problem: str, remedy: str) -> PydanticCustomError:
    """Make a fault whose text config_reader shows unchanged."""
    return PydanticCustomError("plain_fault", "{problem}", {"problem": problem, "remedy": remedy})


def check_relative_path(path: str) -> str:
    """Return the path, if it stays below its folder and works unquoted in S3, file systems and commands.

    Raises:
        PydanticCustomError: If it is absolute, contains `.` or `..`, or has a character that is not allowed.
    """
    if path.startswith(("/", "s3://")):
        raise plain_fault(
            f"must be a path below data, not an absolute one; you gave {path!r}",
            "Write only what follows the folder that `data` names.",
        )
    for segment in path.split("/"):
        if segment in (".", ".."):
            raise plain_fault(
                f"must not contain {segment!r} as a folder; you gave {path!r}",
                "Write the path from `data` downwards; copy files that are elsewhere below it.",
            )
        if not PATH_SEGMENT.fullmatch(segment):
            raise plain_fault(
                f"is not a path; you gave {path!r}",
                "A path has letters, digits and . _ + = @ , ~ - with single slashes between its parts: rename the file "
                "or folder in the data, and write its new name here.",
            )
    return path


def fault_at(key: str, fault: PydanticCustomError, value: object) -> ValidationError:
    """Make the fault of one key, when a check of its whole section has found it."""
    return ValidationError.from_exception_data("section", [InitErrorDetails(type=fault, loc=(key,), input=value)])


def _normalise_data(data: str) -> str:
    data = data.removesuffix("/")
    if not data.startswith("s3://"):
        if data.startswith("/"):
            raise plain_fault(
                f"must be a folder of the data bucket, not of your machine; you gave {data!r}",
                "Write the folder's name in the bucket, such as my-cohort/; `genolaunch submit "
                "--data-dir FOLDER` uploads a local folder to it.",
            )
        return check_relative_path(data) + "/"
    bucket, _, prefix = data.removeprefix("s3://").partition("/")
    if not S3_BUCKET.fullmatch(f"s3://{bucket}"):
        raise plain_fault(f"names no valid bucket; you gave {data!r}", "An S3 URL is s3://BUCKET/FOLDER/.")
    if prefix:
        check_relative_path(prefix)
    return data + "/"


RelativePath = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(check_relative_path)]
"""Path below the launch's data, without a leading slash and without `..`."""
Count = Annotated[int, Field(strict=True, ge=1)]
Flag = Annotated[bool, Field(strict=True)]


class Section(BaseModel):
    """A section of the config. Unknown keys are faults, and one pass finds every fault.

    What a key means is said below it (meanings.py).
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class RestoreSection(Section):
    """Restore of archived inputs."""

    tier: RetrievalTier | None = None
    """Speed of the restore: Bulk (5 to 12 hours; deep archives 48 hours), Standard (3 to 5 hours; deep archives 12
    hours) or Expedited (minutes, expensive; deep archives use Standard instead). Default: Bulk, which is free, if all
    inputs are in Flexible Retrieval; otherwise the stage's `restore.mixed_tier`."""
    days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None
    """Days to keep the restored copies. Choose more than the launch needs to read them. Default: the stage's
    `restore.days`."""


class BudgetSection(Section):
    """Budget limit of a launch."""

    limit: Annotated[float, Field(strict=True, gt=0)]
    """Most that the launch may cost, all attempts together."""
    currency: Literal["USD"] = "USD"
    """Currency of the limit: AWS quotes its prices in USD."""
    action: BudgetAction = BudgetAction.HOLD
    """What to do when the limit is exceeded. hold: a launch whose estimate is above the limit is HELD until a person
    approves it (`genolaunch approve`; it may then cost up to the upper end of the estimate), and a running launch that
    has cost more is cancelled within about ten minutes, with its data kept for `genolaunch retry`. warn: the launch
    continues, and one notice is sent."""


class LaunchSection(Section):
    """Keys of every launch config, for all workflows."""

    patterns_in_words: ClassVar[PatternsInWords] = _NAME_IN_WORDS
    """Of the patterns of all its keys."""

    if TYPE_CHECKING:

        @property
        def compute(self) -> ComputeService:
            """Where it runs: each workflow's model has this, as a key or worked out from others."""

    name: Annotated[str, Field(pattern=_NAME)]
    """Name of the launch: up to 63 letters, digits and . _ - with a letter or digit first."""
    workflow: Annotated[Workflow, Field(description=f"What to run: {' or '.join(Workflow)}.")]
    priority: Priority = Priority.LOW
    """Job queue: high or low priority. Has no effect on Tibanna's jobs, which use no queue."""
    data: Annotated[str, AfterValidator(_normalise_data)]
    """Folder of the data set: s3://BUCKET/FOLDER/, or a folder of the stage's data bucket."""

    restore: RestoreSection | None = None
    """How to restore inputs that are archived in S3 Glacier. Omit to use the defaults, which keep the fees low."""

    budget: BudgetSection | None = None
    """Budget limit, and the action when it is exceeded. Omit for no limit."""

    def data_uri(self, data_bucket: str) -> str:
        """The data set as an s3:// URL that ends with a slash."""
        return self.data if self.data.startswith("s3://") else f"s3://{data_bucket}/{self.data}"

    def as_json(self) -> str:
        """The config as JSON with every default filled in. Equal configs give equal text, and reading the text gives an
        equal config."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True, separators=(",", ":"))
