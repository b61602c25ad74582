"""A launch: the typed form of an item of the launch table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genolaunch.contract.launch import FINAL_STATUSES, LaunchField, Status
from genolaunch.shared.launch_item import check_item, salvaged


@dataclass(frozen=True, slots=True)
class Launch:
    """An item of the launch table, typed. What a rejected launch never had is None."""

    launch_id: str
    name: str
    status: Status
    submitted_at: str
    attempt: int = 0
    """How often it was claimed: 0 before the first time."""
    workflow: str | None = None
    compute_service: str | None = None
    data_path: str | None = None
    """s3:// URL of the data set, ending with a slash."""
    config_uri: str | None = None
    config_json: str | None = None
    config_sha256: str | None = None
    requested_by: str | None = None
    team: str | None = None
    """Whose it is, where the stage keeps teams apart."""
    updated_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    execution_arn: str | None = None
    """The execution of the launch state machine that owns it; None while nobody does."""
    workflow_execution_arn: str | None = None
    """The execution of the workflow's state machine that its attempt has, or had."""
    events: Sequence[Mapping[str, Any]] | None = field(default=None, compare=False)
    """{status, at, ...} of each change of its status, oldest first; the table keeps them, nobody gives them."""
    file_system_id: str | None = None
    """Of the newest file system that was made for it."""
    launcher_task_arn: str | None = None
    """The ECS task that runs Snakemake, or ran it."""
    results_uri: str | None = None
    report_uri: str | None = None
    error: Mapping[str, Any] | None = None
    """{type, message, faults?} of the last failure."""
    status_reason: str | None = None
    """What it waits for, while it is WAITING or HELD."""
    restore: Mapping[str, Any] | None = None
    """The archived inputs that it waits for, or waited for (LaunchField.RESTORE)."""
    approved_restore: Mapping[str, Any] | None = None
    """{bytes, usd}: the most that a person agreed to restore."""

    approved_budget: str | None = None
    """USD: the most that a person agreed to spend on it."""

    estimate: Mapping[str, Any] | None = None
    """What it was expected to cost (LaunchField.ESTIMATE)."""
    held_for: str | None = None
    """genolaunch.contract.launch.HeldFor: what a person is to approve while it is HELD; None: a restore."""

    budget_told: Mapping[str, Any] | None = None
    """{attempt, reason}: people were told that this attempt is above its budget."""
    cost_history: Mapping[str, Any] | None = None
    """Number of an attempt -> what it cost (LaunchField.COST_HISTORY)."""

    @property
    def is_final(self) -> bool:
        """Nothing happens to it any more unless a person asks for it."""
        return self.status in FINAL_STATUSES

    @property
    def config(self) -> dict[str, Any]:
        """The validated launch config with every default filled in (see launch_configs); raises without one."""
        if self.config_json is None:
            raise ValueError(f"launch {self.launch_id} has no config: it is {self.status}")
        config: dict[str, Any] = json.loads(self.config_json)
        return config

    def item(self) -> dict[str, object]:
        """The launch as attributes of the launch table; absent ones are None."""
        return {attribute: getattr(self, field) for field, attribute in _ATTRIBUTES.items()}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Launch":
        """Read an item (as plain values) of the launch table; attributes of no interest here are passed over.

        Raises:
            LaunchItemError: it is none of a launch.
        """
        check_item(item)
        return cls._of(item)

    @classmethod
    def salvaged(cls, item: Mapping[str, Any]) -> "Launch":
        """What is well of an item, and the rest as its events tell it (launch_item.salvaged): to bring it to an end.

        Raises:
            LaunchItemError: the status is not known.
        """
        return cls._of(salvaged(item))

    @classmethod
    def _of(cls, item: Mapping[str, Any]) -> "Launch":
        values = {field: item[attribute] for field, attribute in _ATTRIBUTES.items() if item.get(attribute) is not None}
        return cls(**{**values, "status": Status(values["status"])})


_ATTRIBUTES: Mapping[str, str] = {
    "launch_id": LaunchField.LAUNCH_ID,
    "name": LaunchField.NAME,
    "status": LaunchField.STATUS,
    "submitted_at": LaunchField.SUBMITTED_AT,
    "attempt": LaunchField.ATTEMPT,
    "workflow": LaunchField.WORKFLOW,
    "compute_service": LaunchField.COMPUTE_SERVICE,
    "data_path": LaunchField.DATA_PATH,
    "config_uri": LaunchField.CONFIG_URI,
    "config_json": LaunchField.CONFIG,
    "config_sha256": LaunchField.CONFIG_SHA256,
    "requested_by": LaunchField.REQUESTED_BY,
    "team": LaunchField.TEAM,
    "updated_at": LaunchField.UPDATED_AT,
    "started_at": LaunchField.STARTED_AT,
    "ended_at": LaunchField.ENDED_AT,
    "execution_arn": LaunchField.EXECUTION_ARN,
    "workflow_execution_arn": LaunchField.WORKFLOW_EXECUTION_ARN,
    "events": LaunchField.EVENTS,
    "file_system_id": LaunchField.FILE_SYSTEM_ID,
    "launcher_task_arn": LaunchField.LAUNCHER_TASK_ARN,
    "results_uri": LaunchField.RESULTS_URI,
    "report_uri": LaunchField.REPORT_URI,
    "error": LaunchField.ERROR,
    "status_reason": LaunchField.STATUS_REASON,
    "restore": LaunchField.RESTORE,
    "approved_restore": LaunchField.APPROVED_RESTORE,
    "approved_budget": LaunchField.APPROVED_BUDGET,
    "estimate": LaunchField.ESTIMATE,
    "held_for": LaunchField.HELD_FOR,
    "budget_told": LaunchField.BUDGET_TOLD,
    "cost_history": LaunchField.COST_HISTORY,
}
"""Field of Launch -> attribute of the launch table."""
