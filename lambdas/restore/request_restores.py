"""Asks S3 to restore objects, as many at a time as the account's rate allows."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from contract import RetrievalTier
from lambdas.restore.ending import Endings
from lambdas.restore.estimate import tier_of
from lambdas.restore.request_queue import Message, Request, send_again
from lambdas.restore.restore_model import WantedObject
from lambdas.restore.scan import head
from lambdas.shared import aws
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import RestoreRequestTypeDef

_AT_A_TIME: Final = 10
"""As many as botocore keeps connections. A request takes some 50 ms: 200 a second from each of this function's five
instances at the most, and S3 takes 1,000 in an account (Amazon S3 user guide, "Restoring an archived object")."""

_MOST_TRIES: Final = 12
"""Putting off for longer each time, up to 15 minutes: more than two hours. Then it is a fault, and an alarm's."""

_REASONS: Final = {
    "NoSuchKey": "does not exist any more",
    "NoSuchBucket": "has no bucket any more",
    "AccessDenied": "may not be restored by this stage (access denied)",
    "InvalidObjectState": "is in a storage class that cannot be restored",
    "ObjectAlreadyInActiveTierError": "is in a storage class that cannot be restored",
}
"""S3's refusals that waiting does not mend."""

_ACTIVE: Final = ("InvalidObjectState", "ObjectAlreadyInActiveTierError")
"""S3 also says so of an object that can be read as it is, such as one that came back from an archive tier."""

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class Outcome(Enum):
    """What became of a request."""

    UNDER_WAY = auto()
    """An event will tell when it is done, whoever asked for it first."""
    READABLE = auto()
    """No event will come."""
    PUT_OFF = auto()


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    restore_queue: str
    notification_topic: str
    event_bus: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of requests -> the messages to deliver again.

    A message that is delivered again asks again: S3 answers that the restore is under way, and nothing is paid twice.
    """
    settings()
    return dict(process_partial_response(event=event, record_handler=_process, processor=_processor, context=context))


def _process(record: "SQSRecord") -> None:
    request_all(Message.read(record.body))


def request_all(message: Message) -> None:
    """Ask for a message's objects; what S3 has no time for is put off."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = list(pool.map(partial(_outcome, message), message.requests))
    answered = list(zip(message.requests, outcomes, strict=True))
    endings = Endings.at(settings())
    under_way = sum(outcome is Outcome.UNDER_WAY for outcome in outcomes)
    metrics.add_metric(name="RestoresUnderWay", unit=MetricUnit.Count, value=under_way)
    if readable := [request.item for request, outcome in answered if outcome is Outcome.READABLE]:
        endings.items.mark_restored(message.restore, readable)
        endings.go_on_if_over(message.restore)
    if refused := {request.item: outcome for request, outcome in answered if isinstance(outcome, str)}:
        endings.fail(message.restore, refused)
    if put_off := [request for request, outcome in answered if outcome is Outcome.PUT_OFF]:
        _put_off(message, put_off)


def _put_off(message: Message, requests: Iterable[Request]) -> None:
    rest = list(requests)
    metrics.add_metric(name="RestoresPutOff", unit=MetricUnit.Count, value=len(rest))
    if message.tries >= _MOST_TRIES:
        raise TimeoutError(f"{message.restore.run}: S3 had no time for {len(rest)} restores")
    send_again(settings().restore_queue, message, rest, delay=_delay(message.tries))


def _delay(tries: int) -> int:
    """Seconds until the next try: longer each time, up to the most that Amazon SQS puts off."""
    return min(900, 5 << tries)


def _outcome(message: Message, request: Request) -> Outcome | str:
    """What became of it; a text says why it cannot be restored."""
    tier = tier_of(request.archive, message.tier)
    try:
        return _ask(request, tier, message.days)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "GlacierExpeditedRetrievalNotAvailable":  # S3 is out of capacity for it: hours are better than never
            return _outcome(_slower(message), request)
        if code in _ACTIVE and _is_readable(request.item):
            return Outcome.READABLE
        if code in _REASONS:
            return _REASONS[code]
        logger.warning("Put off", extra={"object": request.item.uri, "code": code})
    except BotoCoreError as error:
        logger.warning("Put off", extra={"object": request.item.uri, "error": repr(error)})
    return Outcome.PUT_OFF


def _ask(request: Request, tier: RetrievalTier, days: int) -> Outcome:
    wanted: RestoreRequestTypeDef = {"GlacierJobParameters": {"Tier": tier.value}}
    if not request.archive.is_tiered:
        wanted["Days"] = days
    client: S3Client = aws.client("s3")
    try:
        answer = client.restore_object(Bucket=request.item.bucket, Key=request.item.key, RestoreRequest=wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] == "RestoreAlreadyInProgress":
            return Outcome.UNDER_WAY
        raise
    # 202: accepted. 200: it was restored already, and is kept for longer now.
    return Outcome.READABLE if answer["ResponseMetadata"]["HTTPStatusCode"] == 200 else Outcome.UNDER_WAY


def _slower(message: Message) -> Message:
    return Message(message.restore, RetrievalTier.STANDARD, message.days, message.requests, message.tries)


def _is_readable(item: WantedObject) -> bool:
    try:
        return head(item.bucket, item.key) is None
    except ClientError:
        return False
