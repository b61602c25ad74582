"""The job definition of a launch with the engine aws-batch, and its part of the run sheet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.project import (
    PROJECT,
    TAG_ATTEMPT,
    TAG_LAUNCH_ID,
    TAG_PROJECT,
    TAG_STAGE,
    TAG_WORKFLOW,
    run_name,
)
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from lambdas.shared.placements import Queues, queue_of, share_identifier
from lambdas.shared.registries import of_private_image


@dataclass(frozen=True, slots=True)
class BatchEngine:
    """The stage's settings of the engine (stacks/snakemake_batch.py)."""

    execution_role_arn: str
    job_log_group: str
    registry_credentials: Mapping[str, str] = field(default_factory=dict)
    """Private registry -> ARN of the secret with which Batch logs in."""

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> "BatchEngine":
        """Its part of the setting ENGINES."""
        return cls(
            settings["executionRoleArn"],
            settings["jobLogGroup"],
            settings.get("registryCredentials", {}),
        )


@dataclass(frozen=True, slots=True)
class BatchAttempt:
    """One attempt of a launch with this engine."""

    launch_id: str
    attempt: int
    requested_by: str | None
    config: SnakemakeLaunch
    image: str
    """In which its jobs run."""
    stage: str

    @property
    def timeout_seconds(self) -> int:
        """Time limit of one attempt of a job whose rule sets none."""
        assert self.config.snakemake.aws_batch is not None  # the model fills it in
        return 60 * self.config.snakemake.aws_batch.task_timeout_minutes

    @property
    def run_name(self) -> str:
        """The run name, by which clean-up finds what the attempt made."""
        return run_name(self.launch_id, self.attempt)

    @property
    def tags(self) -> dict[str, str]:
        """Of its job definition and its jobs."""
        return {
            TAG_PROJECT: PROJECT,
            TAG_STAGE: self.stage,
            TAG_LAUNCH_ID: self.launch_id,
            TAG_ATTEMPT: str(self.attempt),
            TAG_WORKFLOW: Workflow.SNAKEMAKE.value,
        }


def job_definition(attempt: BatchAttempt, engine: BatchEngine) -> dict[str, Any]:
    """The parts of the job definition that differ between launches; snakemake.asl.json adds the others."""
    private = of_private_image(attempt.image, engine.registry_credentials)
    return {
        "name": attempt.run_name,
        "image": attempt.image,
        **({"ofPrivateImage": private} if private else {}),
        "executionRoleArn": engine.execution_role_arn,
        "logGroup": engine.job_log_group,
        "logStreamPrefix": attempt.launch_id,
        "timeoutSeconds": attempt.timeout_seconds,
        "tags": attempt.tags,
    }


def run_sheet_part(attempt: BatchAttempt, engine: BatchEngine, queues: Queues) -> dict[str, Any]:
    """`awsBatch` of the run sheet (docs/architecture/launcher.md)."""
    config = attempt.config
    queue = queue_of(queues, config.compute, config.priority)
    return {
        "jobQueue": queue,
        "onDemandQueue": queue_of(queues, ComputeService.BATCH_ON_DEMAND, config.priority),
        # The first revision, because the launcher's role checks a definition's tags, and only a revision has tags.
        "jobDefinition": f"{queue.rpartition(':')[0]}:job-definition/{attempt.run_name}:1",
        "shareIdentifier": share_identifier(attempt.requested_by),
        "taskTimeoutSeconds": attempt.timeout_seconds,
        "jobLogGroup": engine.job_log_group,
        "tags": attempt.tags,
    }
