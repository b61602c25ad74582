"""EventBridge Pipes from a table's stream: FilterCriteria, InputTemplate, batches, retries and the dead-letter queue.

Targets are state machines, queues and topics. A stream has only one shard here.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, Protocol

logger = logging.getLogger("localcloud.pipes")

IDLE_SECONDS: Final = 1.0
"""After this many seconds a pipe looks again, even without a new write, since a failed delivery may work now."""

DEFAULT_ATTEMPTS: Final = 10
"""AWS's default is to retry until the record expires, which would fill the log here."""

Record = dict[str, Any]
Pipe = dict[str, Any]

_PLACE: Final = re.compile(r"<(\$?[A-Za-z0-9_.\[\]-]+)>")


class Stream(Protocol):
    """The stream from which a pipe reads: the part of ministack's adapter that this module needs."""

    def next_records(self, pipe: Pipe) -> list[Record]:
        """Return the records after the pipe's position."""

    def pass_records(self, pipe: Pipe, count: int) -> None:
        """Move the pipe's position on by `count` records."""

    def matches(self, pattern: str, record: Record) -> bool:
        """Return whether an event pattern of EventBridge matches the record."""


class Deliverer:
    """Delivers the records of pipes to their targets."""

    def __init__(
        self, stream: Stream, send: Callable[[str, str], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        """`send(arn, text)` raises when the target or queue refuses."""
        self._stream = stream
        self._send = send
        self._pause = pause

    def deliver(self, pipe: Pipe) -> None:
        """Deliver the records after the pipe's position, batch after batch, in order."""
        records = self._stream.next_records(pipe)
        size = _source(pipe).get("BatchSize", 100)
        patterns = [one["Pattern"] for one in _parameters(pipe).get("FilterCriteria", {}).get("Filters", [])]
        for start in range(0, len(records), size):
            batch = [deepcopy(record) for record in records[start : start + size]]
            wanted = [
                one for one in batch if not patterns or any(self._stream.matches(pattern, one) for pattern in patterns)
            ]
            if wanted:
                self._deliver_batch(pipe, wanted)
            self._stream.pass_records(pipe, len(batch))

    def _deliver_batch(self, pipe: Pipe, batch: list[Record]) -> None:
        template = pipe.get("TargetParameters", {}).get("InputTemplate")
        payload = [fill(template, record) if template else record for record in batch]
        attempts = 1 + max(_source(pipe).get("MaximumRetryAttempts", DEFAULT_ATTEMPTS), 0)
        for attempt in range(1, attempts + 1):
            try:
                self._send(pipe["Target"], json.dumps(payload))
            except Exception as refusal:  # every error of the target is retried, then sent to the dead-letter queue
                logger.warning("Pipe %s, attempt %d of %d: %s", pipe["Name"], attempt, attempts, refusal)
                self._pause(min(0.1 * 2**attempt, 2.0) if attempt < attempts else 0)
            else:
                return
        self._give_up(pipe, batch)

    def _give_up(self, pipe: Pipe, batch: list[Record]) -> None:
        queue = _source(pipe).get("DeadLetterConfig", {}).get("Arn")
        logger.error("Pipe %s gives up on %d record(s)", pipe["Name"], len(batch))
        if queue:
            self._send(queue, json.dumps(_pointer(pipe, batch)))


class Poller:
    """Delivers on a thread of its own as soon as a stream is written to."""

    def __init__(self, deliver_all: Callable[[], None], written: threading.Event) -> None:
        self._deliver_all = deliver_all
        self._written = written
        self._started = threading.Lock()

    def start(self) -> None:
        """Start the thread, if it is not started."""
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._run, name="pipes", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._written.clear()
            try:
                self._deliver_all()
            except Exception:  # a failing pipe must not end the deliveries of others
                logger.exception("Pipes could not be delivered")
            self._written.wait(IDLE_SECONDS)


def fill(template: str, record: Record) -> object:
    """Fill a record into an InputTemplate.

    `<$.path>` in quotes becomes a string, and without quotes the value as JSON. A path that does not exist becomes an
    empty string in quotes, and null without.

    Returns:
        A JSON value if the result is JSON, else the text.
    """

    def replace(match: re.Match[str]) -> str:
        value = _look_up(record, match.group(1))
        quoted = template[: match.start()].count('"') % 2 == 1
        if not quoted:
            return json.dumps(value)
        return "" if value is None else json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]

    filled = _PLACE.sub(replace, template)
    try:
        return json.loads(filled)
    except json.JSONDecodeError:
        return filled


def _look_up(record: Record, path: str) -> object:
    value: Any = record
    for name, index in re.findall(r"([^.\[\]$]+)|\[(\d+)\]", path):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _parameters(pipe: Pipe) -> dict[str, Any]:
    return pipe.get("SourceParameters") or {}


def _source(pipe: Pipe) -> dict[str, Any]:
    return _parameters(pipe).get("DynamoDBStreamParameters") or {}


def _pointer(pipe: Pipe, batch: list[Record]) -> dict[str, Any]:
    """Return what AWS sends to the dead-letter queue: the position of the records in the stream, not the records."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    return {
        "context": {"partnerResourceArn": pipe["Arn"], "condition": "RetryAttemptsExhausted"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "streamArn": pipe["Source"],
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "batchSize": len(batch),
        },
    }
