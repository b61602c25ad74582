"""The run sheet: what the launcher of a Snakemake launch is to do (docs/architecture/launcher.md)."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launcher import LAUNCHER_FOLDER, LauncherSheet, launcher_sources
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.roles import LONGEST_TAG_VALUE, RightsTag
from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from genolaunch.shared.input_error import FaultCollector
from lambdas.shared.launch import Launch
from lambdas.shared.placements import Queues, queue_of, share_identifier
from lambdas.snakemake import aws_batch
from lambdas.snakemake.aws_batch import BatchAttempt, BatchEngine

_NO_TAG: Final = re.compile(r"[^A-Za-z0-9_.:/=+@ -]")
"""What IAM takes in no tag's value; letters of other alphabets, which it does, are in no config's paths."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stage gives to its launches."""

    name: str
    launch_bucket: str
    data_bucket: str
    results_bucket: str
    writable_buckets: frozenset[str]
    """In which launches may work, besides the data bucket."""
    engines: Mapping[str, Mapping[str, Any]]
    """Engine -> what the launcher must know of it: the part of the run sheet that is the same for all launches."""
    queues: Queues
    """Of jobs with the engine aws-batch."""


def snakefile_uri(config: SnakemakeLaunch, stage: Stage) -> str:
    """The Snakefile as an s3:// URL."""
    snakefile = config.snakemake.snakefile
    return snakefile if snakefile.startswith("s3://") else f"s3://{stage.launch_bucket}/{snakefile}"


def place_of_data(config: SnakemakeLaunch, stage: Stage) -> tuple[str, str]:
    """Bucket and folder (with a slash at its end, empty for a whole bucket) in which the launch works."""
    bucket, _, folder = config.data_uri(stage.data_bucket).removeprefix("s3://").partition("/")
    return bucket, folder


def check_against_stage(config: SnakemakeLaunch, stage: Stage, faults: FaultCollector) -> None:
    """Note what this stage cannot do for a launch."""
    engine = config.snakemake.engine
    if engine not in stage.engines:
        known = ", ".join(sorted(stage.engines)) or "none"
        faults.add("snakemake.engine", f"is {engine}, which this stage does not have", f"It has: {known}.")
    bucket, folder = place_of_data(config, stage)
    if bucket not in {stage.data_bucket, *stage.writable_buckets}:
        faults.add(
            "data",
            f"is in the bucket {bucket}, to which this stage may not write; a Snakemake launch writes its "
            "outputs next to its inputs",
            "Use a folder of the stage's data bucket, or ask for the bucket to be added to the stage's "
            "writable_buckets.",
        )
    if not folder:
        faults.add(
            "data",
            f"is the whole bucket {bucket}, in which other launches work too",
            "Name a folder in it: a Snakemake launch can access only what is below its `data`.",
        )
    if len(folder) > LONGEST_TAG_VALUE or _NO_TAG.search(folder):
        faults.add(
            "data",
            f"is a folder that no role of a launch can be tagged with, by which the launch has it: {folder[:80]!r}",
            f"Use at most {LONGEST_TAG_VALUE} letters, digits and . _ + = @ - / in its path.",
        )


class _OfEngine(TypedDict, total=False):
    tibanna: dict[str, Any]
    awsBatch: dict[str, Any]


class _AsAsked(TypedDict, total=False):
    cores: int
    rerunTriggers: list[str]


def new_token() -> str:
    """By which Tibanna's unicorn knows a launch: in its run sheet and nowhere else; its roles have the digest."""
    return secrets.token_urlsafe(32)


def rights(launch: Launch, config: SnakemakeLaunch, stage: Stage, token: str) -> dict[str, Any]:
    """What make_roles is asked for: the engine, and tags of the launch's roles (RightsTag)."""
    bucket, folder = place_of_data(config, stage)
    tags = {RightsTag.DATA_BUCKET: bucket, RightsTag.DATA_FOLDER: folder}
    if config.snakemake.engine is SnakemakeEngine.AWS_BATCH:
        on_demand = ComputeService.BATCH_ON_DEMAND
        tags |= {
            RightsTag.QUEUE: _name(queue_of(stage.queues, config.compute, config.priority)),
            RightsTag.ON_DEMAND_QUEUE: _name(queue_of(stage.queues, on_demand, config.priority)),
            RightsTag.SHARE: share_identifier(launch.requested_by),
        }
    else:
        tags[RightsTag.TOKEN] = hashlib.sha256(token.encode()).hexdigest()
    return {"engine": config.snakemake.engine.value, "tags": {key.value: value for key, value in tags.items()}}


def _name(queue_arn: str) -> str:
    return queue_arn.rpartition("/")[2]


def run_sheet(
    launch: Launch, attempt: int, config: SnakemakeLaunch, snakefile: str, stage: Stage, token: str
) -> LauncherSheet:
    """What the launcher is to do; `snakefile` is its name among the attempt's sources, `token` see new_token."""
    asked = config.snakemake
    launch_id = launch.launch_id
    as_asked: _AsAsked = {}
    if asked.cores:
        as_asked["cores"] = asked.cores
    if asked.rerun_triggers:
        as_asked["rerunTriggers"] = list(asked.rerun_triggers)
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
        **as_asked,
        "containerImage": _image(config, stage),
        "ownImage": asked.container_image is not None,
        "remotePrefix": config.data_uri(stage.data_bucket).removeprefix("s3://").rstrip("/"),
        "resultsUri": results,
        **_of_engine(launch, attempt, config, stage, token),
    }


def job_definition(launch: Launch, attempt: int, config: SnakemakeLaunch, stage: Stage) -> dict[str, Any] | None:
    """What the state machine registers before it asks for a launcher; None with an engine that has no such thing."""
    if config.snakemake.engine is not SnakemakeEngine.AWS_BATCH:
        return None
    return aws_batch.job_definition(_batch_attempt(launch, attempt, config, stage), _batch_engine(stage))


def _of_engine(launch: Launch, attempt: int, config: SnakemakeLaunch, stage: Stage, token: str) -> _OfEngine:
    asked = config.snakemake
    if asked.engine is SnakemakeEngine.AWS_BATCH:
        on_batch = _batch_attempt(launch, attempt, config, stage)
        return {"awsBatch": aws_batch.run_sheet_part(on_batch, _batch_engine(stage), stage.queues)}
    settings = {key: value for key, value in stage.engines[asked.engine].items() if key != "containerImage"}
    assert asked.tibanna is not None  # the model fills it in
    told = {"behaviorOnCapacityLimit": asked.tibanna.behavior_on_capacity_limit, "token": token}
    return {"tibanna": {**settings, **told}}


def _batch_attempt(launch: Launch, attempt: int, config: SnakemakeLaunch, stage: Stage) -> BatchAttempt:
    return BatchAttempt(
        launch_id=launch.launch_id,
        attempt=attempt,
        requested_by=launch.requested_by,
        config=config,
        image=_image(config, stage),
        stage=stage.name,
    )


def _batch_engine(stage: Stage) -> BatchEngine:
    return BatchEngine.read(stage.engines[SnakemakeEngine.AWS_BATCH])


def _image(config: SnakemakeLaunch, stage: Stage) -> str:
    asked = config.snakemake
    return asked.container_image or str(stage.engines[asked.engine]["containerImage"])


def read_engines(text: str) -> Mapping[str, Mapping[str, Any]]:
    """The setting ENGINES (genolaunch.contract.settings.Setting)."""
    engines: dict[str, dict[str, Any]] = json.loads(text)
    return engines
