"""Runs callbacks at given times, all on one thread."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Timer:
    """A heap of callbacks with their times, so that a hundred thousand pending restores need no threads of their
    own."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()  # entries of one moment keep their order
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def at(self, moment: float, do: Callable[[], None]) -> None:
        """Call `do` at a moment (Unix seconds), or at once if that has passed."""
        with self._changed:
            heapq.heappush(self._entries, (moment, next(self._numbers), do))
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="glacier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            do = self._next()
            try:
                do()
            except Exception:
                logger.exception("A scheduled callback failed")

    def _next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                wait = self._entries[0][0] - time.time() if self._entries else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._entries)[2]
                self._changed.wait(wait)
