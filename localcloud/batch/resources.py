"""Compute environments, job queues, scheduling policies and job definitions, with the checks that Batch makes.

Members and refusals follow the AWS Batch API reference. Changes are not thread-safe: BatchService holds a lock.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from localcloud.batch.retry import RetryStrategy, parse_retry_strategy
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
        queue = self.registry.find(queue_arn)
        for each in queue["computeEnvironmentOrder"] if queue else ():
            environment = self._environments.registry.find(each["computeEnvironment"])
            if environment is not None and environment["state"] == ENABLED:
                return environment
        return None

    # What the scheduler asks (scheduler.Queues):
    def priority(self, queue_arn: str) -> int:
        """The queue's priority; higher goes first."""
        queue = self.registry.find(queue_arn)
        return int(queue["priority"]) if queue else 0

    def can_run(self, queue_arn: str) -> bool:
        """Whether an enabled compute environment serves the queue."""
        return self.enabled_environment(queue_arn) is not None

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


class JobDefinitions:
    """Revisions of job definitions; a deregistered one stays, INACTIVE."""

    def __init__(self, arn_prefix: str, min_timeout_seconds: int) -> None:
        self._arn_prefix = f"{arn_prefix}:job-definition/"
        self._min_timeout_seconds = min_timeout_seconds
        self._revisions: dict[str, list[Document]] = {}
        self._by_arn: dict[str, Document] = {}

    def register(self, params: Document) -> Document:
        """RegisterJobDefinition."""
        require(params, "jobDefinitionName", "type")
        name = params["jobDefinitionName"]
        check_name("jobDefinitionName", name)
        if params["type"] != "container":
            refuse(f"type {params['type']}: only container job definitions run in the local cloud.")
        container = params.get("containerProperties")
        if container is None:
            refuse("containerProperties must be provided for a job definition of type container.")
        check_container(container)
        parse_retry(params.get("retryStrategy", {}))
        parse_timeout(params.get("timeout"), self._min_timeout_seconds)
        revisions = self._revisions.setdefault(name, [])
        revision = len(revisions) + 1
        arn = f"{self._arn_prefix}{name}:{revision}"
        document = {
            **params,
            "jobDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "containerOrchestrationType": "ECS",
            "tags": dict(params.get("tags", {})),
        }
        revisions.append(document)
        self._by_arn[arn] = document
        return {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision}

    def deregister(self, params: Document) -> Document:
        """DeregisterJobDefinition, by ARN or `name:revision`. Doing it again changes nothing."""
        require(params, "jobDefinition")
        document = self.find(params["jobDefinition"])
        if document is None:
            refuse(f"Job definition {params['jobDefinition']} does not exist.")
        document["status"] = "INACTIVE"
        return {}

    def active(self, reference: str) -> Document:
        """The definition that SubmitJob means by an ARN, `name:revision`, or a name (its newest active revision)."""
        document = self.find(reference)
        if document is None:
            active = [each for each in self._revisions.get(reference, ()) if each["status"] == "ACTIVE"]
            document = active[-1] if active else None
        if document is None or document["status"] != "ACTIVE":
            refuse(f"Job definition {reference} does not exist or is not active.")
        return document

    def find(self, reference: str) -> Document | None:
        """A revision by ARN or `name:revision`."""
        return self._by_arn.get(reference) or self._by_arn.get(self._arn_prefix + reference)

    def select(self, params: Document) -> list[Document]:
        """What DescribeJobDefinitions asks for, oldest first."""
        if params.get("jobDefinitions"):
            found = [document for each in params["jobDefinitions"] if (document := self.find(each)) is not None]
        elif params.get("jobDefinitionName"):
            found = list(self._revisions.get(params["jobDefinitionName"], ()))
        else:
            found = list(self._by_arn.values())
        status = params.get("status")
        return [document for document in found if status in (None, document["status"])]


def check_container(container: Document) -> None:
    """Refuse containerProperties that Batch refuses."""
    require(container, "image")
    for kind, older_member in (("VCPU", "vcpus"), ("MEMORY", "memory")):
        if resource(container, kind) is None and older_member not in container:
            refuse(f"resourceRequirements must include {kind}.")
    volumes = {volume.get("name") for volume in container.get("volumes", [])}
    for point in container.get("mountPoints", []):
        if point.get("sourceVolume") not in volumes:
            refuse(f"mountPoints refer to volume {point.get('sourceVolume')!r}, which is not among the volumes.")
        require(point, "containerPath")
    check_environment(container.get("environment", []))
    driver = container.get("logConfiguration", {}).get("logDriver", "awslogs")
    if driver != "awslogs":
        refuse(f"Log driver {driver} is not supported by the local cloud.")


def check_environment(environment: Iterable[Document]) -> None:
    """Refuse variables with Batch's own prefix."""
    for pair in environment:
        if str(pair.get("name", "")).startswith("AWS_BATCH"):
            refuse(f"Environment variable names cannot start with AWS_BATCH: {pair['name']}.")


def resource(container: Mapping[str, Any], kind: str) -> str | None:
    """Value of a resource requirement (`VCPU`; `MEMORY` in MiB), if it is given."""
    for each in container.get("resourceRequirements", []):
        if each["type"] == kind:
            return str(each["value"])
    return None


def parse_retry(document: Document) -> RetryStrategy:
    """Read a RetryStrategy; refuses what Batch refuses."""
    try:
        return parse_retry_strategy(document)
    except ValueError as error:
        refuse(str(error))


def parse_timeout(document: Document | None, minimum: int) -> int | None:
    """Seconds that an attempt may take, if limited."""
    if not document or "attemptDurationSeconds" not in document:
        return None
    seconds = int(document["attemptDurationSeconds"])
    if seconds < minimum:
        refuse(f"attemptDurationSeconds must be at least {minimum}.")
    return seconds
