"""The broker: reads launch messages from the queue, and starts each launcher in ECS exactly once.

A message is a launch message of the state machine, or the event of a task that never ran. If such a task lacked a
network interface or an address, its launcher is started again. A message that ECS cannot take now goes back to the
queue with a growing visibility timeout. A message that ECS will never take, or has not taken for too long, goes to the
dead letters with a notice by SNS, and its launch fails with the reason.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.contract.launcher import LauncherEnvironment
from genolaunch.shared import aws
from genolaunch.shared.public_errors import public_text
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of
from lambdas.snakemake import answers
from lambdas.snakemake.dead_letters import bury
from lambdas.snakemake.launch_message import InvalidArguments, LaunchMessage, read_message
from lambdas.snakemake.launcher_repository import Launcher, LauncherRepository
from lambdas.snakemake.run_task import TryLaterError, run_task, stop_task
from lambdas.snakemake.task_event import LauncherTask

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_sqs.client import SQSClient

MOST_DELIVERIES: Final = 30
"""Most deliveries of one message. With the pauses below, ECS has refused it for more than five hours."""
MOST_STARTS: Final = 10
"""Most tasks of one attempt that are started again because they had no network."""
_LONGEST_PAUSE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Environment variables of the function."""

    stage: str
    launch_table: str
    task_table: str
    cluster: str
    task_definition: str
    launch_queue: str
    record_queue: str
    dead_letter_queue: str
    notification_topic: str


settings = settings_of(BrokerSettings)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the queue delivers it."""

    id: str
    body: str
    receipt: str
    number: int
    """1 for the first delivery."""

    @classmethod
    def read(cls, record: dict[str, Any]) -> "Delivery":
        """From a record of the event."""
        number = int(record["attributes"]["ApproximateReceiveCount"])
        return cls(record["messageId"], record["body"], record["receiptHandle"], number)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of launch messages and task events -> the messages to deliver again."""
    settings()
    metrics.add_metric(name="LaunchMessages", unit=MetricUnit.Count, value=len(event["Records"]))
    deliveries = [Delivery.read(record) for record in event["Records"]]
    return {"batchItemFailures": [{"itemIdentifier": each.id} for each in deliveries if not _is_done(each)]}


def _is_done(delivery: Delivery) -> bool:
    """Whether the message is handled; False if it must be delivered again. An error affects only its own message."""
    try:
        _take(delivery)
    except TryLaterError as error:
        return _is_given_up(delivery, ErrorType.CAPACITY, str(error), error.pause_seconds)
    except Exception as error:
        logger.exception("A launch message could not be handled")  # AWS is out of order, or this function is
        return _is_given_up(delivery, ErrorType.PLATFORM, f"{type(error).__name__}: {public_text(error)}")
    return True


def _is_given_up(delivery: Delivery, error: ErrorType, reason: str, pause_seconds: int | None = None) -> bool:
    """Whether the limit of deliveries is reached; otherwise the message is delivered again after a pause."""
    metrics.add_metric(name="LaunchersPostponed", unit=MetricUnit.Count, value=1)
    if delivery.number < MOST_DELIVERIES:
        _postpone(delivery, pause_seconds)
        return False
    reason = f"The launcher was not started in {delivery.number} tries over hours; the last time: {reason}"
    _give_up(delivery, _subject(delivery), error, reason)
    return True


def _take(delivery: Delivery) -> None:
    try:
        body = json.loads(delivery.body)
    except ValueError:
        body = None
    if isinstance(body, dict) and "detail-type" in body:
        _start_again(delivery, body["detail"])
    else:
        _start_first(delivery)


def _start_first(delivery: Delivery) -> None:
    try:
        message = read_message(delivery.body)
    except InvalidArguments as error:
        _give_up(delivery, _Subject(error.task_token), ErrorType.INVALID_ARGUMENTS, str(error))
        return
    if not _is_wanted(message):
        return
    launcher = _launchers().ask_for(message)
    if launcher.task_arn is None:
        _start(delivery, launcher)


def _start_again(delivery: Delivery, detail: dict[str, Any]) -> None:
    task = LauncherTask.read(detail)
    if task is not None and not task.lacked_network:
        return  # it could not start for another reason: the notifier tells its launch
    launcher = _launchers().get(task.launch_id, task.attempt) if task else None
    if task is None or launcher is None:
        logger.warning("The event of a task that no launch asked for", extra={"taskArn": detail.get("taskArn")})
        return
    if launcher.task_arn is None and launcher.replaces != task.arn:
        raise TryLaterError("the task is stopped, and it is not yet recorded that it was started")
    if task.arn not in (launcher.task_arn, launcher.replaces) or not _is_wanted(launcher.message):
        return  # another one has replaced it already
    if launcher.task_arn == task.arn:
        successor = _successor(delivery, launcher, task)
        if successor is None:
            return
        launcher = successor
    if launcher.task_arn is None:
        _start(delivery, launcher)


def _successor(delivery: Delivery, launcher: Launcher, stopped: LauncherTask) -> Launcher | None:
    """The launcher with another start, after a pause in which addresses become free. None if it may not start again."""
    if launcher.starts > MOST_STARTS:
        reason = f"{launcher.starts} tasks in a row stopped before they ran: {stopped.stopped_reason}"
        subject = _Subject(launcher.message.task_token, launcher.message.launch_id)
        _give_up(delivery, subject, ErrorType.CAPACITY, reason)
        return None
    if delivery.number == 1:
        raise TryLaterError(stopped.stopped_reason, pause_seconds=min(2**launcher.starts, _LONGEST_PAUSE_SECONDS))
    return _launchers().ask_again(launcher, stopped.arn)


def _start(delivery: Delivery, launcher: Launcher) -> None:
    message = launcher.message
    try:
        task_arn = run_task(
            message,
            start=launcher.starts,
            cluster=settings().cluster,
            task_definition=settings().task_definition,
            environment={LauncherEnvironment.RECORD_QUEUE: settings().record_queue},
            stage=settings().stage,
        )
    except InvalidArguments as error:
        subject = _Subject(message.task_token, message.launch_id)
        _give_up(delivery, subject, ErrorType.INVALID_ARGUMENTS, str(error))
        return
    _launchers().started(launcher, task_arn)
    metrics.add_metric(name="LaunchersStarted", unit=MetricUnit.Count, value=1)
    logger.info("Launcher started", extra={"launchId": message.launch_id, "taskArn": task_arn})
    if not _is_wanted(message):  # cancelled meanwhile: clean-up may have looked before there was a task
        stop_task(task_arn, cluster=settings().cluster, reason="The launch was cancelled.")


def _is_wanted(message: LaunchMessage) -> bool:
    """Whether the attempt still runs: a message may be delivered after a cancel, and twice."""
    launch = LaunchRepository(settings().launch_table).get(message.launch_id)
    wanted = launch is not None and launch.status is Status.RUNNING and launch.attempt == message.attempt
    if not wanted:
        logger.info("The launch does not wait for a launcher any more", extra={"launchId": message.launch_id})
    return wanted


@dataclass(frozen=True, slots=True)
class _Subject:
    """The launch that a message is about, as far as it is known."""

    task_token: str | None = None
    launch_id: str | None = None


def _subject(delivery: Delivery) -> _Subject:
    body = json.loads(delivery.body)
    if "detail-type" not in body:
        message = read_message(delivery.body)
        return _Subject(message.task_token, message.launch_id)
    task = LauncherTask.read(body["detail"])
    launcher = _launchers().get(task.launch_id, task.attempt) if task else None
    return _Subject(launcher.message.task_token, launcher.message.launch_id) if launcher else _Subject()


def _give_up(delivery: Delivery, subject: _Subject, error: ErrorType, reason: str) -> None:
    """Write dead letter and notice first, so that both exist when the launch has failed."""
    bury(
        delivery.body,
        reason=f"{error}: {reason}",
        launch_id=subject.launch_id,
        queue=settings().dead_letter_queue,
        topic=settings().notification_topic,
        stage=settings().stage,
    )
    metrics.add_metric(name="LaunchersGivenUp", unit=MetricUnit.Count, value=1)
    if subject.task_token:
        answers.fail(subject.task_token, error, reason)


def _postpone(delivery: Delivery, pause_seconds: int | None) -> None:
    """Have the message delivered again after a pause, which doubles with each delivery unless it is given."""
    client: SQSClient = aws.client("sqs")
    client.change_message_visibility(
        QueueUrl=settings().launch_queue,
        ReceiptHandle=delivery.receipt,
        VisibilityTimeout=pause_seconds or min(2 ** (delivery.number - 1), _LONGEST_PAUSE_SECONDS),
    )


def _launchers() -> LauncherRepository:
    return LauncherRepository(settings().task_table, settings().launch_table)
