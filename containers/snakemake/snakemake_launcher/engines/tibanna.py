"""Engine `tibanna`: Snakemake 7, each job on an EC2 instance of its own that Tibanna's state machine starts."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.engines import Failure
from snakemake_launcher.engines.job_log import command_status, telling_line
from snakemake_launcher.engines.options import Options
from snakemake_launcher.jobs import Job
from snakemake_launcher.run_sheet import CONFIG_FILE, RunSheet, RunSheetError

OPTIONS: Final = ("stateMachineArn", "logBucket", "behaviorOnCapacityLimit", "token")
"""What the run sheet's `tibanna` must have."""

RUN_NAME_KEY: Final = "genolaunch_run"
"""In the `config` of each execution's input: the name of the run that it belongs to. Tibanna hands it on unread, to
`<job id>.run.json` too."""
TOKEN_KEY: Final = "genolaunch_token"  # noqa: S105 - the name of a key
"""In the same place: the token by which Tibanna's state machine recognises the launch, and gives the instance its
role."""

_TAIL_BYTES: Final = 8192
_TAIL_LINES: Final = 50
_WATCH_SECONDS: Final = 15.0
"""Seconds to watch for an instance that a function was about to start when its execution was stopped."""
_WATCH_EVERY: Final = 1.0
_FILTER_VALUES: Final = 200
"""The most values that one filter of DescribeInstances takes."""

_ERRORS: Final[Mapping[str, str]] = {
    "AWSEMJobErrorException": "ApplicationError",
    "EC2InstanceLimitException": "JobNeverStartedError",
    "EC2InstanceLimitWaitException": "JobNeverStartedError",
    "EC2IdleException": "JobNeverStartedError",
    "JobAbortedException": "StoppedError",
    "States.Timeout": "TimedOutError",
}
"""The error of a failed execution -> genolaunch.contract.errors.ErrorType; PlatformError otherwise."""

_NOT_RUNNING: Final = frozenset({"ExecutionDoesNotExist", "ValidationException"})
"""StopExecution's refusals for an execution that was never started, or has ended."""

_LOST_INSTANCE: Final = "EC2UnintendedTerminationException"


def make(sheet: RunSheet) -> "Tibanna":
    """The engine of a run. Raises RunSheetError when the run sheet's `tibanna` lacks something."""
    missing = [key for key in OPTIONS if not sheet.engine_options.get(key)]
    if missing:
        raise RunSheetError(f"The run sheet's tibanna lacks {', '.join(missing)}.")
    return Tibanna(sheet)


class Tibanna:
    """Snakemake's --tibanna on the stage's unicorn."""

    def __init__(self, sheet: RunSheet) -> None:
        self._sheet = sheet
        self._machine: str = sheet.engine_options["stateMachineArn"]
        self._bucket: str = sheet.engine_options["logBucket"]

    def command(self) -> Sequence[str]:
        """The command line of Snakemake (docs/architecture/launcher.md)."""
        sheet = self._sheet
        config = {
            "spot_instance": str(sheet.spot).lower(),
            "behavior_on_capacity_limit": sheet.engine_options["behaviorOnCapacityLimit"],
            "log_bucket": self._bucket,
            RUN_NAME_KEY: sheet.run_name,
            TOKEN_KEY: sheet.engine_options["token"],
        }
        return [
            sys.executable,
            *("-m", "snakemake_launcher.engines.snakemake7"),
            *("--snakefile", sheet.snakefile),
            "--tibanna",
            *("--tibanna-sfn", self._machine.rpartition(":")[2]),
            *("--tibanna-config", *(f"{key}={value}" for key, value in config.items())),
            *("--default-remote-prefix", sheet.remote_prefix),
            *("--container-image", sheet.container_image),
            *("--retries", str(sheet.retries)),
            *("--jobs", str(sheet.jobs)),
            *(("--cores", str(sheet.cores)) if sheet.cores else ()),
            *(("--rerun-triggers", *sheet.rerun_triggers) if sheet.rerun_triggers else ()),
            *(("--configfile", CONFIG_FILE) if sheet.config else ()),
            "--nocolor",
            *(("--", *sheet.targets) if sheet.targets else ()),
        ]

    def environment(self) -> Mapping[str, str]:
        """What Tibanna's client reads."""
        region, account = self._machine.split(":")[3:5]
        return {
            **Options.of(self._sheet).environment,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCOUNT_NUMBER": account,  # without it the client asks STS at each import
            "TIBANNA_DEFAULT_STEP_FUNCTION_NAME": self._machine.rpartition(":")[2],
            # Every launcher asks for each of its jobs, and the account has some 15 such calls a second (AWS Step
            # Functions quotas, DescribeExecution): one that is refused ends the workflow.
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "30",  # with pauses of at most 20 s each, some five minutes
            # The child runs this package's own program, in a folder of its own.
            "PYTHONPATH": os.pathsep.join(filter(None, [_PACKAGE_ROOT, os.environ.get("PYTHONPATH", "")])),
        }

    def failure(self, job: Job) -> Failure:
        """By the error of the job's execution, and the log that its instance left."""
        if not job.id:
            return Failure("ApplicationError", "A local rule of the workflow failed; the launcher's log says why.")
        error, cause = self._error(job)
        tail = self._log_tail(job)
        error_type = _ERRORS.get(error, "PlatformError")
        if error == _LOST_INSTANCE:
            error_type = "SpotReclaimedError" if self._has(f"{job.id}.spot_failure") else "PlatformError"
        reason = telling_line(tail) if error_type == "ApplicationError" and tail else cause
        return Failure(
            error_type=error_type,
            reason=reason or error,
            exit_code=command_status(tail),
            log_stream=f"s3://{self._bucket}/{job.id}.log" if tail else None,
            log_tail=tail,
        )

    def stop(self, jobs: Sequence[Job]) -> None:
        """Stop the jobs' executions, then the instances that they have or are just getting.

        Snakemake cancels by itself, but loses jobs whose instance is not there yet, and those it is asking about.
        """
        submitted = {job.id: job for job in jobs if job.id}
        states = boto3.client("stepfunctions")
        for job in submitted.values():
            try:
                states.stop_execution(executionArn=self._execution(job), error="Aborted", cause="The launch ended.")
            except ClientError as error:
                if error.response["Error"]["Code"] not in _NOT_RUNNING:
                    raise
        until = time.monotonic() + _WATCH_SECONDS
        while submitted:
            for job_id in self._terminate_instances(list(submitted)):
                del submitted[job_id]
            if time.monotonic() > until:
                return
            time.sleep(_WATCH_EVERY)

    def _terminate_instances(self, job_ids: Sequence[str]) -> list[str]:
        """Answers the jobs whose instance was found (an ended one too: it had its turn)."""
        ec2 = boto3.client("ec2")
        found: list[str] = []
        for start in range(0, len(job_ids), _FILTER_VALUES):
            names = [f"awsem-{job_id}" for job_id in job_ids[start : start + _FILTER_VALUES]]
            pages = ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": "tag:Name", "Values": names}])
            instances = [
                instance for page in pages for group in page["Reservations"] for instance in group["Instances"]
            ]
            alive = [each["InstanceId"] for each in instances if each["State"]["Name"] in ("pending", "running")]
            if alive:
                ec2.terminate_instances(InstanceIds=alive)
            found += [_tag(instance, "Name").removeprefix("awsem-") for instance in instances]
        return list(dict.fromkeys(found))

    def _execution(self, job: Job) -> str:
        return f"{self._machine.replace(':stateMachine:', ':execution:')}:{job.name}"

    def _error(self, job: Job) -> tuple[str, str]:
        try:
            execution = boto3.client("stepfunctions").describe_execution(executionArn=self._execution(job))
        except (BotoCoreError, ClientError) as error:
            return "PlatformError", f"How the job {job.id} ended cannot be told: {error}"
        if execution["status"] == "TIMED_OUT":
            return "States.Timeout", "It ran longer than a job may."
        return execution.get("error", execution["status"]), _message(execution.get("cause", ""))

    def _log_tail(self, job: Job) -> str:
        try:
            answer = boto3.client("s3").get_object(
                Bucket=self._bucket, Key=f"{job.id}.log", Range=f"bytes=-{_TAIL_BYTES}"
            )
        except (BotoCoreError, ClientError):
            return ""  # the instance never came so far
        text: str = answer["Body"].read().decode(errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _has(self, key: str) -> bool:
        try:
            boto3.client("s3").head_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError):
            return False
        return True


_PACKAGE_ROOT: Final = str(Path(__file__).parents[2])


def _message(cause: str) -> str:
    """A Lambda function's exception as it says it itself."""
    try:
        answer: Any = json.loads(cause)
    except ValueError:
        return cause
    return str(answer.get("errorMessage", cause)) if isinstance(answer, dict) else cause


def _tag(instance: Mapping[str, Any], key: str) -> str:
    return next((str(tag["Value"]) for tag in instance.get("Tags", []) if tag["Key"] == key), "")
