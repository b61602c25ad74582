"""What Batch tells EventBridge of a job: the job as DescribeJobs shows it, but for its tags."""

from typing import Any, Final

from localcloud.batch.job import Job, describe_job

STATE_CHANGE: Final = "Batch Job State Change"
QUEUE_BLOCKED: Final = "Batch Job Queue Blocked"


def state_change(job: Job) -> dict[str, Any]:
    """The job is in another state. Of tags there is only whose they are (AWS Batch user guide, "Job state change
    events")."""
    return {
        "detail-type": STATE_CHANGE,
        "resources": [job.arn],
        "detail": {**describe_job(job), "tags": {"resourceArn": job.arn}},
    }


def queue_blocked(job: Job) -> dict[str, Any]:
    """The job cannot start, nor can those behind it. It has no tags (AWS Batch user guide, "Job queue blocked
    events")."""
    return {
        "detail-type": QUEUE_BLOCKED,
        "resources": [job.arn, job.spec.queue_arn],
        "detail": {name: value for name, value in describe_job(job).items() if name != "tags"},
    }
