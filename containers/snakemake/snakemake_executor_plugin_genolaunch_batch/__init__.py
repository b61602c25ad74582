"""Snakemake's executor `genolaunch-batch`: the official plugin aws-batch, within what the platform allows a launch.

The official plugin registers a privileged job definition for every job, which takes a launcher that may give containers
any volume of the host. Here all jobs of a launch share one definition, which the platform registered, and differ by
overrides: docs/decisions/011-one-job-definition-a-snakemake-launch.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import snakemake_executor_plugin_aws_batch as official
from snakemake_executor_plugin_aws_batch.batch_job_builder import BatchJobBuilder
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from snakemake_launcher.engines.batch_jobs import (
    LaunchJobs,
    Request,
    ends_the_same_again,
    log_tail,
    lost_its_capacity,
)
from snakemake_launcher.engines.options import Options
from snakemake_launcher.engines.refusals import RefusedError, refuse
from snakemake_launcher.events import emit


def _setting(text: str, *, required: bool = True) -> Any:  # noqa: ANN401 - as `field` itself
    return field(default=None, metadata={"help": text, "required": required})


@dataclass
class ExecutorSettings(official.ExecutorSettings):  # type: ignore[misc]  # Snakemake has no type information
    """Options `--genolaunch-batch-...` of Snakemake's command line: the official ones, and these."""

    job_definition: str = _setting("Name or ARN of the job definition of the launch")
    job_role: str = _setting("Unused: the job definition says it", required=False)
    on_demand_queue: str = _setting(
        "ARN of the queue for jobs that lost their Spot instances; without it they go to the same queue again",
        required=False,
    )
    share_identifier: str = _setting("Whose share of the queue the jobs take")
    run_name: str = _setting("How the jobs' names begin")
    tags: str = _setting("Tags of the jobs: KEY=VALUE,KEY=VALUE", required=False)


# The job's image holds the storage plugin: jobs have no way to a package index, nor would what it gives be pinned.
common_settings = replace(official.common_settings, auto_deploy_default_storage_provider=False)


class JobBuilder(BatchJobBuilder):  # type: ignore[misc]
    """Asks for exactly what the rule says.

    The official builder knows the sizes of Fargate only, and silently gives a job of any other size as little memory
    as its vCPUs may have there: 2 GiB to a rule that asks for 30000 MB.
    """

    def _validate_resources(self, vcpu: str, mem: str) -> tuple[str, str]:
        return vcpu, mem


class Executor(official.Executor):  # type: ignore[misc]
    """The official executor: other calls of Batch, the same following of the jobs."""

    batch_client: Any
    """How the official executor calls Batch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._options = Options.read()
        self._refuse_what_cannot_be()
        settings = self.settings
        self.batch_client = self._jobs = LaunchJobs(
            client=self.batch_client.client,
            run_name=settings.run_name,
            job_definition=settings.job_definition,
            share_identifier=settings.share_identifier,
            region=settings.region,
            tags=dict(pair.split("=", 1) for pair in settings.tags.split(",")) if settings.tags else {},
        )
        self._without_capacity: set[str] = set()

    def _refuse_what_cannot_be(self) -> None:
        dag = self.workflow.dag
        try:
            self._refuse(dag.needrun_jobs(), dag.targetjobs)
        except WorkflowError:
            self.workflow.cleanup_source_archive()  # Snakemake does it for what was begun
            raise

    def _refuse(self, jobs: Iterable[Any], targets: Iterable[Any]) -> None:
        try:
            refuse(jobs, targets, self._options)
        except RefusedError as error:
            raise WorkflowError(str(error)) from None

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a job; Snakemake calls this again for a job that is retried."""
        self._refuse(job if job.is_group() else (job,), ())  # what a checkpoint added was not looked at
        request = Request(
            rule=str(job.name),
            queue=self._queue(job),
            timeout_seconds=_seconds(job.resources) or int(self.settings.task_timeout),
        )
        try:
            submitted = JobBuilder(
                logger=self.logger,
                job=job,
                envvars=self.envvars(),
                container_image=self.container_image,
                settings=self.settings,
                job_command=self.format_job_exec(job),
                batch_client=self._jobs.asking_for(request),
            ).submit()
        except Exception as error:
            # Snakemake stops at this, and ends what runs; anything else would leave it waiting for a job never made.
            raise WorkflowError(f"AWS Batch did not take a job of rule {job.name}: {error}") from error
        emit(
            "submitted",
            job=str(job.jobid),
            rule=str(job.name),
            wildcards=_wildcards(job),
            id=submitted["jobId"],
            name=submitted["jobName"],
        )
        info = SubmittedJobInfo(job=job, external_jobid=submitted["jobId"], aux=dict(submitted))
        self.report_job_submission(info)

    def report_job_success(self, job_info: SubmittedJobInfo) -> None:
        """Tell the launcher, too."""
        emit("finished", job=str(job_info.job.jobid))
        super().report_job_success(job_info)

    def report_job_error(self, job_info: SubmittedJobInfo, msg: str | None = None, **more: object) -> None:
        """Tell the launcher, too, and remember whether the job is to leave Spot."""
        detail = self._jobs.describe(job_info.external_jobid)
        if lost_its_capacity(detail):
            self._without_capacity.add(str(job_info.job.jobid))
        emit("failed", job=str(job_info.job.jobid), rule=str(job_info.job.name))
        if ends_the_same_again(detail, self._log_of(job_info.external_jobid)):
            for job in job_info.job if job_info.job.is_group() else (job_info.job,):
                job.rule.restart_times = 0
        super().report_job_error(job_info, msg=msg, **more)

    def cleanup_job_resources(self, job: SubmittedJobInfo) -> None:
        """Nothing: the job has ended, and its definition is the launch's."""

    def cancel_jobs(self, active_jobs: Sequence[SubmittedJobInfo]) -> None:  # noqa: ARG002 - Snakemake's interface
        """End all jobs of this run, also those that are being looked at just now and are not in `active_jobs`."""
        self.logger.info("Terminating the jobs in AWS Batch.")
        self._jobs.terminate_all()

    def _log_of(self, job_id: str) -> str:
        """The end of a job's log; empty if there is none, or it cannot be read."""
        described = self._jobs.describe(job_id)
        stream = described.get("container", {}).get("logStreamName") if described else None
        try:
            return log_tail(self._options.log_group, stream, region=self.settings.region) if stream else ""
        except Exception:  # the job is tried again, as without its log
            return ""

    def _queue(self, job: JobExecutorInterface) -> str:
        settings = self.settings
        if settings.on_demand_queue and str(job.jobid) in self._without_capacity:
            return str(settings.on_demand_queue)
        return str(settings.job_queue)


def _seconds(resources: Mapping[str, Any]) -> int | None:
    """The rule's `runtime` (minutes) in seconds; Batch takes at least 60."""
    runtime = resources.get("runtime")
    return max(60, 60 * int(runtime)) if isinstance(runtime, int) else None


def _wildcards(job: JobExecutorInterface) -> dict[str, str]:
    """Of a group of jobs there are none."""
    return {} if job.is_group() else {name: str(value) for name, value in job.wildcards_dict.items()}
