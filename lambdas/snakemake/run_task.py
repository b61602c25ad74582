"""Starts the task of a launcher in ECS, and distinguishes temporary refusals from final ones."""

import random
import time
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.contract.launcher import LauncherEnvironment
from genolaunch.contract.project import PROJECT, TAG_ATTEMPT, TAG_LAUNCH_ID, TAG_PROJECT, TAG_STAGE, run_name
from genolaunch.shared.public_errors import OpenError
from lambdas.snakemake.launch_message import InvalidArguments, LaunchMessage

_CALLS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.1
"""Doubled after each call, with jitter: at most 3 s in all, which is cheaper than another delivery of the message."""

_PASSING_CODES: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ServerException",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
_MENDED_BY_TIME: Final = ("capacity", "limit on the number of tasks", "concurrently", "unable to assume the role")
"""In the message of an error that time mends: Fargate has no room in the zones, the account's quota is used up (Amazon
ECS developer guide, "API failure reasons"; AWS re:Post on RunTask and Fargate), or IAM has not yet told everywhere of a
role that was just made (IAM user guide, "Changes that I make are not always immediately visible"; ECS's words as in
pulumi/pulumi-awsx#927)."""


class TryLaterError(OpenError):
    """ECS did not take the task now: throttled, without capacity, or out of order. The message gives its reason."""

    def __init__(self, reason: str, pause_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds
        """Before the next try; None for what the number of deliveries makes it."""


def run_task(
    message: LaunchMessage,
    *,
    start: int,
    cluster: str,
    task_definition: str,
    environment: dict[LauncherEnvironment, str],
    stage: str,
) -> str:
    """Start the task, and answer its ARN. The same `start` (1 for the first) of an attempt never makes two tasks.

    Raises:
        TryLaterError: after some calls with growing pauses.
        InvalidArguments: ECS will never take it.
    """
    request = _request(message, start, cluster, task_definition, environment, stage)
    for call in range(_CALLS):
        try:
            return _call(request)
        except TryLaterError:
            if call == _CALLS - 1:
                raise
            time.sleep(random.uniform(0.5, 1) * _FIRST_PAUSE_SECONDS * 2**call)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def stop_task(task_arn: str, *, cluster: str, reason: str) -> None:
    """Ask ECS to stop a task; one that is gone already is no error."""
    client = _client()
    try:
        client.stop_task(cluster=cluster, task=task_arn, reason=reason)
    except client.exceptions.InvalidParameterException:
        return


@cache
def _client() -> Any:  # noqa: ANN401 - as genolaunch.shared.aws.client
    # The retries are ours: what boto3 tried by itself would multiply them.
    return boto3.client("ecs", config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20))


def _call(request: dict[str, Any]) -> str:
    try:
        answer = _client().run_task(**request)
    except ClientError as error:
        running = _taken_before(error)
        if running:
            return running
        raise _judged(error.response["Error"]["Code"], error.response["Error"].get("Message", "")) from error
    except BotoCoreError as error:  # time-outs and broken connections: whether it was taken, the token tells
        raise TryLaterError(str(error)) from error
    if answer["tasks"]:
        return str(answer["tasks"][0]["taskArn"])
    reasons = [f"{failure.get('reason', '')} {failure.get('detail', '')}".strip() for failure in answer["failures"]]
    reason = "; ".join(reasons) or "ECS started nothing and gave no reason"
    if any(each.startswith(("RESOURCE:", "AGENT", "LOCATION")) for each in reasons) or not reasons:
        raise TryLaterError(reason)
    raise _judged("", reason)


def _taken_before(error: ClientError) -> str | None:
    """The task of an earlier try, whose answer was lost, if the request has changed since by a deployment.

    (Amazon ECS API reference, RunTask: ConflictException names the tasks of its client token.)
    """
    if error.response["Error"]["Code"] != "ConflictException":
        return None
    answer: Any = error.response
    tasks = answer.get("resourceIds") or [None]
    return str(tasks[0]) if tasks[0] else None


def _judged(code: str, text: str) -> Exception:
    sentence = f"{code}: {text}" if code else text
    if code in _PASSING_CODES or any(word in text.lower() for word in _MENDED_BY_TIME):
        return TryLaterError(sentence)
    return InvalidArguments([f"ECS refused the task: {sentence}"])


def _request(
    message: LaunchMessage,
    start: int,
    cluster: str,
    task_definition: str,
    environment: dict[LauncherEnvironment, str],
    stage: str,
) -> dict[str, Any]:
    name = run_name(message.launch_id, message.attempt)
    tags = {
        TAG_PROJECT: PROJECT,
        TAG_STAGE: stage,
        TAG_LAUNCH_ID: message.launch_id,
        TAG_ATTEMPT: str(message.attempt),
    }
    variables = {
        **environment,
        LauncherEnvironment.STAGE: stage,
        LauncherEnvironment.LAUNCH_ID: message.launch_id,
        LauncherEnvironment.ATTEMPT: str(message.attempt),
        LauncherEnvironment.RUN_SHEET: message.run_sheet,
    }
    return {
        "cluster": cluster,
        "taskDefinition": task_definition,
        "launchType": "FARGATE",
        "count": 1,
        "clientToken": f"{name}-{start}",  # at most 64 characters (Amazon ECS API reference, RunTask)
        "startedBy": name,
        "propagateTags": "TASK_DEFINITION",
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(message.subnets),
                "securityGroups": list(message.security_groups),
                "assignPublicIp": "DISABLED",
            }
        },
        "overrides": {
            **({"taskRoleArn": message.role} if message.role else {}),
            "containerOverrides": [
                {
                    "name": message.container,
                    "environment": [{"name": str(key), "value": value} for key, value in variables.items()],
                }
            ],
        },
    }
