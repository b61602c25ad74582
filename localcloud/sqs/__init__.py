"""What ministack's SQS lacks: the redrive of dead letters."""

from localcloud.sqs.moves import MessageMoves

__all__ = ["MessageMoves"]
