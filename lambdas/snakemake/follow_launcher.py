"""The notifier: reads ECS's task state changes from its queue, and reports launchers' ends to their launches."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.function import function
from lambdas.shared.observability import metrics
from lambdas.shared.settings import settings_of
from lambdas.shared.sqs_batch import take_each
from lambdas.snakemake.launcher_repository import LauncherRepository
from lambdas.snakemake.settlement import follow
from lambdas.snakemake.task_event import LauncherTask

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class NotifierSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str
    results_bucket: str
    job_log_group: str


settings = settings_of(NotifierSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of ECS Task State Change events -> the messages to deliver again."""
    settings()
    metrics.add_metric(name="TaskChanges", unit=MetricUnit.Count, value=len(event["Records"]))
    return take_each(event, _take)


def _take(record: Mapping[str, Any]) -> None:
    task = LauncherTask.read(json.loads(record["body"])["detail"])
    if task is None:
        return
    repository = LauncherRepository(settings().task_table, settings().launch_table)
    follow(task, repository, results_bucket=settings().results_bucket, log_group=settings().job_log_group)
