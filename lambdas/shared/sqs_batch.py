"""Takes a batch's messages of SQS one by one, so that only those that fail come again.

Powertools' batch processor does so too, and imports its models of 45 kinds of events for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.shared.observability import logger


def take_each(event: Mapping[str, Any], take: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """Take every message, those after one that fails as well.

    All of a batch failing is no other case than one of it: SQS delivers them again, and then to the dead-letter queue.

    Args:
        event: what Lambda gives for a batch (developer guide, "Using Lambda with Amazon SQS").
        take: takes one of its records; any error makes its message come again.

    Returns:
        The messages to deliver again, for an event source that has ReportBatchItemFailures (developer guide,
        "Handling errors for an SQS event source in Lambda").
    """
    failed = []
    for record in event["Records"]:
        try:
            take(record)
        except Exception:
            logger.exception("A message failed, and comes again", extra={"messageId": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
