"""What DynamoDB says when a conditional write was not made, and how long to wait before the next try."""

import random
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

_MOST_TRIES = 8


def delays() -> Iterator[float]:
    """Seconds to wait after each try: doubling from 25 ms, with jitter so that racers part."""
    for attempt in range(_MOST_TRIES):
        yield random.uniform(0.5, 1) * 0.025 * 2**attempt  # noqa: S311 - jitter, not a secret


def is_failed_condition(error: ClientError) -> bool:
    """The condition of a single write did not hold."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def is_invalid(error: ClientError) -> bool:
    """The write does not fit what is there: a list is asked for, and there is text."""
    return error.response["Error"]["Code"] == "ValidationException"


def finds_no_room(error: ClientError) -> bool:
    """The item would be larger than an item may be: of a single write, or of one in a transaction (Amazon DynamoDB API
    reference, TransactWriteItems, "Errors")."""
    reasons: Any = [error.response["Error"], *error.response.get("CancellationReasons", [])]
    told = [reason.get("Message") or "" for reason in reasons if reason.get("Code") in _INVALID]
    return any("maximum allowed size" in message for message in told)


_INVALID = ("ValidationException", "ValidationError")


def is_lost_race(error: ClientError) -> bool:
    """A transaction was cancelled only because others wrote first; throttling and faults are not that."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code", "None") for reason in reasons}
    return bool(codes) and codes <= {"None", "ConditionalCheckFailed", "TransactionConflict"}
