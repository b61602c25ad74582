"""Queues with their dead letters: every asynchronous hop has one, and an alarm on it."""

from aws_cdk import Duration, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from genolaunch.contract.events import MOST_RECEIVES
from genolaunch.contract.project import TAG_DEAD_LETTERS
from stacks.constructs.monitoring import ALARM_PERIOD, Monitoring


class DeadLetterQueue(Construct):
    """Keeps for 14 days (the longest there is) what nobody could handle, and raises an alarm at the first one."""

    def __init__(self, scope: Construct, id_: str, *, monitoring: Monitoring, holds: str) -> None:
        """`holds` says in a few words what a message is: it ends the alarm's description."""
        super().__init__(scope, id_)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=monitoring.key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        Tags.of(self.queue).add(TAG_DEAD_LETTERS, "true")
        monitoring.alarm(
            self,
            "NotEmpty",
            metric=self.queue.metric_approximate_number_of_messages_visible(period=ALARM_PERIOD, statistic="Maximum"),
            threshold=1,
            description=f"Could not be handled, and waits in the dead-letter queue: {holds}. Once the cause is mended,"
            " `genolaunch redrive` tries it again.",
        )


class QueueWithDeadLetters(Construct):
    """A queue, its dead-letter queue, and an alarm when messages wait too long."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        monitoring: Monitoring,
        holds: str,
        consumer_timeout: Duration,
        oldest: Duration,
        receives: int = MOST_RECEIVES,
    ) -> None:
        """Args: `consumer_timeout` of the function that reads it, `oldest` age of a message that is still normal,
        `receives` after which a message is a dead letter.
        """
        super().__init__(scope, id_)
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", monitoring=monitoring, holds=holds)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=monitoring.key,
            enforce_ssl=True,
            # Lambda asks for six times the function's time-out, so that throttled batches are not delivered twice.
            visibility_timeout=Duration.seconds(6 * int(consumer_timeout.to_seconds())),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=receives, queue=self.dead_letters.queue),
        )
        monitoring.alarm(
            self,
            "Waiting",
            metric=self.queue.metric_approximate_age_of_oldest_message(period=ALARM_PERIOD, statistic="Maximum"),
            threshold=int(oldest.to_seconds()),
            description=f"Waits for longer than {oldest.to_human_string()}: {holds}",
        )


def holds_dead_letters(queue: sqs.Queue) -> bool:
    """Whether it is for what nobody could handle."""
    return isinstance(queue.node.scope, DeadLetterQueue)


def allow_sending(grantee: iam.IGrantable, queue: sqs.IQueue) -> None:
    """Let somebody send messages to an encrypted queue. The library's own grant also lets it look at the queue."""
    queue.grant(grantee, "sqs:SendMessage")
    if queue.encryption_master_key is not None:
        queue.encryption_master_key.grant(grantee, "kms:GenerateDataKey", "kms:Decrypt")


def allow_polling(grantee: iam.IGrantable, queue: sqs.IQueue) -> None:
    """Let Lambda poll a queue in a function's name: what "Using Lambda with Amazon SQS" asks for, and no more."""
    queue.grant(grantee, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    if queue.encryption_master_key is not None:
        queue.encryption_master_key.grant(grantee, "kms:Decrypt")
