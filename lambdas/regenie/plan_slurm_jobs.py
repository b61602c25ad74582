"""Decides which arrays to run on the cluster, at the beginning of a phase and after failures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch import LaunchErrorField
from genolaunch.contract.metrics import Metric
from genolaunch.contract.tasks import TASK_FAILED, TASK_RESUBMITTED
from genolaunch.contract.workflow import END_PHASE, Workflow
from lambdas.regenie.failed_jobs import FailedJob, blamed, in_order_of_blame, public_sentence, sentence
from lambdas.regenie.resubmission import SubmittedJob, resubmit
from lambdas.regenie.slurm_failures import read_failures
from lambdas.regenie.slurm_scripts import Run, script
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keep
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import count, logger
from lambdas.shared.settings import settings_of
from lambdas.shared.slurm_cluster import SlurmCluster

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MOST_RECORDED: Final = 100
"""Failed tasks of a phase that are kept: the others most often failed alike."""


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """Environment variables of the function."""

    stage: str
    task_table: str
    parallelcluster: str
    job_timeout_hours: str


settings = settings_of(SlurmSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{request, jobs, answer}` -> `{jobs, script, error?}`; `jobs` and `answer` are empty at the beginning."""
    jobs = [SubmittedJob.from_event(job) for job in event["jobs"]]
    plan = plan_slurm_jobs(event["request"], jobs, event["answer"])
    logger.info("Planned", extra={"launchId": event["request"]["launchId"], "jobs": plan["jobs"]})
    return plan


def plan_slurm_jobs(request: Mapping[str, Any], jobs: Sequence[SubmittedJob], answer: str) -> dict[str, Any]:
    """The arrays to run and the script for them, or `error` ({Error, Cause}) if it is not worth it."""
    cluster = SlurmCluster.read(settings().parallelcluster)
    assert cluster is not None  # the function is deployed with it only
    if answer:
        failures = read_failures(answer, jobs)
        next_jobs = resubmit(failures, request["onDemandQueue"])
        run = Run.of(request, settings().stage).name
        failed = blamed(in_order_of_blame([job for failure in failures for job in failure.failed]), run)
        _record(request["launchId"], failed, TASK_RESUBMITTED if next_jobs else TASK_FAILED)
        metric = Metric.JOBS_RESUBMITTED if next_jobs else Metric.JOBS_FAILED
        count(metric, len(failed), Workflow.REGENIE)
        if not next_jobs:
            return {"jobs": [], "script": "", "error": _error(request["launchId"], run, failed)}
    else:
        next_jobs = [] if request["phase"] == END_PHASE else list(_arrays(request, cluster.most_array_jobs))
    text = script(request, cluster, settings().stage, next_jobs, int(settings().job_timeout_hours))
    return {"jobs": [job.as_event() for job in next_jobs], "script": text}


def _arrays(request: Mapping[str, Any], most: int) -> Iterator[SubmittedJob]:
    """One for every `most` lines of the phase's plan."""
    name = f"{Run.of(request, settings().stage).name}-{request['phase']}"
    for number, first in enumerate(range(0, request["tasks"], most), start=1):
        last = min(first + most, request["tasks"]) - 1
        yield SubmittedJob(
            name=name if number == 1 else f"{name}-{number}",
            queue=request["jobQueue"],
            memory=request["resources"]["memory"],
            size=last - first + 1,
            tasks=f"{first}-{last}",
            hasMoreMemory=False,
        )


def _record(launch_id: str, jobs: Sequence[FailedJob], status: str) -> None:
    repository = LaunchRepository(launch_table="", task_table=settings().task_table)  # launches are not its business
    repository.record_tasks(job.task(launch_id, "", status=status) for job in jobs[:_MOST_RECORDED])


def _error(launch_id: str, run: str, failed: Sequence[FailedJob]) -> dict[str, str]:
    if not failed:
        return {"Error": "PlatformError", "Cause": f"Too many tasks of {run} failed to be told one by one."}
    error = {LaunchErrorField.MESSAGE: sentence(failed, run)}
    told = keep(settings().task_table, launch_id, error, public_sentence(failed, run))
    return {"Error": str(failed[0].error_type), "Cause": told}
