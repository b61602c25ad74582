"""Asks S3 to restore objects, as many at a time as the account's rate allows."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.contract.launch import Status
from genolaunch.contract.restore import RetrievalTier
from genolaunch.shared import aws
from lambdas.restore.charges import Charge, record_charges
from lambdas.restore.ending import Endings
from lambdas.restore.estimate import tier_of
from lambdas.restore.request_queue import Message, Request, send_again
from lambdas.restore.restore_model import WantedObject
from lambdas.restore.scan import head
from lambdas.shared.function import function
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of
from lambdas.shared.sqs_batch import take_each

if TYPE_CHECKING:
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


class Outcome(Enum):
    """What became of a request."""

    ACCEPTED = auto()
    """An event will tell when it is done."""
    JOINED = auto()
    """So it will, but somebody else asked first, or this launch did before."""
    KEPT_FOR_LONGER = auto()
    """It was restored already, and no event will come."""
    READABLE = auto()
    """It needs no restore, and no event will come."""
    PUT_OFF = auto()


_UNDER_WAY: Final = (Outcome.ACCEPTED, Outcome.JOINED)
_THERE: Final = (Outcome.KEPT_FOR_LONGER, Outcome.READABLE)
_CHARGED: Final = (Outcome.ACCEPTED, Outcome.KEPT_FOR_LONGER)


@dataclass(frozen=True, slots=True)
class Answer:
    """What S3 said to a request."""

    request: Request
    tier: RetrievalTier
    """At which it was asked for, in the end."""
    outcome: Outcome | str
    """A text says why it cannot be restored."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    usage_table: str
    restore_queue: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of requests -> the messages to deliver again.

    A message that is delivered again asks again: S3 answers that the restore is under way, and nothing is paid twice.
    """
    settings()
    return take_each(event, _process)


def _process(record: Mapping[str, Any]) -> None:
    request_all(Message.read(record["body"]))


def request_all(message: Message) -> None:
    """Ask for a message's objects, if they are still waited for; what S3 has no time for is put off."""
    endings = Endings.at(settings())
    launch = endings.repository.get(message.restore.launch_id)
    if launch is None or launch.status is not Status.WAITING or launch.attempt != message.restore.attempt:
        logger.info("No launch waits for these objects any more", extra={"run": message.restore.run})
        return
    answers = _ask_all(message)
    under_way = sum(answer.outcome in _UNDER_WAY for answer in answers)
    metrics.add_metric(name="RestoresUnderWay", unit=MetricUnit.Count, value=under_way)
    if readable := [answer.request.item for answer in answers if answer.outcome in _THERE]:
        endings.items.mark_restored(message.restore, readable)
        endings.go_on_if_over(message.restore)
    if refused := {answer.request.item: answer.outcome for answer in answers if isinstance(answer.outcome, str)}:
        endings.fail(message.restore, refused)
    if put_off := [answer.request for answer in answers if answer.outcome is Outcome.PUT_OFF]:
        _put_off(message, put_off)


def _ask_all(message: Message) -> list[Answer]:
    """Ask for all of them, as many at a time as there are connections."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        asked = [pool.submit(_answer, message, request) for request in message.requests]
    # First of all, and also if asking for one of them failed in a way that nobody foresaw: S3 says only once that a
    # request began a restore. Asked again, it answers that one is under way.
    _record(message, [future.result() for future in asked if not future.exception()])
    return [future.result() for future in asked]


def _record(message: Message, answers: Iterable[Answer]) -> None:
    charges = [
        Charge(answer.request.archive, answer.tier, answer.request.item.size, answer.outcome is Outcome.ACCEPTED)
        for answer in answers
        if answer.outcome in _CHARGED
    ]
    record_charges(settings().usage_table, message.restore, message.days, charges)


def _put_off(message: Message, requests: Iterable[Request]) -> None:
    rest = list(requests)
    metrics.add_metric(name="RestoresPutOff", unit=MetricUnit.Count, value=len(rest))
    if message.tries >= _MOST_TRIES:
        raise TimeoutError(f"{message.restore.run}: S3 had no time for {len(rest)} restores")
    send_again(settings().restore_queue, message, rest, delay=_delay(message.tries))


def _delay(tries: int) -> int:
    """Seconds until the next try: longer each time, up to the most that Amazon SQS puts off."""
    return min(900, 5 << tries)


def _answer(message: Message, request: Request) -> Answer:
    tier = tier_of(request.archive, message.tier)
    try:
        outcome = _outcome(request, tier, message.days)
    except ExpeditedUnavailableError:  # hours are better than never
        tier = RetrievalTier.STANDARD
        outcome = _outcome(request, tier, message.days)
    return Answer(request, tier, outcome)


class ExpeditedUnavailableError(Exception):
    """S3 is out of capacity for it."""


def _outcome(request: Request, tier: RetrievalTier, days: int) -> Outcome | str:
    """What became of it; a text says why it cannot be restored."""
    try:
        return _ask(request, tier, days)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "GlacierExpeditedRetrievalNotAvailable":
            raise ExpeditedUnavailableError from error
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
            return Outcome.JOINED
        raise
    # 202: accepted. 200: it was restored already, and is kept for longer now.
    is_there = answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    return Outcome.KEPT_FOR_LONGER if is_there else Outcome.ACCEPTED


def _is_readable(item: WantedObject) -> bool:
    try:
        return head(item.bucket, item.key) is None
    except ClientError:
        return False
