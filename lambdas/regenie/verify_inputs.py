"""Compares a running launch's inputs in S3 with the record of its plan: jobs have no permission to ask S3."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.plan import WORK_INPUTS
from genolaunch.contract.results import WORK_CHANGED, results_prefix
from genolaunch.regenie.data_set import DataSet
from genolaunch.shared import aws
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.recorded_inputs import InputsChangedError, changes, read_record, sentence
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.observability import metrics
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """Environment variables of the function."""

    results_bucket: str
    task_table: str


settings = settings_of(VerifySettings)


@function
@keeping_faults(lambda: settings().task_table)
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """`{launchId, attempt, seen}` -> `{files}`: how many are as recorded; raises InputsChangedError naming others."""
    files = verify_inputs(event["launchId"], int(event["attempt"]), event["seen"])
    metrics.add_metric(name="InputsVerified", unit=MetricUnit.Count, value=files)
    return {"files": files}


def verify_inputs(launch_id: str, attempt: int, seen: str) -> int:
    """Compare every file; 0 of an attempt that has no record (yet). `seen` says when, for people: "after step 2".

    Raises:
        InputsChangedError: files are not what was planned for. That is noted, so that a retry keeps nothing that this
            attempt made.
    """
    results = DataSet(settings().results_bucket, results_prefix(launch_id))
    try:
        of_attempt, files = read_record(results.text(WORK_INPUTS))
    except UnusableInputError:
        return 0
    if of_attempt != attempt:
        return 0
    changed = changes(files)
    if changed:
        message = sentence(changed, seen)
        _note(results, attempt, message)
        raise InputsChangedError(message)
    return len(files)


def _note(results: DataSet, attempt: int, message: str) -> None:
    client: S3Client = aws.client("s3")
    client.put_object(
        Bucket=results.bucket,
        Key=f"{results.prefix}{WORK_CHANGED}/{attempt}.json",
        Body=json.dumps({"attempt": attempt, "message": message}).encode(),
    )
