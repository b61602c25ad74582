"""One attempt of a job: what its container is told, where its lines go, and how it ended."""

import fnmatch
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud import container_roles
from localcloud.batch.hosts import Hosts
from localcloud.batch.job import Attempt, Job
from localcloud.batch.logs import LogSink, LogWriter
from localcloud.batch.runner import ContainerRun, ContainerRunner, ContainerStartError, Outcome, StopSignal
from localcloud.limits.batch import MOST_OVERRIDES, OVERRIDES_REASON
from localcloud.limits.sizes import compact

DEFAULT_LOG_GROUP: Final = "/aws/batch/job"

FAILED_TO_START: Final = "Task failed to start"
"""The statusReason of a job whose container could not be started: it was never RUNNING."""

_PARAMETER: Final = re.compile(r"^Ref::(\w+)$")
"""A part of a command that is a parameter of the job: replaced as a whole, as Batch does."""


@dataclass(slots=True)
class Injection:
    """What the next attempts of jobs with a matching name meet: a failure instead of running, or other variables."""

    job_name: str
    """Glob of the job's name; with `:index` of an array's child, if the name has a colon."""
    status_reason: str
    reason: str | None = None
    exit_code: int | None = None
    times: int = 1
    environment: Mapping[str, str] | None = None
    """If given, the attempt runs, with these variables in addition."""

    def matches(self, job: Job) -> bool:
        """Whether the failure is meant for this job."""
        name = job.spec.name if job.index is None or ":" not in self.job_name else f"{job.spec.name}:{job.index}"
        return fnmatch.fnmatchcase(name, self.job_name)


class Injections:
    """Failures that tests have asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Injection] = []

    def add(self, injection: Injection) -> None:
        """Let the next `injection.times` matching attempts fail."""
        with self._lock:
            self._waiting.append(injection)

    def take(self, job: Job) -> Injection | None:
        """What this attempt meets, if anything."""
        with self._lock:
            for injection in self._waiting:
                if injection.matches(job):
                    injection.times -= 1
                    if injection.times <= 0:
                        self._waiting.remove(injection)
                    return injection
        return None


class JobAttempts:
    """Runs attempts in a container runner; implements the scheduler's AttemptRunner."""

    def __init__(
        self,
        *,
        runner: ContainerRunner,
        logs: LogSink,
        environment_of: Callable[[Job], Mapping[str, str]],
        ecs_arn_prefix: str,
        hosts: Hosts,
    ) -> None:
        """`environment_of`: what Batch adds to a job's environment by its queue (AWS_BATCH_JQ_NAME and so on)."""
        self.injections = Injections()
        self._runner = runner
        self._logs = logs
        self._environment_of = environment_of
        self._ecs_arn_prefix = ecs_arn_prefix
        self._hosts = hosts

    def prepare(self, job: Job) -> Attempt:
        """Name the attempt's task, and its log stream as the awslogs driver does."""
        task_id = uuid.uuid4().hex
        prefix = _log_options(job).get("awslogs-stream-prefix", job.spec.definition_name)
        return Attempt(
            task_arn=f"{self._ecs_arn_prefix}:task/localcloud/{task_id}",
            container_instance_arn=self._hosts.place(job),
            log_stream=f"{prefix}/default/{task_id}",
        )

    def run(self, job: Job, attempt: Attempt, stop: StopSignal, started: Callable[[], None]) -> None:
        """Run `attempt` to its end and note in it how it ended. All its lines are with the log sink then."""
        try:
            self._run_or_fail(job, attempt, stop, started)
        finally:
            lost = (attempt.status_reason or "").startswith("Host EC2")
            self._hosts.release(job, attempt.container_instance_arn, lost=lost)

    def _run_or_fail(self, job: Job, attempt: Attempt, stop: StopSignal, started: Callable[[], None]) -> None:
        if self._overrides_size(job) > MOST_OVERRIDES:
            attempt.status_reason = OVERRIDES_REASON
            return
        injection = self.injections.take(job)
        if injection is not None and injection.environment is None:
            if not injection.status_reason.startswith(FAILED_TO_START):
                started()
            attempt.exit_code = injection.exit_code
            attempt.reason = injection.reason
            attempt.status_reason = injection.status_reason
            return
        more = injection.environment if injection else None
        outcome = self._run(job, attempt, stop, started, more or {})
        attempt.exit_code = outcome.exit_code
        attempt.reason = outcome.reason

    def _run(
        self, job: Job, attempt: Attempt, stop: StopSignal, started: Callable[[], None], more: Mapping[str, str]
    ) -> Outcome:
        log = LogWriter(self._logs, _log_group(job), attempt.log_stream)
        log.open()
        try:
            return self._runner.run(self._container_run(job, attempt, more), stop, log, started)
        except ContainerStartError as error:
            attempt.status_reason = FAILED_TO_START
            return Outcome(None, str(error))
        finally:
            log.close()

    def _overrides_size(self, job: Job) -> int:
        """Characters of what Batch hands to ECS with the task: the submission's overrides, and its own variables."""
        own = {**_batch_environment(job), **self._environment_of(job)}
        environment = [{"name": name, "value": value} for name, value in own.items()]
        overrides = {
            **job.spec.overrides,
            "name": "default",
            "environment": [*job.spec.overrides.get("environment", []), *environment],
        }
        return len(compact([overrides]))

    def _container_run(self, job: Job, attempt: Attempt, more: Mapping[str, str]) -> ContainerRun:
        container = job.spec.container
        own = {pair["name"]: pair.get("value", "") for pair in container.get("environment", [])}
        return ContainerRun(
            task_id=attempt.task_arn.rpartition("/")[2],
            image=container["image"],
            command=[_fill_in(part, job.spec.parameters) for part in container.get("command", [])],
            environment={
                **own,
                **_batch_environment(job),
                **self._environment_of(job),
                **container_roles.environment_of(
                    container.get("jobRoleArn"), container.get("executionRoleArn"), _log_group(job)
                ),
                **more,
            },
            volumes=container.get("volumes", []),
            mount_points=container.get("mountPoints", []),
            vcpus=job.spec.cores,
            user=container.get("user"),
        )


def _batch_environment(job: Job) -> dict[str, str]:
    """See "AWS Batch job environment variables" in the user guide."""
    index = {} if job.index is None else {"AWS_BATCH_JOB_ARRAY_INDEX": str(job.index)}
    size = {} if job.parent is None else {"AWS_BATCH_JOB_ARRAY_SIZE": str(len(job.parent.children))}
    return {"AWS_BATCH_JOB_ID": job.id, "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1), **index, **size}


def _fill_in(part: str, parameters: Mapping[str, str]) -> str:
    name = _PARAMETER.match(part)
    return parameters.get(name[1], part) if name else part


def _log_group(job: Job) -> str:
    return str(_log_options(job).get("awslogs-group", DEFAULT_LOG_GROUP))


def _log_options(job: Job) -> dict[str, Any]:
    options: dict[str, Any] = job.spec.container.get("logConfiguration", {}).get("options", {})
    return options
