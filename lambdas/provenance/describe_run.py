"""Last step of pricing: describes a launch's last attempt as a Workflow Run RO-Crate, in its folder of results."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.provenance import CRATE, CRATE_CONFIG, CRATE_MACHINE, CRATE_SUBMITTED
from genolaunch.contract.results import WORK_REPORT, results_prefix
from genolaunch.shared import aws
from genolaunch.shared.crate_files import CrateFolder
from lambdas.provenance.crate import JSON, STATES_LANGUAGE, Run, crate_of
from lambdas.provenance.images import describe_image
from lambdas.provenance.listing import StoredFile, by_folder, stored_objects
from lambdas.provenance.records import MainWorkflow, ReadsRecords, ResultsFolder, WorkflowRecords
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger
from lambdas.shared.settings import settings_of
from lambdas.shared.workflow_functions import functions_for

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client
    from types_boto3_stepfunctions.client import SFNClient

_JSON: Final = "application/json"
_NOT_THERE: Final = ("NoSuchKey", "NoSuchVersion", "AccessDenied", "InvalidObjectState")


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    launch_table: str
    results_bucket: str
    launch_bucket: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """`{launchId, attempt}` -> `{entities}`: how many the crate has; 0 if there is nothing to describe.

    That is so for a launch that no execution ran, and for an attempt that is not the launch's last one any more.
    """
    return {"entities": describe(event["launchId"], int(event["attempt"]))}


def describe(launch_id: str, attempt: int) -> int:
    """Write the crate, and what it needs beside it. Asked again, it is written anew.

    Raises:
        LookupError: there is no such launch.
    """
    launch = LaunchRepository(settings().launch_table).get(launch_id)
    if launch is None:
        raise LookupError(f"There is no launch {launch_id}.")
    if not launch.attempt or launch.attempt != attempt or not launch.is_final:
        return 0
    results = ResultsFolder(settings().results_bucket, results_prefix(launch_id))
    records = _records(launch, results)
    config = list(_write_config(launch, results))
    definition = _write_definition(launch, results)
    crate = crate_of(
        Run(
            launch=launch,
            root=CrateFolder(results.bucket, results.prefix),
            described_at=datetime.now(UTC),
            records=records,
            main=records.main or _main(definition, config, launch),
            machine=CRATE_MACHINE if definition else None,
            config=config,
            images=[describe_image(image, _began(launch)) for image in records.images],
            cost=(launch.cost_history or {}).get(str(attempt)),
            left=by_folder(_left(results), results.bucket, results.prefix),
        )
    )
    results.write(CRATE, json.dumps(crate, indent=1, ensure_ascii=False).encode(), _JSON)
    entities = len(crate["@graph"])
    logger.info("Described", extra={"launchId": launch_id, "entities": entities})
    return entities


def _records(launch: Launch, results: ResultsFolder) -> WorkflowRecords:
    read: ReadsRecords = functions_for(launch.workflow).run_records()
    return read(launch, results)


def _write_config(launch: Launch, results: ResultsFolder) -> Iterator[str]:
    """The paths of the launch config below the results: as it was dropped, if it still is so, and as it was checked."""
    submitted = _submitted(launch)
    if submitted is not None:
        path = CRATE_SUBMITTED + PurePosixPath(launch.config_uri or "").name
        results.write(path, submitted, "binary/octet-stream")
        yield path
    results.write(CRATE_CONFIG, json.dumps(launch.config, indent=2, ensure_ascii=False).encode(), _JSON)
    yield CRATE_CONFIG


def _submitted(launch: Launch) -> bytes | None:
    """The file that was dropped; None if another one, or none, is there now."""
    bucket, _, key = (launch.config_uri or "").removeprefix("s3://").partition("/")
    if bucket != settings().launch_bucket:
        return None
    client: S3Client = aws.client("s3")
    try:
        content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_THERE:
            raise
        return None
    return content if hashlib.sha256(content).hexdigest() == launch.config_sha256 else None


def _write_definition(launch: Launch, results: ResultsFolder) -> bytes | None:
    """The definition by which the attempt ran: the workflow's own or, if that did not start, the launch's.

    None if Step Functions has forgotten both, which it does 90 days after their ends (quotas).
    """
    client: SFNClient = aws.client("stepfunctions")
    for arn in (launch.workflow_execution_arn, launch.execution_arn):
        if arn is None:
            continue
        try:
            found = client.describe_state_machine_for_execution(executionArn=arn)
        except client.exceptions.ExecutionDoesNotExist:
            continue
        definition = found["definition"].encode()
        results.write(CRATE_MACHINE, definition, _JSON)
        return definition
    return None


def _main(definition: bytes | None, config: list[str], launch: Launch) -> MainWorkflow:
    """The state machine; without one, the launch config, which asks for the same."""
    name = f"{launch.workflow} of Genolaunch"
    if definition is None:
        return MainWorkflow(config[-1], name, JSON, "not known")
    version = f"sha256:{hashlib.sha256(definition).hexdigest()}"
    return MainWorkflow(CRATE_MACHINE, name, STATES_LANGUAGE, version)


def _left(results: ResultsFolder) -> Iterator[StoredFile]:
    """What lies in the launch's folder, but for the crate itself."""
    for file in stored_objects(results.bucket, results.prefix):
        path = file.key.removeprefix(results.prefix)
        if path == WORK_REPORT:
            # Its section about the cost was written after the workflow had ended, and nobody else has its digest.
            content = results.read(path)
            yield replace(file, sha256=hashlib.sha256(content).hexdigest()) if content is not None else file
        elif path != CRATE:
            yield file


def _began(launch: Launch) -> datetime | None:
    return datetime.fromisoformat(launch.started_at) if launch.started_at else None
