"""Decides about failed jobs of a phase: submit them again (On-Demand, or with more memory), or give up."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.metrics import Metric
from genolaunch.contract.tasks import TASK_RESUBMITTED
from genolaunch.contract.workflow import Workflow
from lambdas.regenie.failed_jobs import FailedJob
from lambdas.regenie.failure_records import failed_jobs, with_log_tails
from lambdas.regenie.resubmission import Failure, SubmittedJob, resubmit
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import count, logger
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """Environment variables of the function."""

    task_table: str
    job_log_group: str


settings = settings_of(DecisionSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, onDemandQueue, failed: [job]}` -> `{jobs: [job]}`, none to give up (resubmission.SubmittedJob)."""
    jobs = decide(event["launchId"], event["onDemandQueue"], event["failed"])
    count(Metric.JOBS_RESUBMITTED, sum(job.size for job in jobs), Workflow.REGENIE)
    logger.info("Decided", extra={"launchId": event["launchId"], "resubmitted": [job.name for job in jobs]})
    return {"jobs": [job.as_event() for job in jobs]}


def decide(launch_id: str, on_demand_queue: str, failed: Sequence[Mapping[str, Any]]) -> list[SubmittedJob]:
    """The jobs to submit next. The failures that they are to mend are recorded as such; the others are left to
    collect_failures."""
    failures = [_failure(SubmittedJob.from_event(job)) for job in failed]
    jobs = resubmit(failures, on_demand_queue)
    if jobs:
        _record(launch_id, [job for failure in failures for job in failure.failed])
    return jobs


def _failure(job: SubmittedJob) -> Failure:
    """The job's failed tasks. regenie ends with 1 also for lack of memory (std::bad_alloc): then only its log tells."""
    failed = [found for found in failed_jobs([job.queue], job.name) if found.group.name == job.name]
    # Where there are more than have their logs read, it is those that a log can tell something of.
    failed.sort(key=lambda found: found.error_type is not ErrorType.APPLICATION_ERROR)
    return Failure(job, _alike(with_log_tails(failed, settings().job_log_group)))


def _alike(jobs: Sequence[FailedJob]) -> list[FailedJob]:
    """Jobs whose logs were not read count as those with the same exit code whose logs were, if these agree."""
    told: dict[int | None, set[ErrorType]] = defaultdict(set)
    for job in jobs:
        if job.log_tail:
            told[job.exit_code].add(job.error_type)
    return [
        replace(job, error_type=next(iter(told[job.exit_code])))
        if not job.log_tail and job.error_type is ErrorType.APPLICATION_ERROR and len(told[job.exit_code]) == 1
        else job
        for job in jobs
    ]


def _record(launch_id: str, jobs: Sequence[FailedJob]) -> None:
    repository = LaunchRepository(launch_table="", task_table=settings().task_table)  # launches are not its business
    repository.record_tasks(job.task(launch_id, settings().job_log_group, status=TASK_RESUBMITTED) for job in jobs)
