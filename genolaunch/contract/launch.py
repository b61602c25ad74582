"""A launch: its statuses, and its item in the launch table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a launch is. The arrows between them are TRANSITIONS."""

    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    HELD = "HELD"
    WAITING = "WAITING"
    READY = "READY"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    RETRY = "RETRY"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCELLED = "CANCELLED"


FINAL_STATUSES: Final = frozenset({Status.COMPLETE, Status.FAILED, Status.REJECTED, Status.CANCELLED})

STARTING_STATUSES: Final = (Status.SUBMITTED, Status.READY, Status.RETRY)
"""A launch in one of these is claimed and started by the launch state machine."""

PIPE_STATUSES: Final = (*STARTING_STATUSES, Status.CANCEL_REQUESTED)
"""The pipe from the launch table's stream hands these to the launch state machine."""

_UNFINISHED: Final = frozenset(Status) - FINAL_STATUSES

ALLOWED_FROM: Final[Mapping[Status, frozenset[Status]]] = {
    # For lack of a slot, instead of RUNNING.
    Status.QUEUED: frozenset(STARTING_STATUSES),
    Status.HELD: frozenset({Status.SUBMITTED, Status.QUEUED, Status.RUNNING}),
    Status.WAITING: frozenset({Status.HELD, Status.RUNNING}),
    Status.READY: frozenset({Status.QUEUED, Status.HELD, Status.WAITING}),
    Status.RUNNING: frozenset(STARTING_STATUSES),
    Status.COMPLETE: frozenset({Status.RUNNING}),
    # RETRY of a finished launch is asked for by a person; COMPLETE has nothing left to resume. What was REJECTED for
    # its data is tried again when that is mended; a launch that was never accepted has no config to try.
    Status.RETRY: frozenset({Status.FAILED, Status.CANCELLED, Status.REJECTED}),
    Status.FAILED: _UNFINISHED - {Status.CANCEL_REQUESTED},
    Status.CANCEL_REQUESTED: _UNFINISHED - {Status.CANCEL_REQUESTED},
    Status.CANCELLED: frozenset({Status.CANCEL_REQUESTED}),
    # Missing files are found while it is QUEUED or RUNNING; a prefix that cannot be listed, or when its restore begins.
    # What was edited by hand and cannot run is found at the claim.
    Status.REJECTED: frozenset({*STARTING_STATUSES, Status.QUEUED, Status.RUNNING, Status.WAITING}),
}
"""status -> the statuses it may follow. SUBMITTED is only ever the first status of an item; REJECTED may be."""

ASKED_BY_HAND: Final = (Status.RETRY, Status.CANCEL_REQUESTED)
"""What people may write into a launch's status themselves, where it may follow what the launch's events say last."""


class LaunchField:
    """Attributes of an item of the launch table (key: launchId)."""

    LAUNCH_ID: Final = "launchId"
    NAME: Final = "name"
    STATUS: Final = "status"
    WORKFLOW: Final = "workflow"
    COMPUTE_SERVICE: Final = "computeService"
    DATA_PATH: Final = "dataPath"
    CONFIG_URI: Final = "configUri"
    CONFIG: Final = "config"  # the validated launch config, as a JSON string
    CONFIG_SHA256: Final = "configSha256"
    TEAM: Final = "team"  # where the stage keeps teams apart
    REQUESTED_BY: Final = "requestedBy"
    SUBMITTED_AT: Final = "submittedAt"
    UPDATED_AT: Final = "updatedAt"
    STARTED_AT: Final = "startedAt"
    ENDED_AT: Final = "endedAt"
    ATTEMPT: Final = "attempt"
    EXECUTION_ARN: Final = "executionArn"  # of the launch state machine's execution that claimed the launch
    WORKFLOW_EXECUTION_ARN: Final = "workflowExecutionArn"
    LOG_GROUP: Final = "logGroup"
    LOG_STREAM: Final = "logStream"
    RESULTS_URI: Final = "resultsUri"
    REPORT_URI: Final = "reportUri"
    FILE_SYSTEM_ID: Final = "fileSystemId"
    LAUNCHER_TASK_ARN: Final = "launcherTaskArn"  # the ECS task that runs Snakemake
    PROGRESS: Final = "progress"  # map {done, total, failed}: jobs of a Snakemake launch
    ERROR: Final = "error"  # map {type, message, faults?}
    EVENTS: Final = "events"  # list of EventField: each change of status, and of the config, oldest first
    WARNINGS: Final = "warnings"  # list of sentences: what the check of the inputs found, short of a fault
    LISTS: Final = "lists"  # list of sentences: how much of each list the data has, covariates, what qc asks
    FINDINGS: Final = "findings"  # list of sentences: what the results are of, and how much is significant
    STATUS_REASON: Final = "statusReason"  # what it waits for (WAITING, HELD), or why a job cannot start (RUNNING)
    RESTORE: Final = "restore"  # map (docs/architecture.md, "Restore"): archived inputs that it waits for
    ESTIMATE: Final = "estimate"  # map {usd, low, high, currency, basis, kind, size}: texts (docs/architecture.md)
    HELD_FOR: Final = "heldFor"  # contract.HeldFor: what a person is to approve; a restore, if absent
    APPROVED_BUDGET: Final = "approvedBudget"  # USD as text: the most that a person agreed to
    BUDGET_TOLD: Final = "budgetTold"  # map {attempt, reason}: people were told that it is above its budget
    APPROVED_RESTORE: Final = "approvedRestore"  # map {bytes, usd}: the most that a person agreed to

    COST_STATUS: Final = "costStatus"
    COST_REASON: Final = "costReason"  # one sentence: why costStatus is UNKNOWN
    COST_EXECUTION_ARN: Final = "costExecutionArn"  # of the benchmark execution that claimed the launch
    COST_UPDATED_AT: Final = "costUpdatedAt"
    TOTAL_COST: Final = "totalCost"  # USD of the current attempt, as text; so are the next three
    INSTANCE_COST: Final = "instanceCost"
    VOLUME_COST: Final = "volumeCost"
    FILE_SYSTEM_COST: Final = "filesystemCost"
    COST_BREAKDOWN: Final = "costBreakdown"  # JSON text of contract.CostLineField maps
    COST_URI: Final = "costUri"  # the whole bill, as JSON
    COST_RECONCILIATION: Final = "costReconciliation"  # map {start, end, billed, told, difference, isFinal}: texts
    COST_HISTORY: Final = "costHistory"  # map: number of an attempt -> what it cost; the current one too, once priced
    STATUS_SECONDS: Final = "statusSeconds"  # map: status -> seconds of the current attempt spent in it
    STEP_SECONDS: Final = "stepSeconds"  # map: step of the workflow -> seconds


class EventField:
    """Members of an entry of LaunchField.EVENTS."""

    STATUS: Final = "status"
    AT: Final = "at"
    EXECUTION_ARN: Final = "executionArn"
    ERROR: Final = "error"
    ACTION: Final = "action"  # RequestAction, of what a person asked for; so are the next four
    BY: Final = "by"  # S3's principal id of who asked
    REASON: Final = "reason"
    REQUEST: Final = "request"  # stands for the event of the request: it is done once
    CHANGED: Final = "changed"  # keys of the config


class HeldFor(StrEnum):
    """What a launch that is HELD waits for a person's word on."""

    BUDGET = "budget"


class BudgetAction(StrEnum):
    """What becomes of a launch above its budget."""

    HOLD = "hold"  # it waits for approval before it starts, and is cancelled when it passes the budget while it runs
    WARN = "warn"


class LaunchErrorField:
    """Keys of a launch's `error`, and of what state machines hear of it in its place."""

    TYPE: Final = "type"  # of ErrorType
    MESSAGE: Final = "message"
    FAULTS: Final = "faults"
    PUBLIC: Final = "public"  # the message without ids, traits and data, for notices, events and logs
    KEPT: Final = "kept"  # taskId of the item that has the rest


STATUS_INDEX: Final = "by-status"
"""Index of the launch table: partition status, sort submittedAt."""

GUARD_KEY_PREFIX: Final = "open-config#"
"""launchId of a guard item in the task table: open-config#<SHA-256 of bucket, key and bytes>. It names, in
GUARDED_LAUNCH_ID, the newest launch of those bytes, so that dropping them again is answered with it."""

GUARD_TASK_ID: Final = "guard"
GUARDED_LAUNCH_ID: Final = "guardedLaunchId"
