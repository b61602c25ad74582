"""A launch's plan and run sheet, from its config and what its data says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.plan import RunSheet
from genolaunch.contract.project import run_name
from genolaunch.contract.results import WORK_PREDICTIONS, WORK_QC, WORK_REPORT, WORK_SUMSTATS, results_prefix
from genolaunch.launch_configs.regenie_config import RegenieLaunch, RegenieParameters
from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.regenie.input_files import step1_genotypes, step2_genotypes
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.chunks import Survey
from lambdas.regenie.imported import import_paths
from lambdas.regenie.inputs import Inputs, SurveyedGenotypes
from lambdas.regenie.references import NONE, FoundReferences
from lambdas.regenie.resources import Workload, job_resources, storage_capacity_gib
from lambdas.regenie.tasks import Analysis, DatasetChunks, Step1Mode
from lambdas.shared.placements import Placement, choose_placement, share_identifier
from lambdas.shared.registries import of_private_image
from lambdas.shared.slurm_cluster import NO_CLUSTER, SlurmCluster

_FEWEST_SPLIT_JOBS: Final = 2
"""regenie refuses --split-l0 with one job."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt of which launch is planned, and for whom."""

    launch_id: str
    number: int
    requested_by: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stage offers."""

    placements: Sequence[Placement]
    data_bucket: str
    results_bucket: str
    cluster: SlurmCluster | None = None
    """Where launches with `compute: parallelcluster` run, if the stage has that."""
    registry_credentials: Mapping[str, str] = field(default_factory=dict)
    """Private registry -> ARN of the secret with which Batch logs in."""


class _OfPrivateImage(TypedDict, total=False):
    ofPrivateImage: dict[str, Any]


class _WithReferences(TypedDict, total=False):
    referencesUri: str


class _Queues(TypedDict):
    compute: str
    jobQueue: str
    onDemandQueue: str


class _Where(_Queues, total=False):
    subnetId: str


def analyse(parameters: RegenieParameters, inputs: Inputs, references: FoundReferences = NONE) -> Analysis:
    """Decide how step 1 is run, and with what resources."""
    workload = measure(parameters, inputs)
    level0_jobs = workload.level0_jobs
    mode = _step1_mode(parameters, level0_jobs)
    return Analysis(
        parameters=parameters,
        trait_indices=inputs.trait_indices,
        step1=mode,
        level0_jobs=level0_jobs if mode is Step1Mode.SPLIT else 0,
        given_predictions=inputs.given_predictions,
        fingerprint=inputs.fingerprint,
        datasets=[_dataset(files, inputs.genotypes[files]) for files in step2_genotypes(parameters)],
        resources=job_resources(workload, parameters.resources),
        analysed=inputs.samples.analysed,
        references=references,
    )


def _dataset(files: GenotypeFiles, found: SurveyedGenotypes) -> DatasetChunks:
    return DatasetChunks(files, found.chunks, found.counts.variants)


def measure(parameters: RegenieParameters, inputs: Inputs) -> Workload:
    """The numbers on which resources depend."""
    tested = [inputs.genotypes[files] for files in step2_genotypes(parameters)]
    step1 = _step1_survey(parameters, inputs)
    blocks = step1.blocks(parameters.step1.block_size) if step1 else 0
    return Workload(
        samples=max(found.counts.samples for found in inputs.genotypes.values()),
        traits=len(parameters.traits),
        covariates=inputs.covariates,
        step1_variants=step1.variants if step1 else 0,
        step1_block_size=parameters.step1.block_size,
        blocks=blocks,
        level0_jobs=min(parameters.step1.jobs, blocks) if step1 is None or step1.can_be_split else 1,
        step2_block_size=parameters.step2.block_size,
        largest_chunk=max(chunk.variants for found in tested for chunk in found.chunks),
        tested_variants=sum(found.survey.variants for found in tested),
    )


def run_sheet(attempt: Attempt, config: RegenieLaunch, inputs: Inputs, analysis: Analysis, stage: Stage) -> RunSheet:
    """What the state machine works from; see docs/architecture/regenie-job.md, "The run sheet"."""
    data_uri = config.data_uri(stage.data_bucket)
    results_uri = f"s3://{stage.results_bucket}/{results_prefix(attempt.launch_id)}"
    return {
        "runName": run_name(attempt.launch_id, attempt.number),
        "image": inputs.image,
        **_of_private_image(inputs.image, stage),
        **_where(attempt, config, stage),
        "dataUri": data_uri,
        **_references(analysis),
        "resultsUri": results_uri,
        "storageCapacityGiB": storage_capacity_gib(
            inputs.input_bytes + analysis.references.size, measure(config.regenie, inputs)
        ),
        # A cluster's fetch phase copies whole files.
        "preloadJobs": 1 if inputs.restored and not _is_on_cluster(config) else 0,
        "step1": str(analysis.step1),
        "level0Jobs": analysis.level0_jobs,
        "traits": len(analysis.traits),
        "step2Jobs": sum(len(dataset.chunks) for dataset in analysis.datasets),
        "shareIdentifier": share_identifier(attempt.requested_by),
        "importPaths": import_paths(
            data_uri,
            [*inputs.paths, *analysis.references.below_data],
            [results_uri, *filter(None, [analysis.references.uri])],
        ),
        "exportPaths": _export_paths(analysis),
        "resources": {phase: given.as_batch() for phase, given in analysis.resources.items()},
    }


def _of_private_image(image: str, stage: Stage) -> _OfPrivateImage:
    members = of_private_image(image, stage.registry_credentials)
    return {"ofPrivateImage": members} if members else {}


def _references(analysis: Analysis) -> _WithReferences:
    return {"referencesUri": analysis.references.uri} if analysis.references.uri else {}


def _where(attempt: Attempt, config: RegenieLaunch, stage: Stage) -> _Where:
    """The queues (of a cluster: its partitions), and for file systems of a launch's own the subnet."""
    if not _is_on_cluster(config):
        placement = choose_placement(stage.placements, attempt.launch_id, attempt.number)
        return {
            "compute": str(config.compute),
            "jobQueue": placement.queue(config.compute, config.priority),
            "onDemandQueue": placement.queue(ComputeService.BATCH_ON_DEMAND, config.priority),
            "subnetId": placement.subnet_id,
        }
    if stage.cluster is None:
        raise LaunchInputError([NO_CLUSTER])
    return {
        "compute": str(config.compute),
        "jobQueue": stage.cluster.partition,
        "onDemandQueue": stage.cluster.on_demand_partition,
    }


def _is_on_cluster(config: RegenieLaunch) -> bool:
    return config.compute is ComputeService.PARALLELCLUSTER


def _export_paths(analysis: Analysis) -> list[str]:
    """Results for people, below the file system's root; chunks and level 0 files die with the file system."""
    made = [WORK_PREDICTIONS] if analysis.step1 is not Step1Mode.GIVEN else []
    controlled = [WORK_QC] if analysis.parameters.step1.quality_control else []
    return [f"work/{path}" for path in (WORK_SUMSTATS, WORK_REPORT, *made, *controlled)]


def _step1_mode(parameters: RegenieParameters, level0_jobs: int) -> Step1Mode:
    if not parameters.step1.enabled:
        return Step1Mode.GIVEN
    return Step1Mode.SPLIT if level0_jobs >= _FEWEST_SPLIT_JOBS else Step1Mode.WHOLE


def _step1_survey(parameters: RegenieParameters, inputs: Inputs) -> Survey | None:
    return inputs.genotypes[step1_genotypes(parameters)].survey if parameters.step1.enabled else None
