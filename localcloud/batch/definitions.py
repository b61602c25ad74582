"""Job definitions, with the checks that Batch makes of containers. Changes are not thread-safe, as in resources."""

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.batch.resources import Document, check_name, refuse, require
from localcloud.batch.retry import RetryStrategy, parse_retry_strategy


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
