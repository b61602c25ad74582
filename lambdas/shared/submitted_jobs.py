"""The jobs of a Snakemake launch at Tibanna, from its launcher's list in S3 (docs/architecture/launcher.md).

A launcher's user may write the list, too: a job of another run in it is passed over."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genolaunch.contract.launcher import LAUNCHER_FOLDER, launcher_jobs
from genolaunch.contract.project import run_name
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.tibanna import tibanna_jobs_start
from genolaunch.shared import aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A submission of a job to the engine."""

    id: str
    """The engine's."""
    name: str
    """The engine's: of its execution, or of its Batch job."""
    is_done: bool
    """It succeeded."""


def submitted_jobs(results_bucket: str, launch_id: str, attempt: int) -> list[SubmittedJob]:
    """Every job that an attempt submitted, in order; none of the local rules, which run in the launcher."""
    client: S3Client = aws.client("s3")
    key = f"{RESULTS_PREFIX}{launch_id}/{LAUNCHER_FOLDER}{launcher_jobs(attempt)}"
    try:
        body = client.get_object(Bucket=results_bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return []
    start = tibanna_jobs_start(run_name(launch_id, attempt))
    return [
        SubmittedJob(job["id"], job["name"], job.get("status") == "DONE")
        for job in json.loads(body)["jobs"]
        if str(job["id"]).startswith(start)
    ]
