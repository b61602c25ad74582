"""Executes a person's request about a launch, and writes the answer beside the request.

A request is a file below requests/<launchId>/ of the launch bucket. S3's notification says who put the file, and people
cannot choose this name (docs/decisions/101). So the launch's events say who asked for what.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from genolaunch.contract.launch import ALLOWED_FROM, EventField, HeldFor, LaunchField, Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.contract.requests import RequestAction
from genolaunch.launch_configs.config_text import LARGEST_CONFIG, too_large
from genolaunch.shared import aws
from genolaunch.shared.errors import MissingRequiredParametersError, StatusConflictError
from genolaunch.shared.faults import Fault
from genolaunch.shared.launch_item import LaunchItemError
from lambdas.shared.clock import timestamp
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tell_of_sick_launch
from lambdas.shared.settings import settings_of
from lambdas.shared.sqs_batch import take_each
from lambdas.workflow_manager.claiming import check_registered, told_by_config
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile, FileGoneError, drops, fetch
from lambdas.workflow_manager.person_request import (
    PersonRequest,
    changed_keys,
    launch_of_request,
    merged,
    read_request,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MOST_TRIES: Final = 3
"""How often a request is tried, since the launch may change in the table between the read and the requested write."""

_NOT_THERE: Final = (403, 404)
"""S3's HTTP statuses for an object that does not exist. Which one S3 gives depends on the right to list the bucket
(Amazon S3 API reference, GetObject, "Permissions")."""

_EDITABLE: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.REJECTED})
"""Statuses in which a config may be changed: nothing uses the config now, and a retry will."""

_REFUSALS: Final = {
    RequestAction.CANCEL: "only a launch that is not over can be cancelled",
    RequestAction.RETRY: "only a launch that is FAILED, CANCELLED or REJECTED can be tried again",
    RequestAction.APPROVE: "only a launch that is HELD is approved",
    RequestAction.EDIT: "only a launch that is FAILED, CANCELLED or REJECTED can be edited",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    launch_table: str
    data_bucket: str
    compute_services: str
    teams: str = ""
    launch_bucket: str = ""
    readable_buckets: str = ""
    four_eyes_approval: str = ""


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of S3 notifications -> the messages to deliver again."""
    settings()
    return take_each(event, _process)


def _process(record: Mapping[str, Any]) -> None:
    for drop in drops(record["body"]):
        answer(drop)


def answer(drop: Drop) -> None:
    """Do what a file requests, once, and write the outcome beside it. Errors of AWS are raised."""
    launch_id = launch_of_request(drop.key)
    if launch_id is None or _is_answered(drop):
        return
    try:
        file = fetch(drop, largest=LARGEST_CONFIG)
    except FileGoneError:
        logger.warning("The request was gone before it was read", extra={"launchId": launch_id})
        return
    status: str | None = None
    faults: Sequence[Fault] = ()
    try:
        status = _do(launch_id, drop, file).status
    except MissingRequiredParametersError as error:
        faults = error.faults
    except LaunchItemError as sick:
        tell_of_sick_launch(sick)
        faults = [
            Fault(name, f"must be {words}", "Mend it in the launch table.") for name, words in sick.problems.items()
        ]
    metrics.add_metric(name="RequestsRefused" if faults else "RequestsDone", unit=MetricUnit.Count, value=1)
    logger.info("Request answered", extra={"launchId": launch_id, "isDone": not faults})
    _write_answer(drop, file, launch_id, status, faults)


def _do(launch_id: str, drop: Drop, file: DroppedFile) -> Launch:
    """Make the requested change.

    Returns:
        The launch after the change.

    Raises:
        MissingRequiredParametersError: the change is not made; the text says why.
    """
    if file.content is None:
        raise too_large(file.size)
    request = read_request(file.content)
    repository = LaunchRepository(settings().launch_table)
    for _ in range(_MOST_TRIES):
        try:
            launch = repository.get(launch_id)
        except LaunchItemError:
            if not repository.mend_status(launch_id):
                raise
            continue
        if launch is None:
            raise _refused("the launch", f"does not exist: {launch_id}", "`genolaunch list` shows the launches.")
        if any(event.get(EventField.REQUEST) == drop.digest for event in launch.events or ()):
            return launch  # an earlier delivery of this message made the change
        try:
            return _change(repository, launch, request, drop)
        except StatusConflictError:
            continue
    raise StatusConflictError(f"{launch_id} kept changing")


def _change(repository: LaunchRepository, launch: Launch, request: PersonRequest, drop: Drop) -> Launch:
    told: dict[str, object] = {EventField.ACTION: request.action.value, EventField.REQUEST: drop.digest}
    told |= {EventField.BY: drop.requested_by} if drop.requested_by else {}
    told |= {EventField.REASON: request.reason} if request.reason else {}
    if request.attempt not in (None, launch.attempt):
        raise _refused(
            "attempt", f"is {request.attempt}, but the launch's attempt is now {launch.attempt}", "Look again."
        )
    match request.action:
        case RequestAction.CANCEL:
            if launch.status is Status.CANCEL_REQUESTED:
                return launch
            _require(launch, request, launch.status in ALLOWED_FROM[Status.CANCEL_REQUESTED])
            return repository.ask(launch, Status.CANCEL_REQUESTED, told, {})
        case RequestAction.RETRY:
            _require(launch, request, launch.status in ALLOWED_FROM[Status.RETRY])
            fields = _config_fields(launch, request, told)
            return repository.ask(launch, Status.RETRY, told, fields)
        case RequestAction.EDIT:
            _require(launch, request, launch.status in _EDITABLE)
            return repository.edit(launch, told, _config_fields(launch, request, told))
        case RequestAction.APPROVE:
            agreed = _agreed(launch)
            _require(launch, request, launch.status is Status.HELD and agreed is not None)
            _require_four_eyes(launch, drop.requested_by)
            return repository.ask(launch, Status.READY, told, agreed or {}, LaunchField.HELD_FOR)


def _require(launch: Launch, request: PersonRequest, is_legal: bool) -> None:
    if not is_legal:
        raise _refused("the launch", f"is {launch.status}: {_REFUSALS[request.action]}", "Look at its status.")


def _refused(where: str, problem: str, remedy: str) -> MissingRequiredParametersError:
    return MissingRequiredParametersError([Fault(where, problem, remedy)])


def _config_fields(launch: Launch, request: PersonRequest, told: dict[str, object]) -> dict[str, object]:
    """Return the launch's fields that follow from the config after the requested changes, and note these changes.

    Raises:
        MissingRequiredParametersError: the changed config has faults.
    """
    if request.config is None or launch.config_json is None:
        return check_registered(launch, settings())
    before = launch.config
    fields = told_by_config(launch, settings(), merged(before, request.config))
    if fields[LaunchField.WORKFLOW] != launch.workflow:
        raise _refused("workflow", f"is {launch.workflow}, and cannot be changed", "Submit another launch.")
    told[EventField.CHANGED] = changed_keys(before, json.loads(str(fields[LaunchField.CONFIG])))
    return fields


def _agreed(launch: Launch) -> dict[str, object] | None:
    """Return the attributes that record what a person approves; None if there is nothing to approve."""
    if launch.held_for == HeldFor.BUDGET and launch.estimate is not None:
        # Approve the upper end of the estimate's range, so that a launch within the range is not cancelled half way.
        return {LaunchField.APPROVED_BUDGET: launch.estimate["high"]}
    if launch.restore is None:
        return None
    return {LaunchField.APPROVED_RESTORE: {"bytes": launch.restore["bytes"], "usd": launch.restore["usd"]}}


def _require_four_eyes(launch: Launch, approver: str | None) -> None:
    """Refuse approval by the person who requested the launch, a retry or another config, if the stage requires it."""
    if not settings().four_eyes_approval:
        return
    of_askers = (RequestAction.RETRY, RequestAction.EDIT)
    later = (event for event in launch.events or () if event.get(EventField.ACTION) in of_askers)
    askers = {launch.requested_by, *(event.get(EventField.BY) for event in later)}
    if approver is None or None in askers or approver in askers:
        raise _refused(
            "the approval", "must be by a person who did not ask for the launch", "Ask somebody else to approve it."
        )


def _is_answered(drop: Drop) -> bool:
    """Return whether an earlier delivery of the same put was answered: a request refused then must not be done now."""
    try:
        found = aws.client("s3").get_object(Bucket=drop.bucket, Key=feedback_key(drop.key))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _NOT_THERE:
            raise
        return False
    return bool(json.loads(found["Body"].read()).get("request") == drop.digest)


def _write_answer(drop: Drop, file: DroppedFile, launch_id: str, status: str | None, faults: Sequence[Fault]) -> None:
    document = {
        "launchId": launch_id,
        "accepted": not faults,
        "status": status,
        "faults": [fault.as_dict() for fault in faults],
        "at": timestamp(),
        "object": {"bucket": drop.bucket, "key": drop.key, "versionId": drop.version_id, "etag": drop.etag},
        "submissionId": file.submission_id,
        "request": drop.digest,
    }
    aws.client("s3").put_object(
        Bucket=drop.bucket,
        Key=feedback_key(drop.key),
        Body=json.dumps(document, indent=2).encode(),
        ContentType="application/json",
    )
