"""The operations of AWS Batch."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from localcloud.batch.attempt import FAILED_TO_START, Injection, JobAttempts
from localcloud.batch.definitions import JobDefinitions
from localcloud.batch.events import Listener
from localcloud.batch.hosts import Hosts, ThisMachine
from localcloud.batch.job import EndListener, Job, JobStatus, describe_job, summarize_job
from localcloud.batch.listing import job_filter
from localcloud.batch.logs import LogSink
from localcloud.batch.resources import (
    DISABLED,
    MIN_TIMEOUT_SECONDS,
    ComputeEnvironments,
    Document,
    JobQueues,
    refuse,
    require,
)
from localcloud.batch.runner import ContainerRunner
from localcloud.batch.scheduler import Scheduler
from localcloud.batch.submission import parse_submission
from localcloud.paging import BadTokenError, page
from localcloud.service import operation_of

MAX_DESCRIBED: Final = 100
"""Ids that one DescribeJobs call may name; also the page size of the Describe operations."""

MAX_LISTED: Final = 1_000
"""Largest page of ListJobs."""

HOST_LOST: Final = "Host EC2 (instance i-0123456789abcdef0) terminated."
"""What a job's statusReason says after its Spot instance was reclaimed."""

_NOT_STARTED: Final = ("Cannot", "DockerTimeoutError", "ResourceInitializationError")
"""How the ECS agent's reason begins for a container that did not start."""


class BatchService:
    """AWS Batch on this machine's cores. Implements localcloud.service.Batch."""

    name = "batch"

    def __init__(
        self,
        *,
        runner: ContainerRunner,
        logs: LogSink,
        region: str,
        account: str,
        cores: int | None = None,
        min_timeout_seconds: int = MIN_TIMEOUT_SECONDS,
        clock_speed: float = 1,
        hosts: Hosts | None = None,
    ) -> None:
        """`cores` that jobs share: all of the machine's by default. `min_timeout_seconds`: AWS refuses shorter ones.

        `clock_speed`: how fast the time of a job passes that waits for an instance that there will never be.
        `hosts`: the instances that jobs run on; by default a nameless one for all.
        """
        ecs_arn_prefix = f"arn:aws:ecs:{region}:{account}"
        arn_prefix = f"arn:aws:batch:{region}:{account}"
        self._min_timeout_seconds = min_timeout_seconds
        self._lock = threading.RLock()
        self._environments = ComputeEnvironments(arn_prefix)
        self._queues = JobQueues(arn_prefix, self._environments)
        self._definitions = JobDefinitions(arn_prefix, min_timeout_seconds)
        self._attempts = JobAttempts(
            runner=runner,
            logs=logs,
            environment_of=self._queue_environment,
            ecs_arn_prefix=ecs_arn_prefix,
            hosts=hosts or ThisMachine(ecs_arn_prefix),
        )
        self._scheduler = Scheduler(
            self._queues, self._attempts, cores or os.cpu_count() or 1, f"{arn_prefix}:job/", clock_speed
        )
        self.operations: Mapping[str, Callable[[Document], Document]] = {
            "CreateComputeEnvironment": self._environments.create,
            "UpdateComputeEnvironment": self._update_compute_environment,
            "DeleteComputeEnvironment": self._delete_compute_environment,
            "DescribeComputeEnvironments": self._describe_compute_environments,
            "CreateJobQueue": self._queues.create,
            "UpdateJobQueue": self._update_job_queue,
            "DeleteJobQueue": self._delete_job_queue,
            "DescribeJobQueues": self._describe_job_queues,
            "CreateSchedulingPolicy": self._queues.create_policy,
            "DeleteSchedulingPolicy": self._queues.delete_policy,
            "DescribeSchedulingPolicies": self._describe_scheduling_policies,
            "RegisterJobDefinition": self._definitions.register,
            "DeregisterJobDefinition": self._definitions.deregister,
            "DescribeJobDefinitions": self._describe_job_definitions,
            "SubmitJob": self._submit_job,
            "DescribeJobs": self._describe_jobs,
            "ListJobs": self._list_jobs,
            "CancelJob": self._cancel_job,
            "TerminateJob": self._terminate_job,
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_tags,
        }

    # --- What the rest of the local cloud calls ----------------------------------------------------------------------
    def call(self, operation: str, params: Document) -> Document:
        """Answer one operation. Raises ServiceError."""
        answer = operation_of("Batch", self.operations, operation)
        if operation == "ListTagsForResource":
            # IAM asks for tags before it lets a request in. Whoever holds the lock may wait for another request to be
            # let in (a job's host asks EC2 for its zone): neither would go on.
            return answer(params)
        with self._lock:
            return answer(params)

    def on_job_end(self, job_id: str, callback: EndListener) -> None:
        """Call `callback` once with the job's detail when it has ended. Raises ServiceError for an unknown job."""
        self._scheduler.on_end(self._job(job_id), callback)

    def wait(self, job_id: str, timeout: float | None = None) -> Document:
        """Block until the job has ended and answer its detail. Raises TimeoutError after `timeout` seconds."""
        ended = threading.Event()
        details: list[Document] = []

        def note(detail: Document) -> None:
            details.append(detail)
            ended.set()

        self.on_job_end(job_id, note)
        if not ended.wait(timeout):
            raise TimeoutError(f"Job {job_id} has not ended within {timeout} s")
        return details[0]

    def subscribe(self, callback: Listener) -> None:
        """Call `callback` with each event: a job has changed its state, or blocks its queue."""
        self._scheduler.subscribe(callback)

    def inject(
        self,
        job_name: str,
        *,
        status_reason: str | None = None,
        reason: str | None = None,
        exit_code: int | None = None,
        times: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Let the next `times` attempts of jobs whose name matches the glob fail so, without running.

        `name:index` names one child of an array. By default the attempt loses its Spot instance, or with a `reason`
        such as `CannotStartContainerError: ...` its container does not start. With an `environment` the attempt runs,
        with these variables in addition.
        """
        if status_reason is None:
            status_reason = FAILED_TO_START if (reason or "").startswith(_NOT_STARTED) else HOST_LOST
        self._attempts.injections.add(Injection(job_name, status_reason, reason, exit_code, times, environment))

    def hold_back(self, job_name: str, reason: str) -> None:
        """Let jobs whose name matches the glob stay RUNNABLE, with this statusReason (`UNDETERMINED - ...`)."""
        self._scheduler.hold_back(job_name, reason)

    def close(self) -> None:
        """Stop every job and wait for its processes to be gone."""
        self._scheduler.close()

    # --- Compute environments, queues and definitions ----------------------------------------------------------------
    def _update_compute_environment(self, params: Document) -> Document:
        answer = self._environments.update(params)
        self._scheduler.requeue()
        return answer

    def _delete_compute_environment(self, params: Document) -> Document:
        require(params, "computeEnvironment")
        environment = self._environments.registry.find(params["computeEnvironment"])
        if environment is None:
            return {}
        if environment["state"] != DISABLED:
            refuse("Cannot delete, resource must be DISABLED first.")
        if self._queues.uses(environment["computeEnvironmentArn"]):
            refuse("Cannot delete, found existing JobQueue relationship.")
        self._environments.registry.remove(environment["computeEnvironmentArn"])
        return {}

    def _describe_compute_environments(self, params: Document) -> Document:
        found = self._environments.registry.select(params.get("computeEnvironments"))
        return _page("computeEnvironments", found, params, MAX_DESCRIBED)

    def _update_job_queue(self, params: Document) -> Document:
        answer = self._queues.update(params)
        self._scheduler.requeue()
        return answer

    def _delete_job_queue(self, params: Document) -> Document:
        require(params, "jobQueue")
        queue = self._queues.registry.find(params["jobQueue"])
        if queue is None:
            return {}
        if queue["state"] != DISABLED:
            refuse("Cannot delete, resource must be DISABLED first.")
        for job in self._scheduler.select(lambda job: job.spec.queue_arn == queue["jobQueueArn"] and not job.ended):
            self._scheduler.terminate(job, "The job queue was deleted")
        self._queues.registry.remove(queue["jobQueueArn"])
        return {}

    def _describe_job_queues(self, params: Document) -> Document:
        return _page("jobQueues", self._queues.registry.select(params.get("jobQueues")), params, MAX_DESCRIBED)

    def _describe_scheduling_policies(self, params: Document) -> Document:
        return {"schedulingPolicies": [dict(each) for each in self._queues.policies.select(params.get("arns"))]}

    def _describe_job_definitions(self, params: Document) -> Document:
        return _page("jobDefinitions", self._definitions.select(params), params, MAX_DESCRIBED)

    def compute_environment(self, queue_arn: str) -> Document | None:
        """The compute environment whose instances run a queue's jobs."""
        return self._queues.enabled_environment(queue_arn)

    def _queue_environment(self, job: Job) -> Mapping[str, str]:
        with self._lock:
            environment = self._queues.enabled_environment(job.spec.queue_arn) or {}
        return {
            "AWS_BATCH_JQ_NAME": job.spec.queue_arn.rpartition("/")[2],
            "AWS_BATCH_CE_NAME": environment.get("computeEnvironmentName", ""),
        }

    # --- Jobs --------------------------------------------------------------------------------------------------------
    def _submit_job(self, params: Document) -> Document:
        submission = parse_submission(
            params,
            queues=self._queues,
            definitions=self._definitions,
            find_job=self._scheduler.find,
            min_timeout_seconds=self._min_timeout_seconds,
        )
        job = self._scheduler.submit(submission)
        return {"jobArn": job.arn, "jobName": job.spec.name, "jobId": job.id}

    def _describe_jobs(self, params: Document) -> Document:
        ids = params.get("jobs", [])
        if len(ids) > MAX_DESCRIBED:
            refuse(f"DescribeJobs takes at most {MAX_DESCRIBED} job ids.")
        return {"jobs": self._scheduler.read(ids, describe_job)}

    def _list_jobs(self, params: Document) -> Document:
        jobs = self._listed(params)
        limit = min(params.get("maxResults", MAX_LISTED), MAX_LISTED)
        chosen, token = _cut(jobs, limit, params.get("nextToken"))
        summaries = self._scheduler.read([job.id for job in chosen], summarize_job)
        return {"jobSummaryList": summaries, **({"nextToken": token} if token else {})}

    def _listed(self, params: Document) -> Sequence[Job]:
        if sum(name in params for name in ("jobQueue", "arrayJobId", "multiNodeJobId")) != 1:
            refuse("Exactly one of jobQueue, arrayJobId and multiNodeJobId must be specified.")
        if "arrayJobId" in params:
            status = params.get("jobStatus", JobStatus.RUNNING)
            return [child for child in self._job(params["arrayJobId"]).children if child.status == status]
        if "multiNodeJobId" in params:
            refuse("Multi-node jobs are not supported by the local cloud.")
        queue_arn = self._queues.registry.get(params["jobQueue"])["jobQueueArn"]
        wanted = job_filter(params)
        # Newest first, as AWS answers.
        return self._scheduler.select(lambda job: job.spec.queue_arn == queue_arn and wanted(job))[::-1]

    def _cancel_job(self, params: Document) -> Document:
        require(params, "jobId", "reason")
        self._scheduler.cancel(self._job(params["jobId"]), params["reason"])
        return {}

    def _terminate_job(self, params: Document) -> Document:
        require(params, "jobId", "reason")
        self._scheduler.terminate(self._job(params["jobId"]), params["reason"])
        return {}

    def _job(self, job_id: str) -> Job:
        job = self._scheduler.find(job_id)
        if job is None:
            refuse(f"Job {job_id} does not exist.")
        return job

    # --- Tags --------------------------------------------------------------------------------------------------------
    def _tag_resource(self, params: Document) -> Document:
        require(params, "resourceArn", "tags")
        self._tags_of(params["resourceArn"]).update(params["tags"])
        return {}

    def _untag_resource(self, params: Document) -> Document:
        require(params, "resourceArn", "tagKeys")
        tags = self._tags_of(params["resourceArn"])
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, params: Document) -> Document:
        require(params, "resourceArn")
        return {"tags": dict(self._tags_of(params["resourceArn"]))}

    def _tags_of(self, arn: str) -> dict[str, str]:
        job = self._scheduler.find(arn.partition(":job/")[2])
        if job is not None:
            return job.tags
        registries = (self._environments.registry, self._queues.registry, self._queues.policies)
        document = next((found for registry in registries if (found := registry.find(arn))), None)
        document = document or self._definitions.find(arn)
        if document is None:
            refuse(f"Resource {arn} does not exist.")
        tags: dict[str, str] = document["tags"]
        return tags


def _page(member: str, documents: Sequence[Document], params: Document, largest: int) -> Document:
    chosen, token = _cut(documents, min(params.get("maxResults", largest), largest), params.get("nextToken"))
    # Copies of the top level: what a resource's update changes later must not change an answer on its way out.
    return {member: [dict(each) for each in chosen], **({"nextToken": token} if token else {})}


def _cut(items: Sequence[Any], limit: int, token: str | None) -> tuple[Sequence[Any], str | None]:
    try:
        return page(items, limit, token)
    except BadTokenError:
        refuse("Invalid nextToken.")
