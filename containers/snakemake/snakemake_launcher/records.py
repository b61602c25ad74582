"""What the launcher writes into the platform's tables. Names are those of the platform's contract.py."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.engines import Failure
from snakemake_launcher.jobs import Job, Jobs
from snakemake_launcher.settings import Settings


def job_name(run_name: str, job: Job) -> str:
    """A submission's name for people and in the task table: it begins with the run's, as all names of a launch do."""
    return f"{run_name}-{job.rule}-{job.id or job.key}"


class Records:
    """Progress on the launch's item, failed jobs in the task table.

    They are for people who look: when a table does not take one, the workflow goes on.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        dynamodb = boto3.resource("dynamodb")
        self._launches = dynamodb.Table(settings.launch_table)
        self._tasks = dynamodb.Table(settings.task_table)
        self._written: dict[str, int] = {}

    def progress(self, jobs: Jobs) -> None:
        """Put the counts on the launch, if they are new and the launch is still at this attempt."""
        if jobs.counts == self._written:
            return
        self._written = jobs.counts
        try:
            self._launches.update_item(
                Key={"launchId": self._settings.launch_id},
                UpdateExpression="SET #progress = :progress",
                ConditionExpression="#attempt = :attempt",
                ExpressionAttributeNames={"#progress": "progress", "#attempt": "attempt"},
                ExpressionAttributeValues={":progress": jobs.counts, ":attempt": self._settings.attempt},
            )
        except (BotoCoreError, ClientError) as error:
            warn(f"progress was not recorded: {error}")

    def failed(self, job: Job, failure: Failure) -> None:
        """Put a failed submission's item; the same submission always has the same one."""
        name = job_name(self._settings.run_name, job)
        item: dict[str, Any] = {
            "launchId": self._settings.launch_id,
            "taskId": f"job#{name}#0",
            "status": job.status,
            "errorType": failure.error_type,
            "reason": failure.reason,
            "exitCode": failure.exit_code,
            "attempts": job.submission,
            "logGroup": failure.log_group,
            "logStream": failure.log_stream,
            "logTail": failure.log_tail or None,
            "jobId": job.id or None,
            "jobName": name,
            "updatedAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        try:
            self._tasks.put_item(Item={key: value for key, value in item.items() if value is not None})
        except (BotoCoreError, ClientError) as error:
            warn(f"the failure of {job.label} was not recorded: {error}")


def warn(sentence: str) -> None:
    """Into the launcher's log."""
    sys.stderr.write(json.dumps({"level": "WARNING", "message": sentence}) + "\n")
