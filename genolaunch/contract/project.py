"""What everything of the project is named and tagged by."""

from typing import Final

PROJECT: Final = "genolaunch"

TAG_PROJECT: Final = "project"
TAG_STAGE: Final = "stage"
TAG_LAUNCH_ID: Final = "launchId"
TAG_ATTEMPT: Final = "attempt"
TAG_DEAD_LETTERS: Final = "dead-letters"
"""Of the queues that hold them, by which `genolaunch redrive` finds them all."""
TAG_WORKFLOW: Final = "workflow"
"""Of Snakemake's job definitions and jobs on Batch: a launcher runs its user's own code, and may touch these only."""


def run_name(launch_id: str, attempt: int) -> str:
    """Name shared by what one attempt of a launch creates: executions, jobs (as prefix), job definition, token."""
    return f"{launch_id}-{attempt}"
