"""One task: what ECS tells of it."""

import copy
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.batch.runner import StopSignal


@dataclass(slots=True)
class Task:
    """A task, and the signal that stops its container. Its detail is changed by `change` alone."""

    detail: dict[str, Any]
    """As DescribeTasks shows it."""
    definition: Mapping[str, Any]
    stop: StopSignal = field(default_factory=StopSignal)
    stopped_at: float | None = None
    """Monotonic seconds."""
    vanished: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def arn(self) -> str:
        return str(self.detail["taskArn"])

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def started_by(self) -> str:
        return str(self.detail["startedBy"])

    @property
    def container(self) -> Mapping[str, Any]:
        """The first container of the definition: the others are not run here."""
        container: Mapping[str, Any] = self.definition["containerDefinitions"][0]
        return container

    @property
    def is_stopped(self) -> bool:
        return bool(self.detail["lastStatus"] == "STOPPED")

    def change(self, *, container: Mapping[str, Any] | None = None, **values: object) -> dict[str, Any]:
        """Set members of the detail (and of its container), and answer what it is then."""
        with self._lock:
            self.detail.update(values)
            self.detail["version"] += 1
            self.detail["updatedAt"] = datetime.now(UTC)
            self.detail["containers"][0].update(container or {})
            return copy.deepcopy(self.detail)

    def view(self) -> dict[str, Any]:
        """The detail as it is now."""
        with self._lock:
            return copy.deepcopy(self.detail)

    def ask_to_stop(self, reason: str) -> bool:
        """Note that somebody wants it to stop; False if somebody did before, or it has stopped."""
        with self._lock:
            if self.detail["desiredStatus"] == "STOPPED":
                return False
            self.detail.update(
                desiredStatus="STOPPED",
                stoppingAt=datetime.now(UTC),
                stopCode="UserInitiated",
                stoppedReason=reason,
            )
            return True


def new_task(
    request: Mapping[str, Any], definition: Mapping[str, Any], cluster_arn: str, task_arn: str, zone: str
) -> Task:
    """A task that was just asked for."""
    container = definition["containerDefinitions"][0]
    now = datetime.now(UTC)
    interface = _network_interface(request)
    return Task(
        detail={
            "taskArn": task_arn,
            "clusterArn": cluster_arn,
            "taskDefinitionArn": definition["taskDefinitionArn"],
            "group": request.get("group") or f"family:{definition['family']}",
            "startedBy": request.get("startedBy", ""),
            "launchType": request.get("launchType", "FARGATE"),
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "availabilityZone": zone,
            "cpu": definition.get("cpu", "256"),
            "memory": definition.get("memory", "512"),
            "desiredStatus": "RUNNING",
            "lastStatus": "PROVISIONING",
            "createdAt": now,
            "updatedAt": now,
            "version": 1,
            "tags": list(request.get("tags", [])),
            "overrides": _overrides(request, definition),
            "attachments": [interface],
            "containers": [
                {
                    "containerArn": task_arn.replace(":task/", ":container/"),
                    "taskArn": task_arn,
                    "name": container["name"],
                    "image": container["image"],
                    "lastStatus": "PENDING",
                    "cpu": str(container.get("cpu", 0)),
                    "networkInterfaces": [{"attachmentId": interface["id"], "privateIpv4Address": "10.0.0.1"}],
                }
            ],
        },
        definition=definition,
    )


def _overrides(request: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any]:
    """What RunTask was given; every container is named, also one of which nothing was overridden."""
    given: Mapping[str, Any] = request.get("overrides", {})
    by_name = {each.get("name"): each for each in given.get("containerOverrides", [])}
    names = [container["name"] for container in definition["containerDefinitions"]]
    return {**given, "containerOverrides": [by_name.get(name, {"name": name}) for name in names]}


def _network_interface(request: Mapping[str, Any]) -> dict[str, Any]:
    """The attachment of a task's own network interface, of which there is none here."""
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    details = {
        "subnetId": next(iter(network.get("subnets", [])), ""),
        "networkInterfaceId": f"eni-0{uuid.uuid4().hex[:16]}",
        "privateIPv4Address": "10.0.0.1",
    }
    return {
        "id": str(uuid.uuid4()),
        "type": "eni",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }
