"""Settings of the functions, and what a stage publishes."""

from enum import StrEnum

from genolaunch.contract.project import PROJECT


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
    REFERENCES = "REFERENCES"  # JSON of the stage's reference files, by genome build; none if unset
    PLACEMENTS = "PLACEMENTS"  # JSON {"queues": start of their ARNs (job_queue_name), "zones": {zone: subnet id}}
    WORKFLOW_STATE_MACHINES = "WORKFLOW_STATE_MACHINES"  # JSON {Workflow: ARN of its state machine}
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
