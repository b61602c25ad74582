"""Keeps the lines of jobs' and launchers' logs that name an error, as CloudWatch Logs hands them over.

A stream's name says which launch a line is of. So it is asked only of the group that no user's program can write to
(stacks/compute.py, `job_logs`).
"""

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launcher import LAUNCHER_LOG_PREFIX
from genolaunch.contract.metrics import Metric
from genolaunch.contract.tasks import LOG_TASK_DAYS, LOG_TASK_PREFIX, TASK_FAILED, TaskField
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.log_errors import error_in_log
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_STREAM: Final = re.compile(r"(?P<launch>.+)-\d+/[^/]+/[^/]+")
"""`<run name>/default/<task id>` (docs/architecture/regenie-job.md, "The job's command")."""
_LONGEST_LINE: Final = 300
_NO_DATA: Final = "CONTROL_MESSAGE"
"""messageType of CloudWatch Logs' own trial of a subscription."""


@dataclass(frozen=True, slots=True)
class ParserSettings:
    """Environment variables of the function."""

    task_table: str


settings = settings_of(ParserSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> None:
    """`{awslogs: {data}}`: base64 of the gzip of `{messageType, logGroup, logStream, logEvents}`."""
    batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if batch["messageType"] == _NO_DATA:
        return
    found = list(_errors(batch))
    repository = LaunchRepository(launch_table="", task_table=settings().task_table)  # launches are not its business
    repository.record_tasks(found)
    metrics.add_metric(name=Metric.ERRORS_IN_LOGS, unit=MetricUnit.Count, value=len(found))
    logger.info("Read", extra={"logStream": batch["logStream"], "lines": len(batch["logEvents"]), "errors": len(found)})


def _errors(batch: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """Items of the task table: of a job's stream one for each type of error, with its latest line; of a launcher's, its
    last error."""
    stream = batch["logStream"]
    job = _STREAM.fullmatch(stream)
    is_launcher = stream.startswith(LAUNCHER_LOG_PREFIX)
    if job is None and not is_launcher:
        return
    for line in batch["logEvents"]:
        error_type = error_in_log(line["message"])
        if error_type is not None:
            yield {
                **(_of_job(job["launch"], stream, error_type) if job else _of_launcher(stream)),
                TaskField.STATUS: TASK_FAILED,
                TaskField.ERROR_TYPE: error_type,
                TaskField.REASON: line["message"].strip()[:_LONGEST_LINE],
                TaskField.LOG_GROUP: batch["logGroup"],
                TaskField.LOG_STREAM: stream,
            }


def _of_job(launch_id: str, stream: str, error_type: ErrorType) -> dict[str, object]:
    return {TaskField.LAUNCH_ID: launch_id, TaskField.TASK_ID: f"{LOG_TASK_PREFIX}{stream}#{error_type}"}


def _of_launcher(stream: str) -> dict[str, object]:
    """Its log does not name the launch: whoever knows the task finds it by the stream."""
    expires = datetime.now(UTC) + timedelta(days=LOG_TASK_DAYS)
    return {
        TaskField.LAUNCH_ID: stream,
        TaskField.TASK_ID: LOG_TASK_PREFIX + stream,
        TaskField.EXPIRES_AT: int(expires.timestamp()),
    }
