"""Reads usage from events of Batch, ECS and EC2.

An event of Batch has the whole job in its `detail`, with its ended attempts, and the container instance and task of the
one that runs; of tags it has only a resource's ARN, so the launch is told by the job's name, or by tags where they are
there (AWS Batch user guide, "Job state change events"). An event of ECS has a task's overrides, of which the launcher's
environment names the launch. An event of EC2 has an instance's id and state, and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from genolaunch.contract.project import TAG_ATTEMPT, TAG_LAUNCH_ID
from genolaunch.contract.usage import UsageField
from lambdas.shared.clock import timestamp
from lambdas.shared.run_names import Owner, owner_by_name

Detail = Mapping[str, Any]

BATCH: Final = "Batch Job State Change"
ECS: Final = "ECS Task State Change"
EC2: Final = "EC2 Instance State-change Notification"
INTERRUPTION: Final = "EC2 Spot Instance Interruption Warning"


@dataclass(frozen=True, slots=True)
class JobFact:
    """What is known of one attempt of a job; values of UsageField, None where it is not known."""

    owner: Owner
    task: str
    values: Mapping[str, Any]

    @property
    def container_instance(self) -> str | None:
        """ARN, if it has one."""
        return self.values.get(UsageField.CONTAINER_INSTANCE)


@dataclass(frozen=True, slots=True)
class TaskFact:
    """What is known of a Fargate task."""

    owner: Owner
    task: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InstanceFact:
    """An instance is in a state since a time."""

    instance_id: str
    state: str
    at: str
    is_interrupted: bool = False


def owner_by_tags(tags: Mapping[str, str]) -> Owner | None:
    """The launch and attempt that tags name."""
    attempt = tags.get(TAG_ATTEMPT, "")
    return Owner(tags[TAG_LAUNCH_ID], int(attempt)) if tags.get(TAG_LAUNCH_ID) and attempt.isdecimal() else None


def job_facts(job: Detail) -> Iterator[JobFact]:
    """The attempts of a job, from an event's detail or from DescribeJobs. A job of no launch has none."""
    owner = owner_by_tags(job.get("tags") or {}) or owner_by_name(job["jobName"])
    if owner is None:
        return
    for attempt in job.get("attempts", ()):
        yield from _job_fact(owner, job, attempt.get("container", {}), attempt.get("startedAt"), attempt["stoppedAt"])
    if job["status"] == "RUNNING":
        yield from _job_fact(owner, job, job.get("container", {}), job.get("startedAt"), None)


def _job_fact(
    owner: Owner, job: Detail, container: Detail, started: int | None, stopped: int | None
) -> Iterator[JobFact]:
    task = container.get("taskArn")
    # An attempt that never had a container used nothing.
    if not task or (stopped is not None and started is None):
        return
    values = {
        UsageField.ATTEMPT: owner.attempt,
        UsageField.JOB_NAME: job["jobName"],
        UsageField.JOB_ID: job["jobId"],
        UsageField.CONTAINER_INSTANCE: container.get("containerInstanceArn"),
        UsageField.VCPUS: _resource(job, "VCPU", "vcpus"),
        UsageField.MEMORY_MIB: _resource(job, "MEMORY", "memory"),
        UsageField.STARTED_AT: _moment(started),
        UsageField.STOPPED_AT: _moment(stopped),
    }
    yield JobFact(owner, task.rpartition("/")[2], values)


def _resource(job: Detail, kind: str, older_member: str) -> str:
    container = job.get("container", {})
    given = [each["value"] for each in container.get("resourceRequirements", ()) if each["type"] == kind]
    return str(given[0] if given else container.get(older_member, 0))


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(datetime.fromtimestamp(milliseconds / 1000, UTC))


def fargate_fact(task: Detail, tags: Mapping[str, str]) -> TaskFact | None:
    """A Fargate task of a launch, from an event's detail or from DescribeTasks; None for anything else.

    `tags` of the task, where they were looked up: events have none.
    """
    if task.get("launchType") != "FARGATE":
        return None
    owner = owner_by_tags(tags) or _owner_by_environment(task)
    if owner is None:
        return None
    values = {
        UsageField.ATTEMPT: owner.attempt,
        UsageField.JOB_NAME: task.get("group", "").rpartition(":")[2] or "task",
        UsageField.REGION: task["taskArn"].split(":")[3],
        UsageField.IS_ARM: _architecture(task.get("attributes", ())) == "arm64",
        UsageField.VCPUS: str(Decimal(task["cpu"]) / 1024),
        UsageField.MEMORY_MIB: str(task["memory"]),
        UsageField.STORAGE_GIB: int((task.get("ephemeralStorage") or {}).get("sizeInGiB", 20)),
        # Billing begins with the download of the image.
        UsageField.STARTED_AT: _text(task.get("pullStartedAt") or task.get("startedAt")),
        UsageField.STOPPED_AT: _text(task.get("stoppedAt")),
    }
    return TaskFact(owner, task["taskArn"].rpartition("/")[2], values)


def _owner_by_environment(task: Detail) -> Owner | None:
    for container in (task.get("overrides") or {}).get("containerOverrides", ()):
        variables = {each["name"]: each.get("value", "") for each in container.get("environment", ())}
        owner = owner_by_tags(
            {TAG_LAUNCH_ID: variables.get("LAUNCH_ID", ""), TAG_ATTEMPT: variables.get("ATTEMPT", "")}
        )
        if owner:
            return owner
    return None


def _architecture(attributes: Sequence[Detail]) -> str:
    return next((each.get("value", "") for each in attributes if each["name"] == "ecs.cpu-architecture"), "")


def _text(moment: str | datetime | None) -> str | None:
    """A time as the table has it, from an event's text or an API's value."""
    if moment is None:
        return None
    return timestamp(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)


def instance_fact(event: Detail) -> InstanceFact:
    """What an event of EC2 says of an instance."""
    detail = event["detail"]
    at = _text(event["time"]) or ""
    if event["detail-type"] == INTERRUPTION:
        # The instance runs for two more minutes, until the event of its change of state.
        return InstanceFact(detail["instance-id"], "running", at, is_interrupted=True)
    return InstanceFact(detail["instance-id"], detail["state"], at)
