"""Compute environments, job queues and scheduling policies, with the checks that Batch makes.

Members and refusals follow the AWS Batch API reference. Changes are not thread-safe: BatchService holds a lock.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from localcloud.batch.capacity import why_stuck
from localcloud.batch.job import JobSpec
from localcloud.service import ServiceError

Document = dict[str, Any]

ENABLED: Final = "ENABLED"
DISABLED: Final = "DISABLED"

MAX_ENVIRONMENTS: Final = 3
"""Compute environments of a queue."""

MIN_TIMEOUT_SECONDS: Final = 60

_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")


def refuse(message: str) -> NoReturn:
    """Refuse a request as Batch does."""
    raise ServiceError("ClientException", f"Error executing request, Exception : {message}")


def require(params: Mapping[str, Any], *names: str) -> None:
    """Refuse a request that lacks a member."""
    for name in names:
        if params.get(name) in (None, ""):
            refuse(f"{name} is required.")


def check_name(kind: str, name: str) -> None:
    """Refuse a name that Batch does not take."""
    if not _NAME.match(name):
        refuse(
            f"{kind} {name!r} must be up to 128 letters, numbers, hyphens and underscores, starting with "
            "a letter or number."
        )


class Registry:
    """Documents of one kind, found by name or ARN."""

    def __init__(self, kind: str, arn_prefix: str) -> None:
        self._kind = kind
        self._arn_prefix = arn_prefix
        self._documents: dict[str, Document] = {}

    def arn(self, name: str) -> str:
        """The ARN of the resource of this name."""
        return self._arn_prefix + name

    def add(self, name: str, document: Document) -> None:
        """Keep a new document; refuses a second one of the same name."""
        check_name(self._kind, name)
        arn = self.arn(name)
        if arn in self._documents:
            refuse(f"Object already exists: {self._kind} {name}")
        self._documents[arn] = document

    def find(self, name_or_arn: str) -> Document | None:
        """The document, or None."""
        arn = name_or_arn if name_or_arn.startswith("arn:") else self.arn(name_or_arn)
        return self._documents.get(arn)

    def get(self, name_or_arn: str) -> Document:
        """The document; refuses an unknown name."""
        document = self.find(name_or_arn)
        if document is None:
            refuse(f"{self._kind} {name_or_arn} does not exist.")
        return document

    def remove(self, arn: str) -> None:
        """Forget a document."""
        self._documents.pop(arn, None)

    def select(self, names: Iterable[str] | None) -> list[Document]:
        """Those named, leaving out unknown ones; all without names."""
        if not names:
            return list(self._documents.values())
        return [document for name in names if (document := self.find(name)) is not None]


class ComputeEnvironments:
    """Compute environments. They are valid at once and hold no instances: jobs run on this machine."""

    def __init__(self, arn_prefix: str) -> None:
        self.registry = Registry("compute environment", f"{arn_prefix}:compute-environment/")

    def create(self, params: Document) -> Document:
        """CreateComputeEnvironment."""
        require(params, "computeEnvironmentName", "type")
        name = params["computeEnvironmentName"]
        if params["type"] not in {"MANAGED", "UNMANAGED"}:
            refuse(f"type {params['type']} must be MANAGED or UNMANAGED.")
        if params["type"] == "MANAGED":
            _check_compute_resources(params.get("computeResources"))
        arn = self.registry.arn(name)
        document = {
            **params,
            "computeEnvironmentArn": arn,
            "ecsClusterArn": f"{arn.replace(':batch:', ':ecs:').split(':compute-environment/')[0]}:cluster/{name}",
            "uuid": str(uuid.uuid4()),
            "containerOrchestrationType": "ECS",
            "state": params.get("state", ENABLED),
            "status": "VALID",
            "statusReason": "ComputeEnvironment Healthy",
            "tags": dict(params.get("tags", {})),
        }
        self.registry.add(name, document)
        return {"computeEnvironmentName": name, "computeEnvironmentArn": arn}

    def update(self, params: Document) -> Document:
        """UpdateComputeEnvironment."""
        require(params, "computeEnvironment")
        document = self.registry.get(params["computeEnvironment"])
        for member in ("state", "serviceRole", "unmanagedvCpus", "updatePolicy"):
            if member in params:
                document[member] = params[member]
        if "computeResources" in params:
            document["computeResources"] = {**document.get("computeResources", {}), **params["computeResources"]}
        return {name: document[name] for name in ("computeEnvironmentName", "computeEnvironmentArn")}


def _check_compute_resources(resources: Document | None) -> None:
    if resources is None:
        refuse("computeResources must be provided for a MANAGED compute environment.")
    require(resources, "type", "maxvCpus", "subnets")
    if resources["type"] in {"EC2", "SPOT"}:
        require(resources, "instanceRole", "instanceTypes")


class JobQueues:
    """Job queues and the scheduling policies that make some of them fair-share queues."""

    def __init__(self, arn_prefix: str, environments: ComputeEnvironments) -> None:
        self.registry = Registry("job queue", f"{arn_prefix}:job-queue/")
        self.policies = Registry("scheduling policy", f"{arn_prefix}:scheduling-policy/")
        self._environments = environments

    def create(self, params: Document) -> Document:
        """CreateJobQueue."""
        require(params, "jobQueueName", "priority", "computeEnvironmentOrder")
        name = params["jobQueueName"]
        self._check(params)
        arn = self.registry.arn(name)
        document = {
            **params,
            "jobQueueArn": arn,
            "state": params.get("state", ENABLED),
            "status": "VALID",
            "statusReason": "JobQueue Healthy",
            "computeEnvironmentOrder": self._in_order(params["computeEnvironmentOrder"]),
            "tags": dict(params.get("tags", {})),
        }
        self.registry.add(name, document)
        return {"jobQueueName": name, "jobQueueArn": arn}

    def update(self, params: Document) -> Document:
        """UpdateJobQueue. A FIFO queue stays one, and a fair-share queue too."""
        require(params, "jobQueue")
        document = self.registry.get(params["jobQueue"])
        if "schedulingPolicyArn" in params and "schedulingPolicyArn" not in document:
            refuse("A scheduling policy cannot be added to a job queue that was created without one.")
        self._check({**document, **params})
        for member in ("state", "priority", "schedulingPolicyArn", "jobStateTimeLimitActions"):
            if member in params:
                document[member] = params[member]
        if "computeEnvironmentOrder" in params:
            document["computeEnvironmentOrder"] = self._in_order(params["computeEnvironmentOrder"])
        return {name: document[name] for name in ("jobQueueName", "jobQueueArn")}

    def create_policy(self, params: Document) -> Document:
        """CreateSchedulingPolicy."""
        require(params, "name")
        name = params["name"]
        arn = self.policies.arn(name)
        self.policies.add(name, {**params, "arn": arn, "tags": dict(params.get("tags", {}))})
        return {"name": name, "arn": arn}

    def delete_policy(self, params: Document) -> Document:
        """DeleteSchedulingPolicy; refused while a queue uses it."""
        require(params, "arn")
        document = self.policies.get(params["arn"])
        if any(queue.get("schedulingPolicyArn") == document["arn"] for queue in self.registry.select(None)):
            refuse(f"Cannot delete, found existing job queue relationship with scheduling policy {document['name']}.")
        self.policies.remove(document["arn"])
        return {}

    def uses(self, environment_arn: str) -> bool:
        """Whether a queue is served by this compute environment."""
        return any(
            each["computeEnvironment"] == environment_arn
            for queue in self.registry.select(None)
            for each in queue["computeEnvironmentOrder"]
        )

    def enabled_environment(self, queue_arn: str) -> Document | None:
        """The first enabled compute environment of a queue."""
        return next(iter(self._enabled_environments(queue_arn)), None)

    def _enabled_environments(self, queue_arn: str) -> list[Document]:
        queue = self.registry.find(queue_arn)
        order = queue["computeEnvironmentOrder"] if queue else ()
        found = (self._environments.registry.find(each["computeEnvironment"]) for each in order)
        return [environment for environment in found if environment is not None and environment["state"] == ENABLED]

    # What the scheduler asks (scheduler.Queues):
    def priority(self, queue_arn: str) -> int:
        """The queue's priority; higher goes first."""
        queue = self.registry.find(queue_arn)
        return int(queue["priority"]) if queue else 0

    def can_run(self, queue_arn: str) -> bool:
        """Whether an enabled compute environment serves the queue."""
        return self.enabled_environment(queue_arn) is not None

    def why_stuck(self, spec: JobSpec) -> str | None:
        """Why no enabled compute environment of the job's queue will ever run it; None if one may."""
        return why_stuck(spec, self._enabled_environments(spec.queue_arn))

    def time_limit(self, queue_arn: str, reason: str) -> int | None:
        """Seconds after which the queue cancels a job at its head that waits for this reason; None: never."""
        queue = self.registry.find(queue_arn) or {}
        limits = (
            int(action["maxTimeSeconds"])
            for action in queue.get("jobStateTimeLimitActions", ())
            if action["state"] == "RUNNABLE" and reason.startswith(action["reason"])
        )
        return min(limits, default=None)

    def _check(self, params: Document) -> None:
        if not 1 <= len(params["computeEnvironmentOrder"]) <= MAX_ENVIRONMENTS:
            refuse(f"A job queue needs 1 to {MAX_ENVIRONMENTS} compute environments.")
        for each in params["computeEnvironmentOrder"]:
            self._environments.registry.get(each["computeEnvironment"])
        if "schedulingPolicyArn" in params:
            self.policies.get(params["schedulingPolicyArn"])
        if not 0 <= params["priority"] <= 1000:
            refuse("Job queue priority must be between 0 and 1000.")

    def _in_order(self, order: list[Document]) -> list[Document]:
        environments = self._environments.registry
        return [
            {
                "order": each["order"],
                "computeEnvironment": environments.get(each["computeEnvironment"])["computeEnvironmentArn"],
            }
            for each in sorted(order, key=lambda each: int(each["order"]))
        ]
