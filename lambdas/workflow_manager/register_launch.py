"""Registers, or rejects, every file dropped into the launch bucket, and answers it there.

Powertools' Idempotency is not used: what must happen once is one conditional write of the launch repository, keyed by
the S3 event, and everything else (the feedback object, a notice) may be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.events import MOST_RECEIVES
from genolaunch.contract.launch import Status
from genolaunch.launch_configs.config_text import LARGEST_CONFIG, WHOLE_FILE
from genolaunch.launch_configs.workflows import sources_named_by
from genolaunch.shared.faults import Fault
from lambdas.shared.feedback import has_feedback_key
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import put_event
from lambdas.shared.launch_repository import LaunchRepository, Registration
from lambdas.shared.notifications import notify, tell_answer
from lambdas.shared.observability import count, count_platform_fault, logger
from lambdas.shared.settings import settings_of
from lambdas.shared.sqs_batch import take_each
from lambdas.workflow_manager.dropped_file import (
    Drop,
    DroppedFile,
    FileGoneError,
    drops,
    fetch,
    sources_beside,
)
from lambdas.workflow_manager.feedback import feedback, refusal, write_answer
from lambdas.workflow_manager.registration import fingerprint, is_launch_file, launch_of, misplaced_snakefile
from lambdas.workflow_manager.strays import stray

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    data_bucket: str
    notification_topic: str
    event_bus: str
    compute_services: str
    teams: str = ""
    readable_buckets: str = ""


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of S3 notifications, and of its events of EventBridge -> the messages to deliver again."""
    settings()
    return take_each(event, _process)


def _process(record: Mapping[str, Any]) -> None:
    """Handle each file of a message, even when another one fails; one that fails for the last time, after
    which its message is a dead letter, is answered so.

    Raises:
        Exception: the first failure.
    """
    failures = []
    for drop in drops(record["body"]):
        try:
            _handle(drop)
        except Exception as error:  # SQS delivers the message again
            failures.append(error)
            if _receives(record) >= MOST_RECEIVES:
                _answer_failure(drop, error)
    if failures:
        raise failures[0]


def _handle(drop: Drop) -> None:
    if is_launch_file(drop.key):
        register(drop)
        return
    misplaced = misplaced_snakefile(drop.key) or stray(
        drop.key, data_bucket=settings().data_bucket, teams=_names(settings().teams)
    )
    if misplaced:
        _answer(drop, refusal(drop, misplaced))


def _receives(record: Mapping[str, Any]) -> int:
    """How often the message was received, this time included."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _answer_failure(drop: Drop, error: Exception) -> None:
    fault = Fault(
        WHOLE_FILE,
        f"is neither registered nor refused: the platform failed {MOST_RECEIVES} times ({type(error).__name__})",
        "The people who run it were told, and the file is registered once they have fixed it: do not drop it again.",
    )
    try:
        # An event that comes again after its launch was registered may fail as well: that answer stays.
        _answer(drop, refusal(drop, fault), only_first=True)
    except Exception:  # The alarm on dead letters tells the stage's operators all the same.
        logger.exception("The failure was not answered", extra={"uri": drop.uri})


def _answer(drop: Drop, answer: Mapping[str, Any], *, only_first: bool = False) -> None:
    """Beside the file; by notice, where no key is left for that."""
    if has_feedback_key(drop.key):
        write_answer(drop, answer, only_first=only_first)
    else:
        tell_answer(answer, uri=drop.uri, topic_arn=settings().notification_topic, stage=settings().stage)


def register(drop: Drop) -> None:
    """Register or reject one dropped file, and answer it. Errors of AWS are raised: the message comes again."""
    try:
        file = fetch(drop, largest=LARGEST_CONFIG)
    except FileGoneError:
        # Withdrawn, or replaced by a file with an event of its own: there is nothing to run and nobody to answer.
        logger.warning("The file was gone before it was read", extra={"uri": drop.uri})
        return
    launch = launch_of(
        drop,
        file,
        data_bucket=settings().data_bucket,
        services=settings().compute_services.split(","),
        teams=_names(settings().teams),
        readable_buckets=_names(settings().readable_buckets),
    )
    repository = LaunchRepository(settings().launch_table, settings().task_table)
    rejected = launch.status == Status.REJECTED
    registration = (
        repository.reject(launch) if rejected else repository.register(launch, _fingerprint(launch, drop, file))
    )
    _record(registration, drop)
    _answer(
        drop,
        feedback(registration.launch, drop, file, repeats=registration.launch.launch_id != launch.launch_id),
    )
    if registration.is_new or rejected:
        put_event(registration.launch, bus=settings().event_bus, stage=settings().stage)
    if rejected:
        notify(registration.launch, topic_arn=settings().notification_topic, stage=settings().stage)


def _fingerprint(launch: Launch, drop: Drop, file: DroppedFile) -> str:
    """A workflow whose sources have changed is another launch, though its config is the same."""
    named = sources_named_by(launch.config) or ""
    key = named.removeprefix(f"s3://{drop.bucket}/")
    is_here = bool(named) and not key.startswith("s3://")  # others' buckets this function may not read
    return fingerprint(drop, file, sources_beside(drop.bucket, key) if is_here else ())


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _record(registration: Registration, drop: Drop) -> None:
    launch = registration.launch
    if registration.is_new and (launch.error or {}).get("type") == ErrorType.PLATFORM:
        count_platform_fault()
    outcome = launch.status.title() if registration.is_new else "Repeated"
    count(f"Launches{outcome}", 1, launch.workflow)
    logger.info(
        "Launch registered" if registration.is_new else "Launch known already",
        extra={"launchId": launch.launch_id, "status": launch.status, "uri": drop.uri},
    )
