"""The launcher of a Snakemake launch: an ECS task, its files, environment and messages."""

from enum import IntEnum, StrEnum
from typing import Any, Final, TypedDict

from genolaunch.contract.results import results_prefix

LAUNCHER_FOLDER: Final = "launcher/"
"""Below results/<launchId>/: what the launcher reads and writes."""


def launcher_prefix(launch_id: str) -> str:
    """Of the launcher's objects, in the results bucket."""
    return results_prefix(launch_id) + LAUNCHER_FOLDER


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


class _AnyLauncherSheet(TypedDict):
    launchId: str
    attempt: int
    engine: str
    """SnakemakeEngine."""
    sources: str
    """s3:// URL of a folder, with a slash at its end."""
    snakefile: str
    """Path below `sources`."""
    remotePrefix: str
    """bucket/prefix: the workflow's working directory."""
    resultsUri: str
    containerImage: str
    """Of the jobs."""


class LauncherSheet(_AnyLauncherSheet, total=False):
    """A launcher's run sheet: what lambdas/snakemake/run_sheet.py writes and the launcher reads."""

    targets: list[str]
    config: dict[str, Any]
    spot: bool
    retries: int
    jobs: int
    """Most at a time."""
    cores: int
    """What `workflow.cores` is in the Snakefile."""
    rerunTriggers: list[str]
    ownImage: bool
    """The launch names it itself."""
    tibanna: dict[str, Any]
    """Of the engine of that name; so is the next."""
    awsBatch: dict[str, Any]


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
