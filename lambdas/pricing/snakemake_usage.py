"""Usage of Snakemake launches only: the launcher's task on Fargate, and Tibanna's instances."""

from collections.abc import Mapping, Sequence
from typing import Final

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.usage import USAGE_TASK_PREFIX, UsageField
from genolaunch.shared import aws
from lambdas.pricing import ec2_lookup
from lambdas.pricing.events import fargate_fact
from lambdas.pricing.recorder import Recorder
from lambdas.pricing.usage import FargateUse
from lambdas.pricing.usage_table import AttemptUsage, UsageTable
from lambdas.shared.launch import Launch
from lambdas.shared.run_names import Owner
from lambdas.shared.submitted_jobs import SubmittedJob, submitted_jobs

_TIBANNAS: Final = frozenset({ComputeService.EC2_SPOT, ComputeService.EC2_ON_DEMAND})


class SnakemakeUsage:
    """Completes what events told of one attempt of a launch; does nothing for other launches."""

    def __init__(self, table: UsageTable, recorder: Recorder, results_bucket: str) -> None:
        self._table = table
        self._recorder = recorder
        self._results_bucket = results_bucket

    def complete(self, launch: Launch, owner: Owner, usage: AttemptUsage) -> bool:
        """Look up what is missing; whether anything was recorded."""
        found_task = self._add_tasks(launch, owner, usage.tasks)
        if launch.compute_service not in _TIBANNAS:
            return found_task
        jobs = submitted_jobs(self._results_bucket, owner.launch_id, owner.attempt)
        return self._add_instances(owner, jobs, usage.exclusive) or found_task

    def unseen(self, launch: Launch, owner: Owner, exclusive: Mapping[str, str]) -> list[str]:
        """Names of Tibanna's jobs that succeeded, but whose instance nobody saw.

        A failed job without an instance most often had none: there was no capacity, or a limit.
        """
        if launch.compute_service not in _TIBANNAS:
            return []
        seen = set(exclusive.values())
        jobs = submitted_jobs(self._results_bucket, owner.launch_id, owner.attempt)
        return [job.name for job in jobs if job.is_done and job.id not in seen]

    def _add_instances(self, owner: Owner, jobs: Sequence[SubmittedJob], exclusive: Mapping[str, str]) -> bool:
        """Attribute instances to the attempt by the jobs that its launcher submitted."""
        missing = {job.id for job in jobs} - set(exclusive.values())
        if not missing:
            return False
        recorded = self._table.instances_of_tibanna(missing)
        for job_id, instance_id in recorded.items():
            self._recorder.exclusive(owner, instance_id, job_id)
        found = ec2_lookup.instances_of_tibanna(missing - set(recorded))
        self._recorder.tibannas(owner, found.values())
        return bool(recorded or found)

    def _add_tasks(self, launch: Launch, owner: Owner, known: Sequence[FargateUse]) -> bool:
        """Ask ECS for the launcher's task, if nobody heard of it, or of its end."""
        arn = launch.launcher_task_arn
        if not arn:
            return False
        ended = {task.task for task in known if task.stopped_at}
        unended = {task.task for task in known} - ended
        wanted = sorted(unended | ({arn.rpartition("/")[2]} - ended))
        if not wanted:
            return False
        tasks = aws.client("ecs").describe_tasks(cluster=arn.split("/")[1], tasks=wanted, include=["TAGS"])["tasks"]
        for task in tasks:
            tags = {tag["key"]: tag["value"] for tag in task.get("tags", ())}
            if fact := fargate_fact(task, tags):
                self._recorder.tasks([fact])
        # ECS forgets a stopped task within the hour: then it stopped with its launch, at the latest.
        gone = unended - {task["taskArn"].rpartition("/")[2] for task in tasks}
        for id_ in gone if launch.ended_at else ():
            self._table.record(owner.launch_id, USAGE_TASK_PREFIX + id_, {UsageField.STOPPED_AT: launch.ended_at})
        return bool(tasks or gone)
