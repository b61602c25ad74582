"""What jobs at Tibanna say of the launch that they are of."""

from typing import Final

TIBANNA_RUN_NAME: Final = "genolaunch_run"
"""In the `config` of a job's input for Tibanna, and so in its run.json: the run that the job is of."""


def tibanna_jobs_start(run: str) -> str:
    """How ids of Tibanna's jobs and names of their executions begin: what they make is the run's by that."""
    return f"{run}."


TIBANNA_TOKEN: Final = "genolaunch_token"  # noqa: S105 - the name of a key
"""In the `config` of a job's input for Tibanna: what the run sheet says, by which the unicorn knows the launch."""
