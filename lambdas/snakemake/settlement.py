"""Settles a launch by the state of its launcher's task, reported by an event or by a check."""

from genolaunch.contract.launch import LaunchErrorField
from genolaunch.contract.metrics import Metric
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.workflow import Workflow
from lambdas.shared.kept_errors import keep
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import count, count_platform_fault, logger
from lambdas.snakemake import answers
from lambdas.snakemake.launcher_repository import LauncherRepository
from lambdas.snakemake.outcome import Outcome, outcome_of, written_outcome
from lambdas.snakemake.task_event import LauncherTask


def follow(task: LauncherTask, repository: LauncherRepository, *, results_bucket: str, log_group: str) -> None:
    """Show where a task runs; when it has stopped, answer the execution that waits. May be repeated, in any order."""
    if task.status == "STOPPED":
        settle(task, repository, results_bucket)
    elif task.status == "RUNNING":
        repository.show_task(task.launch_id, task.attempt, task.arn, log_group)


def settle(task: LauncherTask, repository: LauncherRepository, results_bucket: str) -> None:
    """Answer for a stopped task, unless it is started again, or was replaced."""
    launcher = repository.get(task.launch_id, task.attempt)
    if launcher is None or launcher.task_arn not in (None, task.arn) or launcher.replaces == task.arn:
        return
    if task.lacked_network:
        return  # the rule on such endings has it started again, and counts how often
    outcome = outcome_of(task, written_outcome(task.launch_id, task.attempt, results_bucket))
    named = repository.named_in_log(task.arn) if outcome.is_unexplained else None
    if named:
        outcome = outcome.told_by_log(*named)
    logger.info("Launcher ended", extra={"launchId": task.launch_id, "taskArn": task.arn, "error": outcome.error})
    token = launcher.message.task_token
    if outcome.error is None:
        results = f"s3://{results_bucket}/{RESULTS_PREFIX}{task.launch_id}/"
        if outcome.warnings:
            LaunchRepository(repository.launch_table).record_warnings(task.launch_id, task.attempt, outcome.warnings)
        report = {"reportUri": outcome.report_uri} if outcome.report_uri else {}
        answers.succeed(token, {"resultsUri": results, **report})
        return
    told = _told(task.launch_id, outcome, repository.task_table)
    if answers.fail(token, outcome.error, told):  # else it was counted before
        count(Metric.JOBS_FAILED, outcome.failed_jobs, Workflow.SNAKEMAKE)
        if outcome.is_stages:
            count_platform_fault()


def _told(launch_id: str, outcome: Outcome, task_table: str) -> str:
    """What the execution hears of a failure: the message, or what stands for it if it quotes the workflow."""
    if not outcome.quotes:
        return outcome.message
    return keep(task_table, launch_id, {LaunchErrorField.MESSAGE: outcome.message}, outcome.public)
