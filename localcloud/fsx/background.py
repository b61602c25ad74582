"""Runs the work on a file system that goes on after its request was answered."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

logger = logging.getLogger(__name__)

_WORKERS: Final = 8


class Background:
    """Runs work a moment later, on threads of its own."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="fsx")

    def later(self, work: Callable[[], None]) -> None:
        """Run `work` after the delay, unless the local cloud is shut down first."""
        self._pool.submit(self._run, work)

    def close(self) -> None:
        """Drop what is waiting and wait for what is running."""
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)

    def _run(self, work: Callable[[], None]) -> None:
        if self._closing.wait(self._delay_seconds):
            return
        try:
            work()
        except Exception:  # log it: no caller would see it
            logger.exception("A change of a file system failed")
