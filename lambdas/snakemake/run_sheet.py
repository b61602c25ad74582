"""The run sheet: what the launcher of a Snakemake launch is to do (docs/architecture.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract import LAUNCHER_FOLDER, RESULTS_PREFIX, SnakemakeEngine, launcher_sources
from lambdas.shared.input_error import FaultCollector
from lambdas.shared.placements import Placement
from lambdas.shared.snakemake_config import SnakemakeLaunch


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stage gives to its launches."""

    launch_bucket: str
    data_bucket: str
    results_bucket: str
    writable_buckets: frozenset[str]
    """In which launches may work, besides the data bucket."""
    engines: Mapping[str, Mapping[str, Any]]
    """Engine -> what the launcher must know of it: the part of the run sheet that is the same for all launches."""
    placements: tuple[Placement, ...]


def launcher_prefix(launch_id: str) -> str:
    """Of the launcher's objects, in the results bucket."""
    return f"{RESULTS_PREFIX}{launch_id}/{LAUNCHER_FOLDER}"


def snakefile_uri(config: SnakemakeLaunch, stage: Stage) -> str:
    """The Snakefile as an s3:// URL."""
    snakefile = config.snakemake.snakefile
    return snakefile if snakefile.startswith("s3://") else f"s3://{stage.launch_bucket}/{snakefile}"


def check_against_stage(config: SnakemakeLaunch, stage: Stage, faults: FaultCollector) -> None:
    """Note what this stage cannot do for a launch."""
    engine = config.snakemake.engine
    if engine not in stage.engines:
        known = ", ".join(sorted(stage.engines)) or "none"
        faults.add("snakemake.engine", f"is {engine}, which this stage does not have", f"It has: {known}.")
    bucket = config.data_uri(stage.data_bucket).removeprefix("s3://").partition("/")[0]
    if bucket not in {stage.data_bucket, *stage.writable_buckets}:
        faults.add(
            "data",
            f"lies in the bucket {bucket}, and a Snakemake launch writes its outputs beside its inputs",
            "Use a folder of the stage's data bucket, or have the bucket added to the stage's writable_buckets.",
        )


def run_sheet(launch_id: str, attempt: int, config: SnakemakeLaunch, snakefile: str, stage: Stage) -> dict[str, Any]:
    """What the launcher is to do; `snakefile` is its name among the attempt's sources."""
    asked = config.snakemake
    results = f"s3://{stage.results_bucket}/{RESULTS_PREFIX}{launch_id}/"
    return {
        "launchId": launch_id,
        "attempt": attempt,
        "engine": asked.engine.value,
        "sources": f"{results}{LAUNCHER_FOLDER}{launcher_sources(attempt)}",
        "snakefile": snakefile,
        "targets": asked.targets,
        "config": asked.config,
        "spot": asked.spot,
        "retries": asked.retries,
        "jobs": asked.jobs,
        "containerImage": asked.container_image or stage.engines[asked.engine]["containerImage"],
        "remotePrefix": config.data_uri(stage.data_bucket).removeprefix("s3://").rstrip("/"),
        "resultsUri": results,
        **_of_engine(config, stage),
    }


def _of_engine(config: SnakemakeLaunch, stage: Stage) -> dict[str, Any]:
    asked = config.snakemake
    settings = {key: value for key, value in stage.engines[asked.engine].items() if key != "containerImage"}
    if asked.engine is SnakemakeEngine.TIBANNA:
        assert asked.tibanna is not None  # the model fills it in
        limit = asked.tibanna.behavior_on_capacity_limit
        return {"tibanna": {**settings, "behaviorOnCapacityLimit": limit}}
    assert asked.aws_batch is not None
    queue = stage.placements[0].queue(config.compute, config.priority)
    timeout = 60 * asked.aws_batch.task_timeout_minutes
    return {"awsBatch": {**settings, "jobQueue": queue, "taskTimeoutSeconds": timeout}}


def read_engines(text: str) -> Mapping[str, Mapping[str, Any]]:
    """The setting ENGINES (contract.Setting)."""
    engines: dict[str, dict[str, Any]] = json.loads(text)
    return engines
