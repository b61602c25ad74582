"""Engine `aws-batch`: Snakemake 9, each job a job of AWS Batch in the stage's own queues."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.engines import Failure
from snakemake_launcher.engines.batch_jobs import is_too_large, log_tail
from snakemake_launcher.engines.job_log import command_status, more_memory, telling_line
from snakemake_launcher.engines.options import Options
from snakemake_launcher.jobs import Job
from snakemake_launcher.run_sheet import CONFIG_FILE, RunSheet, RunSheetError

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import JobDetailTypeDef

PYTHON_VARIABLE: Final = "SNAKEMAKE9_PYTHON"
"""In the launcher's image: the interpreter of the environment that Snakemake 9 has for itself."""

OPTIONS: Final = ("jobQueue", "jobDefinition", "shareIdentifier", "taskTimeoutSeconds", "jobLogGroup", "tags")
"""What the run sheet's `awsBatch` must have; `onDemandQueue` may be there too."""

_PACKAGE_ROOT: Final = str(Path(__file__).parents[2])

_REASONS: Final[Sequence[tuple[str, str]]] = (
    ("Host EC2", "SpotReclaimedError"),
    ("exceeded timeout", "TimedOutError"),
    ("OutOfMemory", "OutOfMemoryError"),
    ("CannotPull", "ImagePullError"),
    ("ResourceInitializationError", "PlatformError"),
    ("CannotCreateContainer", "ContainerStartError"),
    ("CannotStartContainer", "ContainerStartError"),
    ("CannotInspectContainer", "ContainerStartError"),
    ("DockerTimeoutError", "ContainerStartError"),
    ("Task failed to start", "ContainerStartError"),
    ("MISCONFIGURATION:", "JobNeverStartedError"),
    ("CAPACITY:", "JobNeverStartedError"),
    ("Given up by the platform", "JobNeverStartedError"),
)
"""Words in AWS Batch's reasons -> genolaunch.contract.errors.ErrorType, the first that applies. As for the platform's
other jobs (lambdas/regenie/failed_jobs.py); a test holds the two equal."""
_KILLED_EXIT_CODE: Final = 137
"""128 + SIGKILL: the kernel's answer to a container above its memory, when Batch gives no reason."""


def make(sheet: RunSheet) -> "AwsBatch":
    """The engine of a run. Raises RunSheetError when the run sheet's `awsBatch` lacks something."""
    missing = [key for key in OPTIONS if not sheet.engine_options.get(key)]
    if missing:
        raise RunSheetError(f"The run sheet's awsBatch lacks {', '.join(missing)}.")
    return AwsBatch(sheet)


class AwsBatch:
    """Snakemake's executor `genolaunch-batch`, with the workflow's files in S3."""

    def __init__(self, sheet: RunSheet) -> None:
        self._sheet = sheet
        self._options: Mapping[str, Any] = sheet.engine_options
        self._region: str = self._options["jobQueue"].split(":")[3]

    def command(self) -> Sequence[str]:
        """The command line of Snakemake (docs/architecture/launcher.md)."""
        sheet = self._sheet
        return [
            os.environ.get(PYTHON_VARIABLE, "python3"),
            *("-m", "snakemake_launcher.engines.snakemake9"),
            *("--snakefile", sheet.snakefile),
            *("--executor", "genolaunch-batch"),
            *self._executor_options(),
            *("--default-storage-provider", "s3"),
            *("--default-storage-prefix", f"s3://{sheet.remote_prefix}"),
            *("--storage-s3-region", self._region),
            *("--retries", str(sheet.retries)),
            *("--jobs", str(sheet.jobs)),
            *(("--cores", str(sheet.cores)) if sheet.cores else ()),
            *(("--rerun-triggers", *sheet.rerun_triggers) if sheet.rerun_triggers else ()),
            *(("--configfile", CONFIG_FILE) if sheet.config else ()),
            *("--logger", "genolaunch"),
            "--nocolor",
            *(("--", *sheet.targets) if sheet.targets else ()),
        ]

    def environment(self) -> Mapping[str, str]:
        """What Snakemake 9 needs to find: this package, its plugins, and the tools of local rules."""
        tools = str(Path(os.environ.get(PYTHON_VARIABLE, "")).parent)
        return {
            **Options.of(self._sheet).environment,
            "AWS_DEFAULT_REGION": self._region,
            # A submission that Batch does not take ends the workflow, and it takes 50 a second of the whole account.
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "10",
            "PATH": os.pathsep.join((tools, os.environ["PATH"])),
            "PYTHONPATH": _PACKAGE_ROOT,
        }

    def failure(self, job: Job) -> Failure:
        """By what Batch says of the job, and the end of its log."""
        if not job.id:
            return Failure("ApplicationError", "A local rule of the workflow failed; the launcher's log says why.")
        try:
            detail = boto3.client("batch", region_name=self._region).describe_jobs(jobs=[job.id])["jobs"][0]
        except (BotoCoreError, ClientError, IndexError) as error:
            return Failure("PlatformError", f"How the job {job.id} ended cannot be told: {error!r}")
        container = detail.get("container", {})
        stream = container.get("logStreamName")
        tail = self._log_tail(stream) if stream else ""
        reasons = "; ".join(filter(None, [container.get("reason"), detail.get("statusReason")]))
        if is_too_large(detail):
            reasons = f"it asks for more than the stage's instances have: lower its threads or mem_mb ({reasons})"
        error_type = classify(detail)
        reason = (telling_line(tail) if error_type == "ApplicationError" else "") or reasons or "It gave no reason."
        if error_type == "OutOfMemoryError":
            asked = [each["value"] for each in container.get("resourceRequirements", ()) if each["type"] == "MEMORY"]
            had = f" It had {int(asked[0]):,} MiB." if asked else ""
            reason = f"{reason.rstrip('.')}.{had} {more_memory(job.rule)}"
        return Failure(
            error_type=error_type,
            reason=reason,
            exit_code=container.get("exitCode") if (status := command_status(tail)) is None else status,
            log_group=self._options["jobLogGroup"] if stream else None,
            log_stream=stream,
            log_tail=tail,
        )

    def stop(self, jobs: Sequence[Job]) -> None:
        """End what Snakemake could not: it was killed, or Batch was throttling. An ended job takes no harm."""
        batch = boto3.client("batch", region_name=self._region)
        for job in jobs:
            if job.id:
                batch.terminate_job(jobId=job.id, reason="The launch ended.")

    def _executor_options(self) -> Sequence[str]:
        options = {
            "region": self._region,
            "job-queue": self._options["jobQueue"],
            "on-demand-queue": self._options.get("onDemandQueue"),
            "job-definition": self._options["jobDefinition"],
            "share-identifier": self._options["shareIdentifier"],
            "run-name": self._sheet.run_name,
            "task-timeout": self._options["taskTimeoutSeconds"],
            "tags": ",".join(f"{key}={value}" for key, value in self._options["tags"].items()),
        }
        return [word for name, value in options.items() if value for word in (f"--genolaunch-batch-{name}", str(value))]

    def _log_tail(self, stream: str) -> str:
        try:
            return log_tail(self._options["jobLogGroup"], stream, region=self._region)
        except (BotoCoreError, ClientError):
            return ""  # the container never came so far


def classify(detail: "JobDetailTypeDef") -> str:
    """The genolaunch.contract.errors.ErrorType of a failed job, by what DescribeJobs says of it."""
    container = detail.get("container", {})
    reasons = (container.get("reason", ""), detail.get("statusReason", ""))
    for words, error_type in _REASONS:
        if any(words in reason for reason in reasons):
            return error_type
    if detail.get("isTerminated") or detail.get("isCancelled"):
        return "StoppedError"
    return "OutOfMemoryError" if container.get("exitCode") == _KILLED_EXIT_CODE else "ApplicationError"
