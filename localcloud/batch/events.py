"""Calls listeners one after another on a thread of their own, so that they cannot hold up the engine."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

Listener = Callable[[dict[str, Any]], None]


class Notifier:
    """Delivers job details and events in the order in which they were given."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Listener, dict[str, Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._deliver, name="batch-events", daemon=True)
        self._thread.start()

    def post(self, listener: Listener, detail: dict[str, Any]) -> None:
        """Call `listener(detail)` soon."""
        self._queue.put((listener, detail))

    def close(self) -> None:
        """Deliver what is waiting, then end."""
        self._queue.put(None)
        self._thread.join()

    def _deliver(self) -> None:
        while (item := self._queue.get()) is not None:
            listener, detail = item
            try:
                listener(detail)
            except Exception:  # whatever a listener does, the next ones must hear their events
                logger.exception("A listener failed on %s", detail.get("jobId") or detail.get("resources"))
