"""Writes launchers' reports of their runs into the tables, only about the sender's own launch.

A launcher runs its user's program with its own rights. So it may write into no table, only send to a queue; and SQS,
not the message, says who sent it: `SenderId` of a role is `<the role's id>:<session>` (Amazon SQS API reference,
ReceiveMessage), and ECS names a task's session by the task's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from pydantic import ValidationError

from genolaunch.shared.public_errors import OpenError
from lambdas.shared.function import function
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of
from lambdas.shared.sqs_batch import take_each
from lambdas.snakemake.launcher_record import LauncherRecord
from lambdas.snakemake.launcher_repository import LauncherRepository

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class TooEarlyError(OpenError):
    """The launcher was heard before the broker noted its task: the message comes again."""


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str


settings = settings_of(RecorderSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of LauncherRecord (genolaunch.contract.launcher) -> messages to deliver again. What is not true is
    dropped.
    """
    settings()
    metrics.add_metric(name="RecordsTaken", unit=MetricUnit.Count, value=len(event["Records"]))
    return take_each(event, _take)


def _take(record: Mapping[str, Any]) -> None:
    try:
        said = LauncherRecord.model_validate_json(record["body"])
    except ValidationError as error:
        _refuse("no launcher's message", faults=[fault["msg"] for fault in error.errors()][:10])
        return
    launchers = LauncherRepository(settings().task_table, settings().launch_table)
    task_id = record["attributes"]["SenderId"].rpartition(":")[2]
    if not _is_launcher(launchers, said, task_id):
        _refuse("not the launcher of this launch", launchId=said.launch_id, taskId=task_id)
        return
    if said.progress is not None:
        launchers.show_progress(said.launch_id, said.attempt, said.progress.model_dump(), at=said.at)
    if said.item is not None:
        launchers.record_job(said.item)


def _is_launcher(launchers: LauncherRepository, said: LauncherRecord, task_id: str) -> bool:
    """Whether this task is the newest one of the attempt's launcher. Raises TooEarlyError if that is not known yet."""
    launcher = launchers.get(said.launch_id, said.attempt)
    if launcher is None:
        return False
    if launcher.task_arn is None:
        raise TooEarlyError(f"{said.launch_id} has no task yet")
    return launcher.task_arn.rpartition("/")[2] == task_id


def _refuse(reason: str, **details: object) -> None:
    metrics.add_metric(name="RecordsRefused", unit=MetricUnit.Count, value=1)
    logger.warning("Refused: %s", reason, extra=details)
