"""Reads the lines of jobs' logs that name an error, as CloudWatch Logs hands them over, and keeps them by job."""

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from contract import LOG_TASK_PREFIX, TASK_FAILED, Metric, TaskField
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.log_errors import error_in_log
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_STREAM: Final = re.compile(r"(?P<launch>.+)-\d+/[^/]+/[^/]+")
"""`<run name>/default/<task id>` (docs/architecture.md, "The job's command")."""
_LONGEST_LINE: Final = 300
_NO_DATA: Final = "CONTROL_MESSAGE"
"""messageType of CloudWatch Logs' own trial of a subscription."""


@dataclass(frozen=True, slots=True)
class ParserSettings:
    """Environment variables of the function."""

    task_table: str


@cache
def settings() -> ParserSettings:
    """Read once in the life of the process."""
    return read_settings(ParserSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> None:  # noqa: ARG001 - Lambda's signature
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
    """Items of the task table, one for each type of error of the stream: the latest line of a type stays."""
    stream = _STREAM.fullmatch(batch["logStream"])
    if stream is None:
        return
    for line in batch["logEvents"]:
        error_type = error_in_log(line["message"])
        if error_type is not None:
            yield {
                TaskField.LAUNCH_ID: stream["launch"],
                TaskField.TASK_ID: f"{LOG_TASK_PREFIX}{batch['logStream']}#{error_type}",
                TaskField.STATUS: TASK_FAILED,
                TaskField.ERROR_TYPE: error_type,
                TaskField.REASON: line["message"].strip()[:_LONGEST_LINE],
                TaskField.LOG_GROUP: batch["logGroup"],
                TaskField.LOG_STREAM: batch["logStream"],
            }
