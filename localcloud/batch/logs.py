"""Where the lines that jobs print go."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
"""A line is at most this old when it is sent, so that somebody who follows a job sees it work."""

MAX_LINES = 5_000
MAX_BYTES = 700_000
"""PutLogEvents takes 10,000 events and 1,048,576 bytes, with 26 bytes counted for each event: this stays below both."""

MAX_LINE_BYTES = 200_000
"""CloudWatch takes 256 KiB an event."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line and when it was printed, in milliseconds since 1970."""

    timestamp: int
    message: str


class LogSink(Protocol):
    """Keeps log lines. Called from several threads; must not raise when it cannot keep them."""

    def open(self, group: str, stream: str) -> None:
        """Make the stream exist, before its first line."""

    def write(self, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Append lines, oldest first."""


class CloudWatchLogs:
    """Sends lines to CloudWatch Logs. A fault is logged and the lines are lost: a job must not fail for its log."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client
        self._lock = threading.Lock()
        self._groups: set[str] = set()

    def open(self, group: str, stream: str) -> None:
        """Make group and stream exist."""
        try:
            self._ensure_group(group)
            self._ignore_existing(lambda: self._client.create_log_stream(logGroupName=group, logStreamName=stream))
        except (BotoCoreError, ClientError) as error:
            logger.warning("Log stream %s of %s cannot be made: %s", stream, group, error)

    def write(self, group: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Send lines; the caller keeps to PutLogEvents' limits (LogWriter does)."""
        events = [{"timestamp": line.timestamp, "message": line.message} for line in lines]
        try:
            self._client.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=events,  # type: ignore[arg-type]  # a list of plain dicts is an InputLogEventTypeDef
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("%d lines of log stream %s of %s are lost: %s", len(lines), stream, group, error)

    def _ensure_group(self, group: str) -> None:
        with self._lock:
            if group not in self._groups:
                self._ignore_existing(lambda: self._client.create_log_group(logGroupName=group))
                self._groups.add(group)

    def _ignore_existing(self, create: Callable[[], object]) -> None:
        try:
            create()
        except self._client.exceptions.ResourceAlreadyExistsException:
            return


class LogWriter:
    """Cuts one container's output into lines and hands them to a sink in batches. Used by one thread."""

    def __init__(self, sink: LogSink, group: str, stream: str) -> None:
        self._sink = sink
        self._group = group
        self._stream = stream
        self._rest = b""
        self._lines: list[LogLine] = []
        self._bytes = 0
        self._last_flush = time.monotonic()

    def open(self) -> None:
        """Make the stream exist."""
        self._sink.open(self._group, self._stream)

    def feed(self, chunk: bytes) -> None:
        """Take output as it comes; what follows the last line end waits for the rest of its line."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._add(line)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Send what has waited for FLUSH_SECONDS."""
        if self._lines and time.monotonic() - self._last_flush >= FLUSH_SECONDS:
            self._flush()

    def close(self) -> None:
        """Send everything, an unended last line too."""
        if self._rest:
            self._add(self._rest)
            self._rest = b""
        if self._lines:
            self._flush()

    def _add(self, line: bytes) -> None:
        for piece in _pieces(line):
            if len(self._lines) >= MAX_LINES or self._bytes + len(piece) > MAX_BYTES:
                self._flush()
            # CloudWatch refuses an empty message.
            self._lines.append(LogLine(time.time_ns() // 1_000_000, piece.decode(errors="replace") or " "))
            self._bytes += len(piece)

    def _flush(self) -> None:
        self._sink.write(self._group, self._stream, self._lines)
        self._lines = []
        self._bytes = 0
        self._last_flush = time.monotonic()


def _pieces(line: bytes) -> Iterator[bytes]:
    line = line.removesuffix(b"\r")
    yield line[:MAX_LINE_BYTES]
    for start in range(MAX_LINE_BYTES, len(line), MAX_LINE_BYTES):
        yield line[start : start + MAX_LINE_BYTES]
