"""Prepares a Snakemake launch: checks it, copies its sources, and writes the run sheet for its launcher."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.launcher import (
    launcher_prefix,
    launcher_run_sheet,
    launcher_sources,
    launcher_sources_record,
)
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from genolaunch.shared import aws
from genolaunch.shared.input_error import FaultCollector
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import metrics
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of
from lambdas.shared.working_folders import in_the_way
from lambdas.snakemake.run_sheet import (
    Stage,
    check_against_stage,
    job_definition,
    new_token,
    read_engines,
    rights,
    run_sheet,
    snakefile_uri,
)
from lambdas.snakemake.sources import Sources, find_sources
from lambdas.snakemake.volume_encryption import check_volumes_are_encrypted

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str
    launch_bucket: str
    data_bucket: str
    results_bucket: str
    engines: str
    stage: str
    placements: str
    writable_buckets: str = ""
    encrypted_volumes: str = ""


settings = settings_of(PrepareSettings)


@function
@keeping_faults(lambda: settings().task_table)
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, attempt}` -> `{runSheet, resultsUri, rights, jobDefinition?}`; `{launchId, check: true}` -> nothing.

    `rights` is what make_roles is asked for. Raises LaunchInputError naming every fault.
    """
    if event.get("check"):
        check(event["launchId"])
        return {}
    answer = prepare(event["launchId"], int(event["attempt"]))
    metrics.add_metric(name="SnakemakeLaunchesPrepared", unit=MetricUnit.Count, value=1)
    return answer


def prepare(launch_id: str, attempt: int) -> dict[str, Any]:
    """Copy the sources, write the run sheet, and say where it is. Asked again, it does the same again.

    Raises:
        LookupError: there is no such launch.
        LaunchInputError: the launch cannot run as it is.
    """
    repository = LaunchRepository(settings().launch_table)
    launch, config = _read(repository, launch_id)
    stage = _stage()
    faults = FaultCollector()
    sources = _find(config, stage, faults)
    _check_nobody_works_there(repository, launch, config.data_uri(stage.data_bucket), faults)
    faults.raise_if_any()
    assert sources is not None
    prefix = launcher_prefix(launch_id)
    copied = _copy(sources, stage.results_bucket, prefix + launcher_sources(attempt))
    _put_json(stage.results_bucket, prefix + launcher_sources_record(attempt), copied)
    token = new_token()
    sheet = run_sheet(launch, attempt, config, sources.snakefile, stage, token)
    key = prefix + launcher_run_sheet(attempt)
    _put_json(stage.results_bucket, key, sheet)
    definition = job_definition(launch, attempt, config, stage)
    return {
        "runSheet": f"s3://{stage.results_bucket}/{key}",
        "resultsUri": sheet["resultsUri"],
        "rights": rights(launch, config, stage, token),
        **({"jobDefinition": definition} if definition else {}),
    }


def _copy(sources: Sources, bucket: str, prefix: str) -> dict[str, Any]:
    """The record of what was copied."""
    faults = FaultCollector()
    none: list[dict[str, object]] = []
    files = faults.attempt("snakemake.snakefile", lambda: sources.copy_to(bucket, prefix), none)
    faults.raise_if_any()
    return {"from": f"s3://{sources.bucket}/{sources.prefix}", "files": files}


def _put_json(bucket: str, key: str, content: Mapping[str, object]) -> None:
    client: S3Client = aws.client("s3")
    client.put_object(
        Bucket=bucket, Key=key, Body=json.dumps(content, indent=2).encode(), ContentType="application/json"
    )


def check(launch_id: str) -> None:
    """Look for what the launch needs, whether or not its turn has come.

    Raises:
        LookupError: there is no such launch.
        LaunchInputError: the launch cannot run as it is.
    """
    _, config = _read(LaunchRepository(settings().launch_table), launch_id)
    faults = FaultCollector()
    _find(config, _stage(), faults)
    faults.raise_if_any()


def _read(repository: LaunchRepository, launch_id: str) -> tuple[Launch, SnakemakeLaunch]:
    launch = repository.get(launch_id)
    if launch is None:
        raise LookupError(f"There is no launch {launch_id}.")
    return launch, SnakemakeLaunch.model_validate(launch.config)


def _find(config: SnakemakeLaunch, stage: Stage, faults: FaultCollector) -> Sources | None:
    """The sources; what is wrong with them, or with what the launch asks of the stage, is noted."""
    check_against_stage(config, stage, faults)
    if settings().encrypted_volumes:
        check_volumes_are_encrypted(config, faults)
    return faults.attempt("snakemake.snakefile", lambda: find_sources(snakefile_uri(config, stage)), None)


def _stage() -> Stage:
    return Stage(
        name=settings().stage,
        launch_bucket=settings().launch_bucket,
        data_bucket=settings().data_bucket,
        results_bucket=settings().results_bucket,
        writable_buckets=frozenset(filter(None, settings().writable_buckets.split(","))),
        engines=read_engines(settings().engines),
        queues=read_places(settings().placements).snakemake,
    )


def _check_nobody_works_there(
    repository: LaunchRepository, launch: Launch, folder: str, faults: FaultCollector
) -> None:
    """Two launches would write the same files, also where one works in a folder of the other's.

    Of two that start at once, the one that was claimed later gives way.

    The index is a moment behind the table: launches claimed within that moment may miss each other.
    """
    running = repository.with_status(Status.RUNNING, **{LaunchField.WORKFLOW: Workflow.SNAKEMAKE.value})
    for other in in_the_way(launch, folder, running):
        where = "is" if other.data_path == folder else f"({folder}) is inside, or around,"
        faults.add(
            "data",
            f"{where} the working directory {other.data_path} of the launch {other.launch_id}, which is running",
            "Wait until it is over, or cancel it, and launch again.",
        )
