"""Plans a launch of regenie: checks its inputs, writes every job's task to S3, and answers with the run sheet."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launch import LaunchField
from genolaunch.contract.plan import (
    WORK_ANALYSED,
    WORK_FETCH,
    WORK_INPUTS,
    WORK_LAUNCH,
    WORK_PLAN,
    LaunchFile,
    PreloadTask,
    RunSheet,
    Task,
)
from genolaunch.contract.results import WORK_CHANGED, results_prefix
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.regenie.data_set import DataSet
from genolaunch.shared import aws
from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import LaunchInputError, UnusableInputError
from lambdas.regenie.earlier_launch import copy_predictions, read_earlier_launch
from lambdas.regenie.fingerprints import fingerprint
from lambdas.regenie.images import Images
from lambdas.regenie.inputs import Inputs, read_inputs
from lambdas.regenie.preflight.quality import told_of_covariates, told_of_quality
from lambdas.regenie.recorded_inputs import as_text, record_copies, record_data
from lambdas.regenie.references import StageReferences
from lambdas.regenie.run_sheet import Attempt, Stage, analyse, run_sheet
from lambdas.regenie.tasks import STEP1_PHASES, Analysis, own_predictions, plan_tasks
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of
from lambdas.shared.slurm_cluster import SlurmCluster

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


PRELOAD: Final = "preload"
"""Phase in which restored inputs are loaded into the file system."""

_IN_MEMORY_BYTES: Final = 1 << 24
"""A larger file of the plan goes through /tmp: a hundred thousand chunks of ten traits are some 300 MB."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Environment variables of the function."""

    launch_table: str
    task_table: str
    data_bucket: str
    results_bucket: str
    regenie_images: str
    placements: str
    parallelcluster: str = ""
    references: str = ""


settings = settings_of(PlanSettings)


@function
@keeping_faults(lambda: settings().task_table)
def handler(event: dict[str, Any], _context: "LambdaContext") -> RunSheet:
    """`{launchId, attempt}` -> the run sheet; raises LaunchInputError naming every fault."""
    sheet = plan_launch(event["launchId"], int(event["attempt"]))
    metrics.add_metric(name="JobsPlanned", unit=MetricUnit.Count, value=sheet["step2Jobs"] + sheet["level0Jobs"])
    return sheet


def plan_launch(launch_id: str, attempt: int) -> RunSheet:
    """Write the plan, then answer: who has the run sheet finds the plan. The same data gives the same plan.

    Raises:
        LookupError: there is no such launch.
        LaunchInputError: the launch cannot run on the data as it is.
    """
    repository = LaunchRepository(settings().launch_table)
    launch = repository.get(launch_id)
    if launch is None:
        raise LookupError(f"There is no launch {launch_id}.")
    config = RegenieLaunch.model_validate(launch.config)
    data = DataSet.at(config.data_uri(settings().data_bucket))
    images = Images.read(settings().regenie_images)
    inputs = read_inputs(
        data, config.regenie, images, lambda other: read_earlier_launch(other, repository.get(other), _results(other))
    )
    for found in inputs.genotypes.values():
        if found.survey.note:
            logger.info(found.survey.note)
    inputs = replace(inputs, fingerprint=_without_doubt(inputs.fingerprint, _results(launch_id)))
    references = StageReferences.read(settings().references).of(config, settings().data_bucket)
    analysis = analyse(config.regenie, inputs, references)
    repository.record_warnings(launch_id, attempt, inputs.warnings)
    lists = [found.sentence(where) for where, found in inputs.samples.lists.items()]
    told = [*lists, *told_of_covariates(inputs.analysed.covariate_columns), *told_of_quality(config.regenie)]
    repository.note(launch_id, attempt, {LaunchField.LISTS: told})
    _write(launch_id, WORK_LAUNCH, [_sentinel(launch_id, attempt, launch.config, inputs, analysis)])
    _write_plan(launch_id, attempt, analysis)
    _write(launch_id, WORK_ANALYSED, [inputs.samples.analysed.decode()])
    if inputs.restored:
        task: PreloadTask = {"label": "restored inputs", "files": inputs.restored}
        _write(launch_id, f"{WORK_PLAN}/{PRELOAD}.jsonl", [json.dumps(task)])
    if inputs.earlier:
        copy_predictions(inputs.earlier, config.regenie.traits, _results(launch_id))
    _record_inputs(launch_id, attempt, data, config, inputs)
    if config.compute is ComputeService.PARALLELCLUSTER:
        _write(launch_id, WORK_FETCH, (f"{path}\n" for path in inputs.paths))
    stage = Stage(
        read_places(settings().placements).zones,
        settings().data_bucket,
        settings().results_bucket,
        SlurmCluster.read(settings().parallelcluster),
        images.credentials,
    )
    return run_sheet(Attempt(launch_id, attempt, launch.requested_by), config, inputs, analysis, stage)


def _without_doubt(fingerprint_: str, results: DataSet) -> str:
    """Another fingerprint after each attempt whose inputs changed: it may have read what is there no more, and the
    files may look as they did before."""
    doubted = sorted(results.states(f"{WORK_CHANGED}/"))
    return fingerprint([fingerprint_, doubted]) if doubted else fingerprint_


def _record_inputs(launch_id: str, attempt: int, data: DataSet, config: RegenieLaunch, inputs: Inputs) -> None:
    """Last, when all was read: what was replaced meanwhile is a fault."""
    try:
        files = record_data(data, inputs.files)
    except UnusableInputError as error:
        raise LaunchInputError([Fault("data", error.problem, error.remedy)]) from error
    if inputs.earlier:
        copies = (inputs.earlier.place(trait) for trait in config.regenie.traits)
        files += record_copies(_results(launch_id), sorted(set(copies)))
    _write(launch_id, WORK_INPUTS, [as_text(attempt, files)])


def _results(launch_id: str) -> DataSet:
    return DataSet(settings().results_bucket, results_prefix(launch_id))


def _sentinel(launch_id: str, attempt: int, config: Mapping[str, Any], inputs: Inputs, analysis: Analysis) -> str:
    launch: LaunchFile = {
        "launchId": launch_id,
        "attempt": attempt,
        "config": config,
        "samples": inputs.samples.as_dict(),
        "analysed": inputs.analysed.as_dict(),
        "predictions": own_predictions(analysis),
        "warnings": inputs.warnings,
    }
    return json.dumps(launch, sort_keys=True)


def _write_plan(launch_id: str, attempt: int, analysis: Analysis) -> None:
    planned = plan_tasks(analysis)
    for phase, tasks in planned.items():
        _write(launch_id, f"{WORK_PLAN}/{phase}.jsonl", _lines(tasks))
    if attempt > 1:  # the config may have been edited: the report must not show an earlier plan's commands
        for phase in sorted(set(STEP1_PHASES) - set(planned)):
            _write(launch_id, f"{WORK_PLAN}/{phase}.jsonl", [])


def _lines(tasks: Iterable[Task]) -> Iterator[str]:
    return (json.dumps(task, separators=(",", ":")) + "\n" for task in tasks)


def _write(launch_id: str, path: str, lines: Iterable[str]) -> None:
    """Put a file where the launch's file system will show it below /work: in parts, if it is large."""
    client: S3Client = aws.client("s3")
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        for line in lines:
            file.write(line.encode())
        file.seek(0)
        client.upload_fileobj(file, settings().results_bucket, results_prefix(launch_id) + path)
