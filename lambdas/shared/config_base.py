"""What the launch configs of all workflows share: the building blocks of their models, and the keys at the top."""

import json
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from contract.compute import Priority
from contract.launch import BudgetAction
from contract.restore import RetrievalTier
from contract.workflow import Workflow

_LONGEST_PATH: Final = 900
"""Characters: an S3 key may have 1,024 bytes, of which the data set's folder takes its part."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
NAME_IN_WORDS: Final = {
    _NAME: (
        "must be up to 63 letters, digits and . _ - with a letter or digit first",
        "Shorten it, and write - for other characters.",
    ),
}
"""What the pattern of a name asks for, to read on from the key, and the remedy."""

PATH_SEGMENT: Final = re.compile(r"[A-Za-z0-9._+=@,~-]+")
S3_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def plain_fault(problem: str, remedy: str) -> PydanticCustomError:
    """A fault in plain words, which config_reader hands on as it is."""
    return PydanticCustomError("plain_fault", "{problem}", {"problem": problem, "remedy": remedy})


def check_relative_path(path: str) -> str:
    """The path, if it leads down from a folder and S3, file systems and commands take it as it is."""
    if path.startswith(("/", "s3://")):
        raise plain_fault(
            f"must be a path below data, not an absolute one; you gave {path!r}",
            "Write only what follows the folder that `data` names.",
        )
    for segment in path.split("/"):
        if segment in (".", ".."):
            raise plain_fault(
                f"must not contain {segment!r} as a folder; you gave {path!r}",
                "Write the path down from `data`; what lies elsewhere has to be copied below it.",
            )
        if not PATH_SEGMENT.fullmatch(segment):
            raise plain_fault(
                f"is not a path; you gave {path!r}",
                "A path is made of letters, digits and . _ + = @ , ~ - with single slashes between its parts.",
            )
    return path


def fault_at(key: str, fault: PydanticCustomError, value: object) -> ValidationError:
    """A fault of one key, found by the section that it belongs to."""
    return ValidationError.from_exception_data("section", [InitErrorDetails(type=fault, loc=(key,), input=value)])


def _normalise_data(data: str) -> str:
    data = data.removesuffix("/")
    if not data.startswith("s3://"):
        if data.startswith("/"):
            raise plain_fault(
                f"is a folder of the data bucket, and no folder of a machine; you gave {data!r}",
                "Write the folder as it is to be called there, such as my-cohort/; `genolaunch submit "
                "--data-dir FOLDER` uploads a folder to it.",
            )
        return check_relative_path(data) + "/"
    bucket, _, prefix = data.removeprefix("s3://").partition("/")
    if not S3_BUCKET.fullmatch(f"s3://{bucket}"):
        raise plain_fault(f"names no valid bucket; you gave {data!r}", "An S3 URL is s3://BUCKET/FOLDER/.")
    if prefix:
        check_relative_path(prefix)
    return data + "/"


RelativePath = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(check_relative_path)]
"""Path below the launch's data: no leading slash, no `..`."""
Count = Annotated[int, Field(strict=True, ge=1)]
Flag = Annotated[bool, Field(strict=True)]


class Section(BaseModel):
    """A mapping of the config: unknown keys are faults, and every fault of it is found in one pass."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class RestoreSection(Section):
    """Restore of archived inputs."""

    tier: RetrievalTier | None = None
    """Bulk (5 to 12 hours, deep archives 48), Standard (3 to 5 hours, deep archives 12) or Expedited (minutes, and
    dear; deep archives take Standard). By default Bulk where all is in Flexible Retrieval, which is free; else the
    stage's `restore.mixed_tier`."""
    days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None
    """How many days the restored copies are kept: longer than the launch reads them. By default the stage's
    `restore.days`."""


class BudgetSection(Section):
    """What the launch may cost."""

    limit: Annotated[float, Field(strict=True, gt=0)]
    """What it may cost, all attempts together."""
    currency: Literal["USD"] = "USD"
    """The one in which AWS quotes its prices."""
    action: BudgetAction = BudgetAction.HOLD
    """hold: a launch that is expected to cost more is HELD until a person approves it (`genolaunch approve`; it may
    then cost the upper end of its range), and one that has cost more while it runs is cancelled within some ten
    minutes, with its data kept for `genolaunch retry`. warn: it goes on, and people are told once."""


class LaunchSection(Section):
    """What every launch config has, whatever it runs."""

    name: Annotated[str, Field(pattern=_NAME)]
    """Name of the launch: up to 63 letters, digits and . _ - with a letter or digit first."""
    workflow: Workflow
    """What to run: regenie or snakemake."""
    priority: Priority = Priority.LOW
    """Which queue its jobs take (Tibanna's have none)."""
    data: Annotated[str, AfterValidator(_normalise_data)]
    """The data set: s3://BUCKET/FOLDER/, or a folder of the stage's data bucket."""

    restore: RestoreSection | None = None
    """How inputs are restored that are archived in S3 Glacier; without it, as cheaply as is sensible."""

    budget: BudgetSection | None = None
    """What becomes of a launch that is dear; without it, nothing does."""

    def data_uri(self, data_bucket: str) -> str:
        """The data set as an s3:// URL that ends with a slash."""
        return self.data if self.data.startswith("s3://") else f"s3://{data_bucket}/{self.data}"

    def as_json(self) -> str:
        """The config with every default filled in: equal configs give equal text, and reading it gives it again."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True, separators=(",", ":"))
