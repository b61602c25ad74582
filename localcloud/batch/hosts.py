"""The container instance on which each attempt of a job runs, as Batch reports it."""

from typing import Protocol

from localcloud.batch.job import Job


class Hosts(Protocol):
    """Gives jobs an instance. Several threads call it. `place` must be quick, since the scheduler waits for it."""

    def place(self, job: Job) -> str:
        """Return the ARN of the container instance on which the job's next attempt runs."""

    def release(self, job: Job, container_instance_arn: str, *, lost: bool) -> None:
        """Note that the attempt has ended; with `lost`, because EC2 took its Spot instance back."""


class ThisMachine:
    """One container instance on which all jobs run."""

    def __init__(self, ecs_arn_prefix: str) -> None:
        self._arn = f"{ecs_arn_prefix}:container-instance/localcloud/host"

    def place(self, job: Job) -> str:  # noqa: ARG002 - as Hosts says
        """Return the same instance for every job."""
        return self._arn

    def release(self, job: Job, container_instance_arn: str, *, lost: bool) -> None:
        """Nothing to do."""
