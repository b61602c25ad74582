"""The launch config of `workflow: snakemake`."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launch_bucket import SNAKEFILE_NAME
from genolaunch.contract.workflow import SnakemakeEngine, Workflow
from genolaunch.launch_configs.config_base import (
    S3_BUCKET,
    Count,
    Flag,
    LaunchSection,
    PatternsInWords,
    Section,
    check_relative_path,
    fault_at,
    plain_fault,
)

_TARGET = r"^[A-Za-z0-9_.][A-Za-z0-9_./+=@,~-]*$"
"""The name of a rule or a path; `-x` would be an option of Snakemake."""
_IMAGE = r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$"
_PATTERNS_IN_WORDS: Final = {
    _TARGET: (
        "must be the name of a rule or the path of a file",
        "Paths are below `data`, and are made of letters, digits and . _ / + = @ , ~ -.",
    ),
    _IMAGE: ("must be the name of a container image", "Write REGISTRY/REPOSITORY:TAG, as `docker pull` takes it."),
}
"""Pattern of a value -> (problem, remedy). The problem continues a sentence that begins with the key."""

_CONFIG_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def _normalise_snakefile(snakefile: str) -> str:
    """Check the path of the Snakefile. It must be in a folder, because the whole folder is the workflow's sources."""
    bucket, key = "", snakefile
    if snakefile.startswith("s3://"):
        bucket, _, key = snakefile.removeprefix("s3://").partition("/")
        if not S3_BUCKET.fullmatch(f"s3://{bucket}"):
            raise plain_fault(
                f"names no valid bucket; you gave {snakefile!r}", f"An S3 URL is s3://BUCKET/FOLDER/{SNAKEFILE_NAME}."
            )
    if "/" not in key.strip("/"):
        raise plain_fault(
            f"must be in a folder that holds only the workflow's sources; you gave {snakefile!r}",
            f"Write workflows/NAME/{SNAKEFILE_NAME}, or s3://BUCKET/FOLDER/{SNAKEFILE_NAME}.",
        )
    check_relative_path(key)
    return snakefile


def _check_values(values: object) -> object:
    """Check that the keys of Snakemake's `config` are words. config_bounds.py checks the values."""
    if isinstance(values, dict):
        wrong = [key for key in values if not (isinstance(key, str) and _CONFIG_KEY.fullmatch(key))]
        if wrong:
            raise plain_fault(
                f"has a key that is not a word: {wrong[0]!r}",
                "Begin it with a letter or _, and use letters, digits and . _ - after it.",
            )
    return values


RerunTrigger = Literal["mtime", "params", "input", "code", "software-env"]
"""The choices of `snakemake --help`, in 7.32.4 and 9.27.1."""
Target = Annotated[str, Field(pattern=_TARGET, max_length=500)]


class TibannaOptions(Section):
    """Options of the engine tibanna only."""

    behavior_on_capacity_limit: (
        Literal["retry_without_spot", "wait_and_retry", "other_instance_types", "fail"] | None
    ) = None
    """What to do when EC2 has no capacity. Default: retry_without_spot, or wait_and_retry if spot is false."""


class AwsBatchOptions(Section):
    """Options of the engine aws-batch only."""

    task_timeout_minutes: Annotated[Count, Field(le=20_160)] = 1440
    """Time limit of one attempt of a job, in minutes; at most 14 days."""


class SnakemakeParameters(Section):
    """A Snakemake workflow. Paths in it are below the launch's data, its working directory in S3."""

    snakefile: Annotated[str, Field(max_length=900), AfterValidator(_normalise_snakefile)]
    """The Snakefile: s3://BUCKET/FOLDER/Snakefile, or a path in the stage's launch bucket such as
    workflows/exome/Snakefile. Its folder is the workflow's sources (for PROJECT/workflow/Snakefile: PROJECT, with its
    config/). Sources have at most 1,000 files and 100 MiB, and contain no data."""
    targets: Annotated[list[Target], Field(max_length=500)] = Field(default_factory=list)
    """Rules or files to make. Default: the first rule."""
    config: Annotated[dict[str, Any], BeforeValidator(_check_values)] = Field(default_factory=dict)
    """Values of the workflow's `config`. They override the workflow's own config file."""
    spot: Flag = True
    """Whether to run jobs on Spot instances (cheaper; jobs may be interrupted and are then repeated)."""
    retries: Annotated[int, Field(strict=True, ge=0, le=10)] = 3
    """How often to retry a failed job (Snakemake's --retries)."""
    jobs: Annotated[Count, Field(le=500)] = 100
    """Most jobs that run at the same time (Snakemake's --jobs)."""
    rerun_triggers: Annotated[list[RerunTrigger], Field(min_length=1)] | None = None
    """Changes that make Snakemake create an existing file again (Snakemake's --rerun-triggers). Default: all of mtime,
    params, input, code, software-env; [mtime] compares modification times only."""
    cores: Annotated[Count, Field(le=192)] | None = None
    """Value of `workflow.cores` in the Snakefile (Snakemake's --cores). Without it, `threads: workflow.cores` fails."""
    container_image: Annotated[str, Field(pattern=_IMAGE, max_length=255)] | None = None
    """Container image of the jobs, which must contain what the rules' `conda:` environments name. Default: the stage's
    image, with the engine's version of Snakemake, cutadapt and pysam."""
    engine: SnakemakeEngine = SnakemakeEngine.TIBANNA
    """Engine that runs the jobs: tibanna (Snakemake 7 on EC2 instances) or aws-batch (Snakemake 9 on the stage's
    queues)."""
    tibanna: TibannaOptions | None = None
    """Options of the engine tibanna."""
    aws_batch: AwsBatchOptions | None = None
    """Options of the engine aws-batch."""

    @field_validator("tibanna", "aws_batch")
    @classmethod
    def _belongs_to_the_engine(cls, options: Section | None, info: ValidationInfo) -> Section | None:
        engine = info.data.get("engine")
        if options is not None and engine is not None and info.field_name != engine.replace("-", "_"):
            raise plain_fault(f"would be ignored, since the engine is {engine}", "Leave it out, or change `engine`.")
        return options

    @field_validator("tibanna")
    @classmethod
    def _has_spot_to_do_without(cls, options: TibannaOptions | None, info: ValidationInfo) -> TibannaOptions | None:
        if options and options.behavior_on_capacity_limit == "retry_without_spot" and info.data.get("spot") is False:
            fault = plain_fault("is retry_without_spot, but spot is false", "Leave it out, or choose wait_and_retry.")
            raise fault_at("behavior_on_capacity_limit", fault, options.behavior_on_capacity_limit)
        return options

    @model_validator(mode="after")
    def _fill_in_the_engines_options(self) -> Self:
        if self.engine is SnakemakeEngine.TIBANNA:
            options = self.tibanna or TibannaOptions()
            default: Literal["retry_without_spot", "wait_and_retry"] = (
                "retry_without_spot" if self.spot else "wait_and_retry"
            )
            options.behavior_on_capacity_limit = options.behavior_on_capacity_limit or default
            self.tibanna = options
        else:
            self.aws_batch = self.aws_batch or AwsBatchOptions()
        return self


def config_of_snakefile(name: str, snakefile: str) -> dict[str, Any]:
    """The launch config of a Snakefile that is dropped by itself: everything as by default.

    Args:
        name: of the folder in which it was dropped; its data is the folder of the data bucket that is called so.
        snakefile: its key in the launch bucket.
    """
    return {"name": name, "workflow": Workflow.SNAKEMAKE.value, "data": name, "snakemake": {"snakefile": snakefile}}


class SnakemakeLaunch(LaunchSection):
    """A launch of a Snakemake workflow."""

    patterns_in_words: ClassVar[PatternsInWords] = {**LaunchSection.patterns_in_words, **_PATTERNS_IN_WORDS}
    workflow: Literal[Workflow.SNAKEMAKE]
    """Workflow to run: snakemake."""
    snakemake: SnakemakeParameters
    """Parameters of the workflow."""

    @property
    def compute(self) -> ComputeService:
        """Where the jobs run."""
        return _COMPUTE[self.snakemake.engine, self.snakemake.spot]


_COMPUTE: Final = {
    (SnakemakeEngine.TIBANNA, True): ComputeService.EC2_SPOT,
    (SnakemakeEngine.TIBANNA, False): ComputeService.EC2_ON_DEMAND,
    (SnakemakeEngine.AWS_BATCH, True): ComputeService.BATCH_SPOT,
    (SnakemakeEngine.AWS_BATCH, False): ComputeService.BATCH_ON_DEMAND,
}
