"""Finds out why a run of regenie failed, records its failed jobs, and answers one sentence for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import LaunchErrorField
from genolaunch.contract.metrics import Metric
from genolaunch.contract.project import run_name
from genolaunch.contract.tasks import LOG_TASK_PREFIX, TASK_RESUBMITTED, TaskField
from genolaunch.contract.workflow import Workflow
from lambdas.regenie.failed_jobs import FailedJob, blamed, in_order_of_blame, public_sentence, sentence
from lambdas.regenie.failure_records import failed_jobs, with_log_tails
from lambdas.regenie.workflow_error import WorkflowError
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keep
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import count, logger
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class FailureSettings:
    """Environment variables of the function."""

    task_table: str
    placements: str
    job_log_group: str


settings = settings_of(FailureSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, str]:
    """`{launchId, attempt, error: {Error, Cause}, step}` -> `{type, message}`."""
    error = collect_failures(
        event["launchId"], int(event["attempt"]), event.get("error") or {}, event.get("step") or ""
    )
    logger.info("Run failed", extra={"launchId": event["launchId"], "type": error.type, "reason": error.public})
    return {"type": error.type.value, "message": _told(event["launchId"], error)}


def _told(launch_id: str, error: WorkflowError) -> str:
    """What becomes the cause of the workflow's failure: the error's text, or what stands for it if that is private."""
    if error.public == error.message:
        return error.message
    return keep(settings().task_table, launch_id, {LaunchErrorField.MESSAGE: error.message}, error.public)


def collect_failures(launch_id: str, attempt: int, error: Mapping[str, str], step: str) -> WorkflowError:
    """Record the attempt's failed jobs, if there are any. Asked again, it records the same ones."""
    name = run_name(launch_id, attempt)
    repository = LaunchRepository(launch_table="", task_table=settings().task_table)  # launches are not its business
    recorded = list(repository.tasks(launch_id))
    resubmitted = {task[TaskField.TASK_ID] for task in recorded if task.get(TaskField.STATUS) == TASK_RESUBMITTED}
    queues = read_places(settings().placements).regenie_queues
    failed = [job for job in failed_jobs(queues, f"{name}-") if job.task_id not in resubmitted]
    named = _named_in_logs(recorded)
    read = with_log_tails(in_order_of_blame(failed), settings().job_log_group)
    # A failed job whose last lines say nothing may have named its error before.
    told = [_told_by_logs(job, named) if job.error_type is ErrorType.APPLICATION_ERROR else job for job in read]
    jobs = blamed(told, name)
    count(Metric.JOBS_FAILED, len(jobs), Workflow.REGENIE)
    if not jobs:
        return WorkflowError.of_step(error, step)
    repository.record_tasks(job.task(launch_id, settings().job_log_group) for job in jobs)
    if error.get("Error") == ErrorType.INPUTS_CHANGED:  # the cause, regardless of how the jobs failed
        return WorkflowError.of_step(error, step)
    return WorkflowError(jobs[0].error_type, sentence(jobs, name), public_sentence(jobs, name))


def _named_in_logs(recorded: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Log stream -> an error that the log named, be it before its last lines (workflow_manager/parse_log.py)."""
    return {
        task[TaskField.LOG_STREAM]: task for task in recorded if task[TaskField.TASK_ID].startswith(LOG_TASK_PREFIX)
    }


def _told_by_logs(job: FailedJob, named: Mapping[str, Mapping[str, Any]]) -> FailedJob:
    task = named.get(job.log_stream or "")
    return job.told_by(f"{job.log_tail}\n{task[TaskField.REASON]}") if task else job
