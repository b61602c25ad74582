"""What ministack's SQS lacks: the redrive of dead letters."""

from localcloud.sqs.service import SqsService

__all__ = ["SqsService"]
