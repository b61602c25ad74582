"""Where jobs run, as Batch tells of it: the container instance of each attempt."""

from typing import Protocol

from localcloud.batch.job import Job


class Hosts(Protocol):
    """Gives jobs an instance. Calls come from several threads; `place` holds up the scheduler and must be quick."""

    def place(self, job: Job) -> str:
        """ARN of the container instance on which the job's next attempt runs."""

    def release(self, job: Job, container_instance_arn: str, *, lost: bool) -> None:
        """The attempt has ended; `lost`: its Spot instance was taken back."""


class ThisMachine:
    """One container instance for everything."""

    def __init__(self, ecs_arn_prefix: str) -> None:
        self._arn = f"{ecs_arn_prefix}:container-instance/localcloud/host"

    def place(self, job: Job) -> str:  # noqa: ARG002 - as Hosts says
        """Always the same."""
        return self._arn

    def release(self, job: Job, container_instance_arn: str, *, lost: bool) -> None:
        """Nothing to do."""
