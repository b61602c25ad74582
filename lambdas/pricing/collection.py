"""Completes an attempt's usage from AWS where events are missing, and answers whether everything has ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from genolaunch.contract.project import run_name
from genolaunch.contract.usage import USAGE_INSTANCE, USAGE_OF_INSTANCE
from lambdas.pricing import ec2_lookup
from lambdas.pricing.events import job_facts
from lambdas.pricing.rates.money import PriceError
from lambdas.pricing.recorder import Recorder, stop_values
from lambdas.pricing.snakemake_usage import SnakemakeUsage
from lambdas.pricing.usage import InstanceUse, JobUse
from lambdas.pricing.usage_table import AttemptUsage, UsageTable, instance_values
from lambdas.shared import batch_jobs
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch
from lambdas.shared.run_names import Owner

_ENDED: Final = frozenset({"SUCCEEDED", "FAILED"})


@dataclass(frozen=True, slots=True)
class Collected:
    """Whether everything that the attempt used has ended."""

    waits_for: Sequence[str]
    """What has not, in words; none: the attempt can be priced."""


class Collector:
    """Looks after one attempt of a launch."""

    def __init__(self, table: UsageTable, stage: str, queues: Sequence[str], results_bucket: str) -> None:
        self._table = table
        self._recorder = Recorder(table, stage)
        self._queues = queues
        self._snakemake = SnakemakeUsage(table, self._recorder, results_bucket)

    def collect(self, launch: Launch, attempt: int) -> Collected:
        """Look up what is missing, then say what is still under way.

        Raises PriceError when a part of it can no longer be found out.
        """
        usage = self._table.attempt(launch.launch_id, attempt)
        owner = Owner(launch.launch_id, attempt)
        added = self._add_missing_jobs(launch.launch_id, attempt, usage)
        if self._snakemake.complete(launch, owner, usage) or added:
            usage = self._table.attempt(launch.launch_id, attempt)
        hosts = self._hosts(usage)
        if unseen := self._snakemake.unseen(launch, owner, usage.exclusive):
            raise PriceError(
                f"Of {len(unseen)} jobs of Tibanna's ({unseen[0]}, ...) the instance was not recorded in time."
            )
        waits = [
            *(f"job {job.job_name}" for job in usage.jobs if job.stopped_at is None),
            *(f"instance {host.id}" for host in hosts if not self._is_settled(launch.launch_id, attempt, host)),
            *(f"task {task.task}" for task in usage.tasks if task.stopped_at is None),
            *self._file_systems_under_way(launch, attempt, usage),
        ]
        return Collected(waits)

    def _add_missing_jobs(self, launch_id: str, attempt: int, usage: AttemptUsage) -> bool:
        """Describe the jobs of which the table lacks an ended attempt or the instance; whether there were any."""
        # A job that was tried again has several attempts, of which each must be known.
        open_ = {job.job_id for job in usage.jobs if not (job.stopped_at and job.instance_id)}
        complete = {job.job_id for job in usage.jobs} - open_
        missing = [id_ for id_ in self._job_ids(launch_id, attempt) if id_ not in complete]
        missing += sorted({job.job_id for job in usage.jobs} - complete - set(missing))
        facts = [fact for detail in batch_jobs.describe(missing) for fact in job_facts(detail)]
        self._recorder.jobs(facts)
        return bool(facts)

    def _job_ids(self, launch_id: str, attempt: int) -> Iterable[str]:
        """Jobs of the attempt, and children of its arrays."""
        parents = [job["jobId"] for job in batch_jobs.jobs_named(self._queues, f"{run_name(launch_id, attempt)}-")]
        for detail in batch_jobs.describe(parents):
            size = detail.get("arrayProperties", {}).get("size")
            yield from [f"{detail['jobId']}:{index}" for index in range(size)] if size else [detail["jobId"]]

    def _hosts(self, usage: AttemptUsage) -> list[InstanceUse]:
        ids = {*(job.instance_id for job in usage.jobs if job.instance_id), *usage.exclusive}
        known = self._table.instances(ids)
        unsettled = [id_ for id_ in ids if id_ not in known or known[id_].stopped_at is None]
        if unsettled and self._refresh(unsettled, known, usage.jobs):
            known = self._table.instances(ids)
        return list(known.values())

    def _refresh(self, ids: Sequence[str], known: dict[str, InstanceUse], jobs: Sequence[JobUse]) -> bool:
        """Ask EC2 for instances whose end, or all, the events missed; whether anything was recorded."""
        found = ec2_lookup.instances(ids)
        recorded = False
        for id_ in ids:
            each = found.get(id_)
            values: dict[str, object] = {}
            if each and id_ not in known:
                values = instance_values(each.use)
            elif each is None and id_ in known:
                # It is gone from EC2's lists, and nobody heard when: it was there for its last job at least.
                values = stop_values(known[id_], otherwise=_last_stop(id_, jobs, known[id_]))
            elif each and each.use.stopped_at:
                values = stop_values(each.use, otherwise="")
            if values:
                self._table.record(USAGE_OF_INSTANCE + id_, USAGE_INSTANCE, values)
                recorded = True
        return recorded

    def _is_settled(self, launch_id: str, attempt: int, host: InstanceUse) -> bool:
        """Its end is known, or somebody else's job followed ours there: what comes later is not this launch's."""
        if host.stopped_at is not None:
            return True
        jobs = self._table.jobs_on(host.id)
        ours = [job for job in jobs if (job.launch_id, job.attempt) == (launch_id, attempt)]
        if not ours or any(job.stopped_at is None for job in ours):
            return False
        last = max(job.stopped_at for job in ours if job.stopped_at)
        others = [job for job in jobs if (job.launch_id, job.attempt) != (launch_id, attempt)]
        return any(job.started_at and (job.stopped_at is None or job.stopped_at > last) for job in others)

    def _file_systems_under_way(self, launch: Launch, attempt: int, usage: AttemptUsage) -> list[str]:
        known = {system.id: system for system in usage.file_systems}
        waits = [f"file system {id_}" for id_, system in known.items() if system.deleted_at is None]
        newest = launch.file_system_id
        if newest and launch.attempt == attempt and newest not in known:
            waits.append(f"file system {newest}")
        return waits


def _last_stop(instance_id: str, jobs: Sequence[JobUse], instance: InstanceUse) -> str:
    stops = [job.stopped_at for job in jobs if job.instance_id == instance_id and job.stopped_at]
    return timestamp(max(stops, default=instance.launched_at))
