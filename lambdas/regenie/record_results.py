"""Records a launch's predictions after the export, if its inputs did not change. Other launches can then use them."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genolaunch.contract.results import WORK_PREDICTIONS, WORK_VERIFIED, results_prefix
from genolaunch.regenie.data_set import DataSet
from genolaunch.shared import aws
from lambdas.shared.function import function
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Environment variables of the function."""

    results_bucket: str


settings = settings_of(RecordSettings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """`{launchId, attempt}` -> `{predictions}`: how many files of predictions there are."""
    return {"predictions": record_results(event["launchId"], int(event["attempt"]))}


def record_results(launch_id: str, attempt: int) -> int:
    """Write the record. The state machine comes here only when verify_inputs found nothing in this attempt."""
    results = DataSet(settings().results_bucket, results_prefix(launch_id))
    states = results.states(f"{WORK_PREDICTIONS}/")
    record = {
        "attempt": attempt,
        "predictions": {path: {"size": state.size, "etag": state.etag} for path, state in states.items()},
    }
    client: S3Client = aws.client("s3")
    client.put_object(
        Bucket=results.bucket, Key=results.prefix + WORK_VERIFIED, Body=json.dumps(record, sort_keys=True).encode()
    )
    return len(states)
