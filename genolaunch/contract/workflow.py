"""What a launch runs, and the phases of its jobs."""

from enum import StrEnum
from typing import Final


class Workflow(StrEnum):
    """What a launch runs; one state machine each."""

    REGENIE = "regenie"
    SNAKEMAKE = "snakemake"


FETCH_PHASE: Final = "fetch"
STORE_PHASE: Final = "store"
END_PHASE: Final = "end"
"""What the state machine **slurm** does on a cluster besides a launch's jobs: bring the inputs, take the results to S3,
and leave nothing."""

RESOURCE_PHASES: Final = ("small", "step1", "level0", "level1", "step2", "merge")
"""Kinds of regenie's jobs that have resources of their own (`regenie.resources` of a launch config)."""


class SnakemakeEngine(StrEnum):
    """What runs the jobs of a Snakemake launch."""

    TIBANNA = "tibanna"
    AWS_BATCH = "aws-batch"
