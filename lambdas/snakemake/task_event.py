"""ECS's description of a task, which has the same shape in an event and in an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from genolaunch.contract.launcher import LAUNCHER_CONTAINER, TASK_NEVER_RAN

_NETWORK_FAULTS: Final = (
    "*network interface*",  # Timeout waiting for network interface provisioning to complete.
    "*Network Interface*",
    "*NetworkInterface*",
    "*Not enough IP space*",
    "*InsufficientFreeAddresses*",
    "*InsufficientCidrBlocks*",
    "ENI *",
    "* ENI *",
)
"""Wildcards of the `stoppedReason` of a task that never ran for want of a network interface or an address: it is
started again (Amazon ECS developer guide, "Stopped task error messages"; EC2's own codes are quoted in it). They are
matched here: a rule of EventBridge with as many wildcards is refused as too complex (PutRule,
InvalidEventPatternException)."""


@dataclass(frozen=True, slots=True)
class LauncherTask:
    """A task of a launcher."""

    arn: str
    launch_id: str
    attempt: int
    status: str
    """`lastStatus`: PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED."""
    stop_code: str
    stopped_reason: str
    exit_code: int | None
    """None when the container never ran, or ECS lost it."""
    container_reason: str
    """What ECS says of the container (`OutOfMemoryError: ...`)."""

    @classmethod
    def read(cls, detail: Mapping[str, Any]) -> "LauncherTask | None":
        """From the `detail` of an event or from DescribeTasks; None if it was not started for a launch."""
        launch_id, _, attempt = detail.get("startedBy", "").rpartition("-")
        if not launch_id or not attempt.isdecimal():
            return None
        container: Mapping[str, Any] = next(
            (each for each in detail.get("containers", []) if each.get("name") == LAUNCHER_CONTAINER), {}
        )
        return cls(
            arn=detail["taskArn"],
            launch_id=launch_id,
            attempt=int(attempt),
            status=detail["lastStatus"],
            stop_code=detail.get("stopCode") or "",
            stopped_reason=detail.get("stoppedReason") or "",
            exit_code=container.get("exitCode"),
            container_reason=container.get("reason") or "",
        )

    @property
    def lacked_network(self) -> bool:
        """It never ran, for want of a network interface or an address: another one may have more luck."""
        return (
            self.status == "STOPPED"
            and self.stop_code == TASK_NEVER_RAN
            and self.exit_code is None
            and any(fnmatchcase(self.stopped_reason, pattern) for pattern in _NETWORK_FAULTS)
        )
