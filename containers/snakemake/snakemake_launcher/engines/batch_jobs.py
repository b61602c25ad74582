"""The launch's jobs in AWS Batch. Replaces the client with which the official plugin calls Batch.

Used in the engine's process, by Snakemake's executor (snakemake_executor_plugin_genolaunch_batch).
"""

import base64
import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3

from snakemake_launcher.engines.job_log import fails_again

if TYPE_CHECKING:
    from types_boto3_batch.client import BatchClient
    from types_boto3_batch.type_defs import ContainerOverridesTypeDef, JobDetailTypeDef, SubmitJobResponseTypeDef

_DESCRIBE_LIMIT: Final = 100
"""Job ids of one DescribeJobs call (AWS Batch API reference)."""
_LONGEST_NAME: Final = 128
"""Of a job (AWS Batch API reference, SubmitJob)."""
_LONGEST_OVERRIDES: Final = 7_400
"""Characters of a container's overrides as JSON. ECS takes 8,192 (Amazon ECS API reference, RunTask), of which Batch
needs some for variables of its own; a job above that fails."""
_LONG_COMMAND: Final = 5_000
"""Characters of a command from which on it is packed: one that names a hundred temporary inputs is longer."""
_FRESH_SECONDS: Final = 4.0
"""How long an answer of DescribeJobs serves: Snakemake asks for one job after the other, a round every 5 seconds."""
_TAIL_LINES: Final = 100
_TAIL_BYTES: Final = 16_384
_FINAL: Final = frozenset({"SUCCEEDED", "FAILED"})
_NO_CAPACITY: Final = ("Host EC2", "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
"""In a job's statusReason: its Spot instance was reclaimed each time, or none could be had."""

# Any image's own folder may belong to another user than the job's: work in a fresh one. And few images know the job's
# user by a name, for which Snakemake 9 asks (Python's getpass.getuser): it gets one.
_FRESH_FOLDER: Final = 'HOME="$(mktemp -d)" && export HOME LOGNAME=genolaunch && cd "$HOME" && '


_TOO_LARGE: Final = "MISCONFIGURATION:"
"""In the statusReason of a job that waited in vain (AWS Batch user guide, "Jobs stuck in a RUNNABLE status")."""


@dataclass(frozen=True)
class Request:
    """What a submission needs besides what the official builder says."""

    rule: str
    queue: str
    timeout_seconds: int


def lost_its_capacity(detail: "JobDetailTypeDef | None") -> bool:
    """Whether a failed job is better off on On-Demand instances."""
    return detail is not None and any(words in detail.get("statusReason", "") for words in _NO_CAPACITY)


def is_too_large(detail: "JobDetailTypeDef | None") -> bool:
    """Whether a failed job asks for what none of the queue's instances has: another try has the same end."""
    return detail is not None and _TOO_LARGE in detail.get("statusReason", "")


def ends_the_same_again(detail: "JobDetailTypeDef | None", log: str) -> bool:
    """Whether another try of a failed job has the same end, by its description and the end of its log.

    The log of a job that lost its host, or was never started, breaks off anywhere: it does not say why.
    """
    if detail is None or lost_its_capacity(detail):
        return False
    exit_code = detail.get("container", {}).get("exitCode")
    return is_too_large(detail) or (exit_code is not None and fails_again(log, exit_code))


def log_tail(group: str, stream: str, *, region: str) -> str:
    """The last lines of a job's log. Raises botocore's errors."""
    logs = boto3.client("logs", region_name=region)
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=_TAIL_LINES, startFromHead=False)
    text = "\n".join(event["message"] for event in answer["events"])
    return text.encode()[-_TAIL_BYTES:].decode(errors="ignore")


class LaunchJobs:
    """Answers the calls of the official plugin, from its two threads: the one that submits and the one that looks."""

    def __init__(
        self,
        *,
        client: "BatchClient",
        run_name: str,
        job_definition: str,
        share_identifier: str,
        region: str,
        tags: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._run_name = run_name
        self._job_definition = job_definition
        self._share_identifier = share_identifier
        self._region = region
        self._tags = dict(tags)
        self._clock = clock
        self._lock = threading.Lock()
        self._unfinished: dict[str, None] = {}
        """Ids, in the order of their submission."""
        self._details: dict[str, JobDetailTypeDef] = {}
        self._looked_at = float("-inf")
        self._submitted = 0

    def asking_for(self, request: Request) -> "_Submission":
        """The client for one submission by the official builder."""
        return _Submission(self, request)

    def submit(self, request: Request, container: Mapping[str, Any]) -> "SubmitJobResponseTypeDef":
        """SubmitJob with what of the builder's containerProperties may differ between jobs of a launch."""
        *shell, command = container["command"]
        with self._lock:
            self._submitted += 1
            name = self._name(request.rule, self._submitted)
        overrides: ContainerOverridesTypeDef = {
            "command": [*shell, _FRESH_FOLDER + _packed(command)],
            "environment": [{"name": "AWS_DEFAULT_REGION", "value": self._region}, *container["environment"]],
            "resourceRequirements": container["resourceRequirements"],
        }
        _check_size(overrides)
        submitted = self._client.submit_job(
            jobName=name,
            jobQueue=request.queue,
            jobDefinition=self._job_definition,
            shareIdentifier=self._share_identifier,
            containerOverrides=overrides,
            timeout={"attemptDurationSeconds": request.timeout_seconds},
            tags=self._tags,
            propagateTags=True,
        )
        with self._lock:
            self._unfinished[submitted["jobId"]] = None
        return submitted

    def describe_jobs(self, jobs: Iterable[str]) -> Mapping[str, Any]:
        """DescribeJobs for one job, as the official plugin asks; a round of it costs a call per hundred jobs."""
        return {"jobs": [detail for job_id in jobs if (detail := self.describe(job_id))]}

    def describe(self, job_id: str) -> "JobDetailTypeDef | None":
        """The job's description; None while Batch does not know it."""
        with self._lock:
            if self._clock() - self._looked_at >= _FRESH_SECONDS or job_id not in self._details:
                self._look()
            return self._details.get(job_id)

    def terminate_all(self) -> None:
        """TerminateJob for each that may not have ended. One that cannot be ended does not keep the others alive."""
        with self._lock:
            unfinished = list(self._unfinished)
        for job_id in unfinished:
            try:
                self._client.terminate_job(jobId=job_id, reason="The launch was cancelled, or ended without it.")
            except Exception as error:  # go on with the others; clean-up ends what is left
                print(f"Job {job_id} could not be terminated: {error}")  # noqa: T201  # into Snakemake's log

    def _look(self) -> None:
        for some in _chunks(list(self._unfinished), _DESCRIBE_LIMIT):
            for detail in self._client.describe_jobs(jobs=some)["jobs"]:
                self._details[detail["jobId"]] = detail
                if detail["status"] in _FINAL:
                    del self._unfinished[detail["jobId"]]
        self._looked_at = self._clock()

    def _name(self, rule: str, number: int) -> str:
        """By the run's name clean-up finds the job; the number tells jobs of one rule apart."""
        room = _LONGEST_NAME - len(self._run_name) - len(str(number)) - 2
        return f"{self._run_name}-{re.sub(r'[^A-Za-z0-9_-]', '_', rule)[:room]}-{number}"


class _Submission:
    """What the official builder takes for Batch: it registers a definition, which is kept, and submits a job of it."""

    def __init__(self, jobs: LaunchJobs, request: Request) -> None:
        self._jobs = jobs
        self._request = request
        self._container: Mapping[str, Any] = {}

    def register_job_definition(self, **definition: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as boto3's
        self._container = definition["containerProperties"]
        return {"jobDefinitionName": definition["jobDefinitionName"], "revision": 1}

    def submit_job(self, **_: object) -> "SubmitJobResponseTypeDef":
        return self._jobs.submit(self._request, self._container)


def _packed(command: str) -> str:
    """The command itself, or one that unpacks a long one and does the same."""
    if len(command) <= _LONG_COMMAND:
        return command
    packed = base64.b64encode(gzip.compress(command.encode(), mtime=0)).decode()
    return f'eval "$(echo {packed} | base64 -d | gzip -d)"'


def _check_size(overrides: "ContainerOverridesTypeDef") -> None:
    size = len(json.dumps(overrides))
    if size > _LONGEST_OVERRIDES:
        raise ValueError(
            f"its command and environment have {size:,} characters, and AWS takes {_LONGEST_OVERRIDES:,}; "
            "give the rule shorter wildcards, or fewer temporary inputs."
        )


def _chunks(ids: list[str], size: int) -> Iterator[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
