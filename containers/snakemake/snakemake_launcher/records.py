"""Reports the run to the platform, which writes it into its tables.

The workflow is its user's program and has the launcher's rights, so neither may write into tables. Names are those of
the platform's package `genolaunch.contract` (LauncherRecord, TaskField).
"""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.engines import Failure
from snakemake_launcher.jobs import Job, Jobs
from snakemake_launcher.settings import Settings

_LONGEST_REASON: Final = 4_000
_LONGEST_TAIL: Final = 100_000
"""Characters: what lambdas/snakemake/launcher_record.py takes."""


def job_name(run_name: str, job: Job) -> str:
    """A submission's name for people and in the task table: it begins with the run's, as all names of a launch do."""
    return f"{run_name}-{job.rule}-{job.id or job.key}"


class Records:
    """Progress of the launch, and its failed jobs.

    They are for people who look: when the queue does not take one, the workflow goes on.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sqs = boto3.client("sqs")
        self._told: dict[str, int] = {}

    def progress(self, jobs: Jobs) -> None:
        """Tell the counts, if they are new."""
        if jobs.counts == self._told:
            return
        self._told = jobs.counts
        self._tell({"progress": jobs.counts}, "progress was")

    def failed(self, job: Job, failure: Failure) -> None:
        """Tell of a failed submission; the same submission always has the same name."""
        item: dict[str, Any] = {
            "jobName": job_name(self._settings.run_name, job),
            "status": job.status,
            "errorType": failure.error_type,
            "reason": failure.reason[:_LONGEST_REASON],
            "exitCode": failure.exit_code,
            "attempts": job.submission,
            "logGroup": failure.log_group,
            "logStream": failure.log_stream,
            "logTail": failure.log_tail[-_LONGEST_TAIL:] or None,
            "jobId": job.id or None,
        }
        said = {key: value for key, value in item.items() if value is not None}
        self._tell({"job": said}, f"the failure of {job.label} was")

    def _tell(self, said: Mapping[str, Any], what: str) -> None:
        message = {
            "launchId": self._settings.launch_id,
            "attempt": self._settings.attempt,
            "at": time.time_ns() // 1_000_000,
            **said,
        }
        try:
            self._sqs.send_message(QueueUrl=self._settings.record_queue, MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError) as error:
            warn(f"{what} not recorded: {error}")


def warn(sentence: str) -> None:
    """Into the launcher's log."""
    sys.stderr.write(json.dumps({"level": "WARNING", "message": sentence}) + "\n")
