"""Names and shapes on which the stacks, the functions, the jobs and the command line must agree.

This is the only module that both `stacks` and `lambdas` import. It holds constants and nothing else, has no
dependencies, and is copied into every function's bundle.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final

PROJECT: Final = "genolaunch"


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


class Workflow(StrEnum):
    """What a launch runs; one state machine each."""

    REGENIE = "regenie"
    SNAKEMAKE = "snakemake"


FETCH_PHASE: Final = "fetch"
STORE_PHASE: Final = "store"
END_PHASE: Final = "end"
"""What the state machine **slurm** does on a cluster besides a launch's jobs: bring the inputs, take the results to S3,
and leave nothing."""

RESOURCE_PHASES: Final = ("small", "step1", "level0", "level1", "step2", "merge")
"""Kinds of regenie's jobs that have resources of their own (`regenie.resources` of a launch config)."""


MOST_ARRAY_JOBS: Final = 10_000
"""Jobs of one AWS Batch array (AWS Batch service quotas)."""


class SnakemakeEngine(StrEnum):
    """What runs the jobs of a Snakemake launch."""

    TIBANNA = "tibanna"
    AWS_BATCH = "aws-batch"


class ComputeService(StrEnum):
    """Where a launch runs."""

    BATCH_SPOT = "batch-spot"
    BATCH_ON_DEMAND = "batch-on-demand"
    EC2_SPOT = "ec2-spot"  # instances of Tibanna
    EC2_ON_DEMAND = "ec2-on-demand"
    PARALLELCLUSTER = "parallelcluster"


class Priority(StrEnum):
    """Which of the queues of a place a launch's jobs take."""

    HIGH = "high"
    LOW = "low"


SNAKEMAKE_JOBS: Final = "snakemake"
"""In names of queues and compute environments, where others have a zone: jobs of Snakemake launches run in any."""


def job_queue_name(start: str, place: str, compute: ComputeService, priority: Priority) -> str:
    """Name of a job queue. `start`: the stage's prefix, or an ARN up to it; `place`: a zone, or SNAKEMAKE_JOBS."""
    return f"{start}-{place}-{compute}-{priority}"


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


class RequestAction(StrEnum):
    """What a person may ask of a launch that is there (docs/command-line.md)."""

    CANCEL = "cancel"
    RETRY = "retry"
    APPROVE = "approve"
    EDIT = "edit"


class RequestField:
    """Members of a request (requests/<launchId>/<name>.json in the launch bucket)."""

    ACTION: Final = "action"
    REASON: Final = "reason"  # a sentence; needed to edit
    CONFIG: Final = "config"  # to retry and edit: a JSON merge patch (RFC 7396) of the launch's config
    ATTEMPT: Final = "attempt"  # the launch's, as it was looked at: another one is not meant


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


class CostStatus(StrEnum):
    """How far the price of a launch's current attempt is; absent until somebody begins."""

    PRICING = "PRICING"
    PRICED = "PRICED"
    PENDING = "PENDING"  # an estimate is there, and billing data is waited for
    UNKNOWN = "UNKNOWN"  # it could not be told; costReason says why, and a schedule tries again


class HeldFor(StrEnum):
    """What a launch that is HELD waits for a person's word on."""

    BUDGET = "budget"


class BudgetAction(StrEnum):
    """What becomes of a launch above its budget."""

    HOLD = "hold"  # it waits for approval before it starts, and is cancelled when it passes the budget while it runs
    WARN = "warn"


PRICED_STATUSES: Final = (Status.COMPLETE, Status.FAILED, Status.CANCELLED)
"""A launch in one of these has used what costs money. One that was REJECTED had nothing built for it."""


class CostLineField:
    """Keys of a line of a bill."""

    KIND: Final = "kind"
    RESOURCE: Final = "resource"
    DESCRIPTION: Final = "description"
    QUANTITY: Final = "quantity"
    UNIT: Final = "unit"
    UNIT_PRICE: Final = "unitPrice"
    AMOUNT: Final = "amount"
    SOURCE: Final = "source"
    PRICED_AT: Final = "priceAsOf"
    NOTE: Final = "note"


class UsageField:
    """Attributes of an item of the usage table (key: owner + usageId; index by instance)."""

    OWNER: Final = "owner"  # a launch's id, or instance#<id>
    USAGE_ID: Final = "usageId"
    ATTEMPT: Final = "attempt"
    INSTANCE_ID: Final = "instanceId"
    CONTAINER_INSTANCE: Final = "containerInstance"
    JOB_NAME: Final = "jobName"
    JOB_ID: Final = "jobId"
    VCPUS: Final = "vcpus"
    MEMORY_MIB: Final = "memoryMib"
    STARTED_AT: Final = "startedAt"
    STOPPED_AT: Final = "stoppedAt"
    TYPE: Final = "type"
    ZONE: Final = "zone"
    REGION: Final = "region"
    IS_SPOT: Final = "isSpot"
    IS_ARM: Final = "isArm"
    IS_INTERRUPTED: Final = "isInterrupted"
    VOLUMES: Final = "volumes"
    CAPACITY_GIB: Final = "capacityGib"
    STORAGE_GIB: Final = "storageGib"
    THROUGHPUT: Final = "throughput"
    EXPIRES_AT: Final = "expiresAt"
    ARCHIVE: Final = "archive"  # of a restore: S3's StorageClass or ArchiveStatus; the next five are a restore's, too
    TIER: Final = "tier"
    DAYS: Final = "days"  # for which copies are kept
    REQUESTS: Final = "requests"
    RETRIEVED_BYTES: Final = "retrievedBytes"
    COPIED_BYTES: Final = "copiedBytes"  # of which a copy is kept


USAGE_KEPT_DAYS: Final = 400
"""Items of the usage table expire: longer than a year, so that a price can be questioned."""
USAGE_OF_INSTANCE: Final = "instance#"
"""owner of an instance's own item is this and its id; its usageId is USAGE_INSTANCE."""
USAGE_INSTANCE: Final = "instance"
USAGE_JOB_PREFIX: Final = "job#"
"""usageId of an attempt of a job: this and the id of its ECS task, which no other attempt has."""
USAGE_TASK_PREFIX: Final = "task#"
"""usageId of a Fargate task."""
USAGE_FILE_SYSTEM_PREFIX: Final = "fsx#"
"""usageId of a file system: this and its id. Clean-up writes it, just before it asks for the deletion."""
USAGE_EXCLUSIVE_PREFIX: Final = "ec2#"
"""usageId of an instance that one launch has for itself, below the launch's id."""
USAGE_OF_TIBANNA_JOB: Final = "awsem-"
"""owner of the item (usageId: USAGE_INSTANCE) that says which instance one of Tibanna's jobs has: this and the job's
id. Tibanna tags its instances with that name, and with nothing that tells the launch."""
USAGE_RESTORE_PREFIX: Final = "restore#"
"""usageId of a restore: this, attempt, archive and tier (restore#1#GLACIER#Bulk). Who asks S3 writes it."""
USAGE_INDEX: Final = "by-instance"


class TaskField:
    """Attributes of an item of the task table (key: launchId + taskId)."""

    LAUNCH_ID: Final = "launchId"
    TASK_ID: Final = "taskId"
    STATUS: Final = "status"
    ERROR_TYPE: Final = "errorType"
    REASON: Final = "reason"
    EXIT_CODE: Final = "exitCode"
    ATTEMPTS: Final = "attempts"
    LOG_GROUP: Final = "logGroup"
    LOG_STREAM: Final = "logStream"
    LOG_TAIL: Final = "logTail"
    JOB_ID: Final = "jobId"
    JOB_NAME: Final = "jobName"
    UPDATED_AT: Final = "updatedAt"
    BUCKET: Final = "bucket"  # of a restored object
    OBJECT_KEY: Final = "objectKey"
    SIZE: Final = "size"  # bytes
    EXPIRES_AT: Final = "expiresAt"  # Unix seconds: DynamoDB deletes the item then


class RestoreField:
    """Attributes of a restore in the task table (taskId: RESTORE_TASK_PREFIX + attempt), beside TaskField's."""

    ATTEMPT: Final = "attempt"
    CONFIG_KEY: Final = "configKey"  # of the restore config in the launch bucket
    OBJECTS: Final = "objects"
    BYTES: Final = "bytes"
    PENDING: Final = "pending"  # objects that are neither restored nor failed
    RESTORED: Final = "restored"
    RESTORED_BYTES: Final = "restoredBytes"
    FAILED: Final = "failed"
    INDEXED: Final = "indexed"  # true once OBJECTS is final: only then PENDING decides
    TIER: Final = "tier"
    CHECK_AT: Final = "checkAt"  # when S3 is asked for what no event told of
    GIVE_UP_AT: Final = "giveUpAt"


JOB_TASK_PREFIX: Final = "job#"
"""taskId of a failed job: job#<job name>#<array index, or 0>; the job name has the attempt in it."""

LOG_TASK_PREFIX: Final = "log#"
"""taskId of what a job's log names: log#<log stream>#<type of error>, written while the job runs. What a launcher's log
names last is log#<log stream>, and its launchId is the stream (launcher_log_stream), by which its end is looked up."""

LOG_TASK_DAYS: Final = 90
"""How long what a launcher's log names is kept: its launch has it by then, if it ended by it."""

ERROR_TASK_PREFIX: Final = "error#"
"""taskId of an error in full, on its way past state machines and logs: error#<digest> (shared/kept_errors.py)."""


class LaunchErrorField:
    """Keys of a launch's `error`, and of what state machines hear of it in its place."""

    TYPE: Final = "type"  # of ErrorType
    MESSAGE: Final = "message"
    FAULTS: Final = "faults"
    PUBLIC: Final = "public"  # the message without ids, traits and data, for notices, events and logs
    KEPT: Final = "kept"  # taskId of the item that has the rest


LOG_ERROR_TERMS: Final = (
    "No space left on device",
    "ENOSPC",
    "Disk quota exceeded",
    "std::bad_alloc",
    "Cannot allocate memory",
    "MemoryError",
    "AccessDenied",
    "Access Denied",
    "UnauthorizedOperation",
)
"""Of the lines of jobs' logs that are looked at (lambdas/shared/log_errors.py says what each means)."""

TASK_FAILED: Final = "FAILED"
TASK_RESUBMITTED: Final = "RESUBMITTED"
"""Statuses of a failed job's item: the launch failed for it, or another job does its task again."""

RESTORE_TASK_PREFIX: Final = "restore#"
"""taskId of a restore (restore#<attempt>), and of each object of it (restore#<digest>, below restore_shard)."""

RESTORE_PENDING: Final = "PENDING"
RESTORE_DONE: Final = "RESTORED"
RESTORE_FAILED: Final = "FAILED"
"""Statuses of a restored object's item."""

RESTORE_SHARDS: Final = 16
"""A partition takes 1,000 write units a second, and an object needs two of them twice: S3 restores as many at most."""

OPEN_RESTORES: Final = "open-restores"
"""launchId of the items (taskId: the launch's) that say which launches wait for objects: few, and read together."""


def restore_shard(run: str, shard: int) -> str:
    """launchId of the items of a run's restored objects: spread, since all of them change at once."""
    return f"{run}#{shard}"


GRACE_MINUTES: Final = "graceMinutes"
"""Key of the event of a scheduled function that looks for what was lost: how old that must be, if not as usual."""

STATUS_INDEX: Final = "by-status"
"""Index of the launch table: partition status, sort submittedAt."""

GUARD_KEY_PREFIX: Final = "open-config#"
"""launchId of a guard item in the task table: open-config#<SHA-256 of bucket, key and bytes>. It names, in
GUARDED_LAUNCH_ID, the newest launch of those bytes, so that dropping them again is answered with it."""

GUARD_TASK_ID: Final = "guard"
GUARDED_LAUNCH_ID: Final = "guardedLaunchId"

# --- Objects in S3 -------------------------------------------------------------------------------------------------
LAUNCH_PREFIX: Final = "launches/"
SNAKEFILES_PREFIX: Final = "snakefiles/"
"""snakefiles/<name>/Snakefile, or snakefiles/<name>/workflow/Snakefile as in Snakemake's own layout, is launched when
it is dropped, with the defaults; what lies beside it is its sources."""
SNAKEFILE_NAME: Final = "Snakefile"
SNAKEFILE_NAMES: Final = (SNAKEFILE_NAME, "snakefile")
"""By which Snakemake finds it."""
STANDARD_FOLDER: Final = "workflow"
STANDARD_CONFIG: Final = "config"
"""Snakemake's own layout of a project: <project>/workflow/Snakefile, with <project>/config/ beside it. Its rules work
in <project> ("Distribution and Reproducibility" in Snakemake's documentation)."""
SOURCES_PREFIX: Final = "workflows/"
"""Sources of workflows that only launch configs name: nothing here is launched by itself."""
FEEDBACK_PREFIX: Final = "feedback/"
_SCHEMA_PREFIX: Final = "schema/"
SCHEMA_KEY: Final = f"{_SCHEMA_PREFIX}launch.json"
"""JSON Schema of a launch config, in the launch bucket."""
INPUTS_PREFIX: Final = "inputs/"
"""inputs/<launchId>.json in the launch bucket: list of the s3:// URLs that the launch reads."""
RESTORES_PREFIX: Final = "restores/"
"""restores/<launchId>/<attempt>.json in the launch bucket: what a launch waits for. Its event starts the restore."""
REQUESTS_PREFIX: Final = "requests/"
"""requests/<launchId>/<name>.json in the launch bucket: what a person asks of a launch (RequestField). S3 tells who."""
LAUNCH_BUCKET_PREFIXES: Final = (
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    SNAKEFILES_PREFIX,
    SOURCES_PREFIX,
    FEEDBACK_PREFIX,
    _SCHEMA_PREFIX,
    INPUTS_PREFIX,
    RESTORES_PREFIX,
)
"""All that belongs in the launch bucket. What is put anywhere else is answered with where it belongs."""


def feedback_key(key: str) -> str:
    """Where the answer to launches/<path>, or to any other <path>, of the launch bucket is.

    The answer to launches/requests/… is not that to requests/…, which may be another person's.
    """
    path = key.removeprefix(LAUNCH_PREFIX)
    return f"{FEEDBACK_PREFIX}{key if path.startswith(LAUNCH_BUCKET_PREFIXES) else path}.json"


RESULTS_PREFIX: Final = "results/"
"""results/<launchId>/ in the results bucket is linked to /work of a launch's file system."""

WORK_LAUNCH: Final = "launch.json"
"""The launch's config and ids, below /work: also the sentinel by which a job knows its file system is mounted."""
WORK_PLAN: Final = "plan"
"""Folder below /work with <phase>.jsonl: one line for each array index."""
WORK_FETCH: Final = f"{WORK_PLAN}/fetch.txt"
"""Paths below data that a launch on a cluster reads, one a line: what its fetch phase copies."""
WORK_ANALYSED: Final = f"{WORK_PLAN}/analysed.txt"
"""1 or 0 for each sample of step 1's genotypes, in their order: whether the launch analyses it. Quality control of
step 1 counts genotypes of those."""
WORK_INPUTS: Final = "inputs.json"
"""Every file that the launch was planned for: where it lies, its size, ETag and so on. Jobs and verify_inputs look."""
WORK_CHANGED: Final = "inputs-changed"
"""Folder with <attempt>.json of each attempt whose inputs changed: what it made is of nobody knows which files."""
WORK_VERIFIED: Final = "verified.json"
"""Written last: the attempt whose inputs were the same until its end, and the predictions that it left."""
WORK_REPORT: Final = "report.html"
WORK_SUMSTATS: Final = "gwas"
WORK_WARNINGS: Final = f"{WORK_SUMSTATS}/warnings.json"
"""`{warnings: [...]}`: what planning and the results say to their readers. The launch's item has the same from its end
on."""
WORK_PREDICTIONS: Final = "step1/predictions"
WORK_QC: Final = "step1/qc"
"""What quality control left for step 1, and in summary.json why it left out the others."""
WORK_COST: Final = "cost"
"""results/<launchId>/cost/attempt-<n>.json and .html: an attempt's bill, written when it is priced."""
COST_SECTION: Final = ("<!-- cost -->", "<!-- /cost -->")
"""Marks of a report's part that tells the cost: the pricing replaces what stands between them."""

PRICED_PREFIX: Final = "priced/"
"""priced/day=<YYYY-MM-DD>/<launchId>-<attempt>.json in the analytics bucket: a row of EXPORTED_COLUMNS."""
EXPORT_PREFIX: Final = "launches/"
"""launches/day=<YYYY-MM-DD>/<execution>/ in the analytics bucket: the same rows as Parquet."""
_USD: Final = "decimal(18,6)"
EXPORTED_COLUMNS: Final[Mapping[str, str]] = {
    "launch_id": "string",
    "attempt": "int",
    "stage": "string",
    "name": "string",
    "workflow": "string",
    "engine": "string",
    "compute_service": "string",
    "requested_by": "string",
    "status": "string",
    "data_path": "string",
    "submitted_at": "timestamp",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "priced_at": "timestamp",
    "run_seconds": "double",
    "total_cost": _USD,
    "instance_cost": _USD,
    "volume_cost": _USD,
    "filesystem_cost": _USD,
    "currency": "string",
}
"""Columns of the table of launches for BI tools, with their types in Glue; one row an attempt."""

# --- The launcher of a Snakemake launch: an ECS task -----------------------------------------------------------------
LAUNCHER_FOLDER: Final = "launcher/"
"""Below results/<launchId>/: what the launcher reads and writes."""


TIBANNA_RUN_NAME: Final = "genolaunch_run"
"""In the `config` of a job's input for Tibanna, and so in its run.json: the run that the job is of."""


def launcher_sources(attempt: int) -> str:
    """Folder below LAUNCHER_FOLDER: the attempt's own copy of the Snakefile and what lies beside it."""
    return f"sources-{attempt}/"


def launcher_sources_record(attempt: int) -> str:
    """Object below LAUNCHER_FOLDER: {"from", "files": [{path, size, etag, sha256}]}, what launcher_sources holds."""
    return f"sources-{attempt}.json"


def launcher_run_sheet(attempt: int) -> str:
    """Object below LAUNCHER_FOLDER: what the launcher is to do (docs/architecture.md)."""
    return f"run-{attempt}.json"


def launcher_jobs(attempt: int) -> str:
    """Object below LAUNCHER_FOLDER: {"jobs": [{id, name, rule, wildcards, submission, status}]}, as they are known."""
    return f"jobs-{attempt}.json"


def launcher_outcome(attempt: int) -> str:
    """Object below LAUNCHER_FOLDER: how it ended, written last."""
    return f"outcome-{attempt}.json"


LAUNCHER_CONTAINER: Final = "launcher"
LAUNCHER_COMMAND: Final = ("python3", "-m", "snakemake_launcher")
LAUNCHER_STOP_SECONDS: Final = 120
"""Between SIGTERM and SIGKILL: the most that Fargate allows (Amazon ECS API reference, ContainerDefinition)."""
LAUNCHER_USER: Final = "1000:1000"
LAUNCHER_HOME: Final = "/work"
"""The only folder of the launcher's container that can be written to; its image declares it as a volume."""


class LauncherEnvironment(StrEnum):
    """Environment variables of the launcher's container."""

    STAGE = "STAGE"
    LAUNCH_ID = "LAUNCH_ID"
    ATTEMPT = "ATTEMPT"
    RECORD_QUEUE = "RECORD_QUEUE"  # URL of the queue of LauncherRecord
    RUN_SHEET = "RUN_SHEET"  # s3:// URL


class LauncherExit(IntEnum):
    """Exit codes of the launcher."""

    DONE = 0
    FAILED = 1
    WRONG_RUN_SHEET = 2
    CANCELLED = 130


LAUNCHER_TASK_PREFIX: Final = "launcher#"
"""taskId of an attempt's launcher in the task table: launcher#<attempt>. It holds the launch message, how often its
task was started, and the task's ARN (LauncherField)."""


class LauncherField:
    """Attributes of a launcher's item in the task table, besides those of TaskField."""

    MESSAGE: Final = "message"  # the launch message, as JSON
    STARTS: Final = "starts"  # how often a task was asked for, 1 for the first
    TASK_ARN: Final = "taskArn"  # of the newest task; absent until ECS has answered
    REPLACES: Final = "replaces"  # ARN of the task that it was started again for
    TOLD_AT: Final = "toldAt"  # LauncherRecord.AT of the newest progress


class LauncherRecord:
    """Members of what a launcher says of its run, a message each; JOB or PROGRESS besides the others.

    A launcher runs its user's own program, so it writes into no table of the platform's: it sends these to a queue, and
    `lambdas/snakemake/record_jobs.py` writes what is about the launch whose launcher sent it.
    """

    LAUNCH_ID: Final = "launchId"
    ATTEMPT: Final = "attempt"
    AT: Final = "at"  # milliseconds since 1970, by the launcher's clock
    PROGRESS: Final = "progress"  # {done, total, failed}: jobs
    JOB: Final = "job"  # a failed submission: attributes of TaskField


TASK_NEVER_RAN: Final = "TaskFailedToStart"
"""`stopCode` of a task that ECS could not start (Amazon ECS developer guide, "Stopped task error messages")."""


LAUNCHER_LOG_PREFIX: Final = f"{LAUNCHER_CONTAINER}/{LAUNCHER_CONTAINER}/"
"""Of the streams to which the awslogs driver writes launchers' lines: <prefix>/<container>/<task id>."""


def launcher_log_stream(task_arn: str) -> str:
    """The log stream of a launcher's task."""
    return LAUNCHER_LOG_PREFIX + task_arn.rpartition("/")[2]


# --- Tags and names ------------------------------------------------------------------------------------------------
TAG_PROJECT: Final = "project"
TAG_STAGE: Final = "stage"
TAG_LAUNCH_ID: Final = "launchId"
TAG_ATTEMPT: Final = "attempt"
TAG_DEAD_LETTERS: Final = "dead-letters"
"""Of the queues that hold them, by which `genolaunch redrive` finds them all."""
TAG_WORKFLOW: Final = "workflow"
"""Of Snakemake's job definitions and jobs on Batch: a launcher runs its user's own code, and may touch these only."""


def run_name(launch_id: str, attempt: int) -> str:
    """Name shared by what one attempt of a launch creates: executions, jobs (as prefix), job definition, token."""
    return f"{launch_id}-{attempt}"


# --- Roles of a launch: what runs its author's programs has them, and no other (docs/decisions/099) ------------------
class RightsTag(StrEnum):
    """Tags of a launch's roles besides project, stage, launchId and attempt.

    The stage's policies for such roles name what is the launch's by these (`${aws:PrincipalTag/run}`).
    """

    RUN = "run"  # run_name
    DATA_BUCKET = "dataBucket"
    DATA_FOLDER = "dataFolder"  # with a slash at its end
    QUEUE = "queue"  # name of its Batch queue
    ON_DEMAND_QUEUE = "onDemandQueue"
    SHARE = "share"  # whose share of the queue it takes
    TOKEN = "tokenSha256"  # noqa: S105 - digest of what tells Tibanna's unicorn that a job is this launch's


LONGEST_TAG_VALUE: Final = 256
"""Characters of a tag's value: letters, digits, spaces and _ . : / = + - @ (IAM user guide, "Tags for IAM
resources")."""


def launch_roles_path(stage: str, launch_id: str | None = None, attempt: int | None = None) -> str:
    """Path of the roles of all launches of a stage, of one launch, or of one of its attempts."""
    below = [str(each) for each in (launch_id, attempt) if each is not None]
    return "/".join(["", PROJECT, stage, "launches", *below, ""])


def launcher_role_name(run: str) -> str:
    """Of an attempt's launcher. A role's name has at most 64 characters, whatever its path (IAM quotas)."""
    return run


def jobs_role_name(run: str) -> str:
    """Of an attempt's jobs, and of the instance profile by which Tibanna's instances have it."""
    return f"{run}-jobs"


def tibanna_jobs_start(run: str) -> str:
    """How ids of Tibanna's jobs and names of their executions begin: what they make is the run's by that."""
    return f"{run}."


TIBANNA_TOKEN: Final = "genolaunch_token"  # noqa: S105 - the name of a key
"""In the `config` of a job's input for Tibanna: what the run sheet says, by which the unicorn knows the launch."""


MINUTES_ON_REPLACED_HOSTS: Final = 60
"""That jobs may still run on a Batch host which a deployment replaces: CloudFormation waits for them. A job that is
ended for it is tried again, as one whose Spot instance is taken back."""


class RetrievalTier(StrEnum):
    """How fast S3 restores, as RestoreObject names it."""

    BULK = "Bulk"
    STANDARD = "Standard"
    EXPEDITED = "Expedited"


class Parameter(StrEnum):
    """Published as SSM parameter /genolaunch/<stage>/<value> and as a stack output."""

    LAUNCH_BUCKET = "launch-bucket"
    DATA_BUCKET = "data-bucket"
    RESULTS_BUCKET = "results-bucket"
    LAUNCH_TABLE = "launch-table"
    TASK_TABLE = "task-table"
    LAUNCH_STATE_MACHINE = "launch-state-machine"
    BENCHMARK_STATE_MACHINE = "benchmark-state-machine"
    USAGE_TABLE = "usage-table"
    ATHENA_WORK_GROUP = "athena-work-group"
    JOB_QUEUES = "job-queues"  # JSON list of the queues' ARNs
    JOB_LOG_GROUP = "job-log-group"
    EVENT_BUS = "event-bus"
    TIBANNA_STATE_MACHINE = "tibanna-state-machine"
    TIBANNA_LOG_BUCKET = "tibanna-log-bucket"


def parameter_name(stage: str, parameter: Parameter) -> str:
    """Full name of a published SSM parameter."""
    return f"/{PROJECT}/{stage}/{parameter}"


# --- Events for other systems (docs/events.md) ---------------------------------------------------------------------
EVENT_SOURCE: Final = PROJECT
EVENT_DETAIL_TYPE: Final = "Launch Status Change"


# --- Errors that users meet ----------------------------------------------------------------------------------------
class ErrorType(StrEnum):
    """`error.type` of a launch, and `errorType` of a failed job."""

    MISSING_REQUIRED_PARAMETERS = "MissingRequiredParametersError"
    INVALID_ARGUMENTS = "InvalidArguments"
    CAPACITY = "CapacityUnavailableError"
    LAUNCH_INPUT = "LaunchInputError"
    APPLICATION_ERROR = "ApplicationError"
    OUT_OF_MEMORY = "OutOfMemoryError"
    NO_SPACE_LEFT = "NoSpaceLeftError"
    ACCESS_DENIED = "AccessDeniedError"
    IMAGE_PULL = "ImagePullError"
    CONTAINER_START = "ContainerStartError"
    NEVER_STARTED = "JobNeverStartedError"
    SPOT_RECLAIMED = "SpotReclaimedError"
    TIMED_OUT = "TimedOutError"
    STOPPED = "StoppedError"
    FILE_SYSTEM = "FileSystemError"
    EXPORT = "ExportError"
    RESTORE = "RestoreError"
    INPUTS_CHANGED = "InputsChangedError"
    PLATFORM = "PlatformError"


INPUTS_UNSEEN: Final = "InputsUnseen"
"""Error of an execution of **launch** that left its launch QUEUED, and could not look for its inputs."""

_OF_A_LAUNCH: Final = frozenset(
    {
        ErrorType.MISSING_REQUIRED_PARAMETERS,
        ErrorType.LAUNCH_INPUT,
        ErrorType.INPUTS_CHANGED,
        ErrorType.APPLICATION_ERROR,
        ErrorType.OUT_OF_MEMORY,
        ErrorType.NO_SPACE_LEFT,
        ErrorType.SPOT_RECLAIMED,
        ErrorType.TIMED_OUT,
        ErrorType.STOPPED,
    }
)
USERS_ERRORS: Final[Mapping[Workflow, frozenset[ErrorType]]] = {
    Workflow.REGENIE: _OF_A_LAUNCH,
    # Its jobs run images and programs of its user's choice.
    Workflow.SNAKEMAKE: _OF_A_LAUNCH | {ErrorType.IMAGE_PULL, ErrorType.CONTAINER_START, ErrorType.ACCESS_DENIED},
}
"""What the author of a launch mends: its config, data, program, or the resources that it asks for. No alarm is raised
for these; for all others one is, since the people who run the stage have to look (Metric.PLATFORM_FAULTS)."""


MOST_RECEIVES: Final = 5
"""How often a message is tried before it is a dead letter: five failures in a row are no longer a passing fault."""


class Metric(StrEnum):
    """The functions' own metrics that alarms watch or the dashboard shows.

    Their namespace is PROJECT, their dimensions are `stage` and `service` (<capability>.<module>).
    """

    PLATFORM_FAULTS = "PlatformFaults"  # launches that FAILED through no fault of their authors; service: ANY_SERVICE
    SICK_LAUNCHES = "SickLaunches"  # items of the launch table that cannot be read, each time; service: ANY_SERVICE
    LEFTOVERS_OVERDUE = "LeftoversOverdue"
    LOST_REQUESTS = "LostRequests"
    LOST_ENDINGS = "LostEndings"
    LAUNCHES_WAITING = "LaunchesWaiting"  # launches that are QUEUED
    LONGEST_WAIT = "LongestWait"  # seconds since the oldest of them became QUEUED
    SLOTS_TAKEN = "SlotsTaken"
    JOBS_FAILED = "JobsFailed"  # that ended a launch
    ERRORS_IN_LOGS = "ErrorsInLogs"  # lines of jobs' logs that name an error
    JOBS_RESUBMITTED = "JobsResubmitted"  # failed jobs whose tasks other jobs do again
    LAUNCH_COST = "LaunchCost"  # USD of an attempt, when it is priced; dimension `workflow` besides
    STEP_SECONDS = "StepSeconds"  # of an attempt, when it is priced; dimensions `workflow` and `step` besides


ANY_SERVICE: Final = "any"
"""`service` of a metric that several functions put and an alarm watches as one: alarms cannot search."""


class Setting(StrEnum):
    """Environment variables of the functions. Each function's settings model names the ones it needs."""

    STAGE = "STAGE"
    LAUNCH_TABLE = "LAUNCH_TABLE"
    TASK_TABLE = "TASK_TABLE"
    LAUNCH_BUCKET = "LAUNCH_BUCKET"
    DATA_BUCKET = "DATA_BUCKET"
    RESULTS_BUCKET = "RESULTS_BUCKET"
    NOTIFICATION_TOPIC = "NOTIFICATION_TOPIC"
    REGENIE_IMAGES = "REGENIE_IMAGES"  # JSON {"versions": {version: image URI}, "default": version}
    PLACEMENTS = "PLACEMENTS"  # JSON {"queues": start of their ARNs (job_queue_name), "zones": {zone: subnet id}}
    REGENIE_STATE_MACHINE = "REGENIE_STATE_MACHINE"
    JOBS_STATE_MACHINE = "JOBS_STATE_MACHINE"
    LAUNCH_STATE_MACHINE = "LAUNCH_STATE_MACHINE"
    CLEANUP_STATE_MACHINE = "CLEANUP_STATE_MACHINE"
    JOB_LOG_GROUP = "JOB_LOG_GROUP"
    SWEEP_GRACE_MINUTES = "SWEEP_GRACE_MINUTES"
    STUCK_MINUTES = "STUCK_MINUTES"  # after which a job that cannot start is given up
    RESTORE_QUEUE = "RESTORE_QUEUE"
    RESTORE_STATE_MACHINE = "RESTORE_STATE_MACHINE"
    RESTORE_POLICY = "RESTORE_POLICY"  # JSON {mixedTier, days, mostBytes, mostUsd}
    LAUNCHES_AT_ONCE = "LAUNCHES_AT_ONCE"
    EVENT_BUS = "EVENT_BUS"
    SNAKEMAKE_STATE_MACHINE = "SNAKEMAKE_STATE_MACHINE"
    TIBANNA_STATE_MACHINE = "TIBANNA_STATE_MACHINE"
    LAUNCH_POLICIES = "LAUNCH_POLICIES"  # JSON {boundary: ARN, launcher: [ARN], jobs: {engine: [ARN]}}
    ENGINES = "ENGINES"  # JSON {SnakemakeEngine: what the run sheet says of it for every launch}
    ENCRYPTED_VOLUMES = "ENCRYPTED_VOLUMES"  # "required": Tibanna's instances are refused without; unset: they are not
    WRITABLE_BUCKETS = "WRITABLE_BUCKETS"  # separated by commas; none if unset
    CLUSTER = "CLUSTER"  # ARN of the ECS cluster in which launchers run
    TASK_DEFINITION = "TASK_DEFINITION"  # ARN of the launcher's
    LAUNCH_QUEUE = "LAUNCH_QUEUE"  # URL of the queue of launch messages
    RECORD_QUEUE = "RECORD_QUEUE"  # URL of the queue of what launchers say of their jobs
    DEAD_LETTER_QUEUE = "DEAD_LETTER_QUEUE"  # URL of its dead-letter queue
    USAGE_TABLE = "USAGE_TABLE"
    ANALYTICS_BUCKET = "ANALYTICS_BUCKET"
    PRICE_TABLE = "PRICE_TABLE"
    JOB_VOLUME_GIB = "JOB_VOLUME_GIB"  # of the gp3 volume that the stage's launch template gives every job's instance
    BENCHMARK_STATE_MACHINE = "BENCHMARK_STATE_MACHINE"
    PARALLELCLUSTER = "PARALLELCLUSTER"  # JSON of a stage's cluster (lambdas/shared/slurm_cluster.py); none if unset
    SLURM_STATE_MACHINE = "SLURM_STATE_MACHINE"
    COMPUTE_SERVICES = "COMPUTE_SERVICES"  # separated by commas: where launches of the stage may run
    FOUR_EYES_APPROVAL = "FOUR_EYES_APPROVAL"  # "required": nobody approves a launch that they asked for; else unset
    TEAMS = "TEAMS"  # that the stage keeps apart, separated by commas; none if unset
    READABLE_BUCKETS = "READABLE_BUCKETS"  # of others, from which all teams may take data, separated by commas
    JOB_TIMEOUT_HOURS = "JOB_TIMEOUT_HOURS"


SCROLL_STYLE: Final = (
    # At the edge behind which there is more of a wide table an arrow and a shade; at its end, what moves with it covers
    # them. Of light pages whose boxes are class=scroll.
    ".scroll{overflow-x:auto;background:linear-gradient(90deg,#fff 60%,transparent) left/2rem 100% no-repeat local,"
    "linear-gradient(270deg,#fff 60%,transparent) right/2rem 100% no-repeat local,"
    "conic-gradient(from 225deg at 100% 50%,#8a9aa6 90deg,transparent 0) "
    "right .2rem top .4rem/.5rem .9rem no-repeat scroll,"
    "linear-gradient(90deg,#8a9aa6,transparent) left/.7rem 100% no-repeat scroll,"
    "linear-gradient(270deg,#8a9aa6,transparent) right/.7rem 100% no-repeat scroll}"
)
"""Of pages about costs: one of a bill, and one of sums over bills."""
