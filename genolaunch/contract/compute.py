"""Where a launch runs: compute services and job queues."""

from enum import StrEnum
from typing import Final

MOST_ARRAY_JOBS: Final = 10_000
"""Jobs of one AWS Batch array (AWS Batch service quotas)."""


class ComputeService(StrEnum):
    """Where a launch runs."""

    BATCH_SPOT = "batch-spot"
    BATCH_ON_DEMAND = "batch-on-demand"
    EC2_SPOT = "ec2-spot"  # instances of Tibanna
    EC2_ON_DEMAND = "ec2-on-demand"
    PARALLELCLUSTER = "parallelcluster"


class Priority(StrEnum):
    """Which of the queues of a place a launch's jobs take."""

    HIGH = "high"
    LOW = "low"


SNAKEMAKE_JOBS: Final = "snakemake"
"""In names of queues and compute environments, where others have a zone: jobs of Snakemake launches run in any."""


def job_queue_name(start: str, place: str, compute: ComputeService, priority: Priority) -> str:
    """Name of a job queue. `start`: the stage's prefix, or an ARN up to it; `place`: a zone, or SNAKEMAKE_JOBS."""
    return f"{start}-{place}-{compute}-{priority}"


MINUTES_ON_REPLACED_HOSTS: Final = 60
"""That jobs may still run on a Batch host which a deployment replaces: CloudFormation waits for them. A job that is
ended for it is tried again, as one whose Spot instance is taken back."""
