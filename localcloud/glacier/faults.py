"""What can be made to go wrong with restores, and with the events that tell of them."""

import copy
import random
import threading
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Send = Callable[[Event], None]


class Faults:
    """Asked for from outside, spent one by one. Calls come from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._throttled = 0
        self._lost = 0
        self._repeated = 0
        self._held: list[tuple[Event, Send]] = []
        self._to_hold = 0
        self._random = random.Random(5)  # noqa: S311 - an order, not a secret; the same one in each run

    def throttle(self, requests: int) -> None:
        """Refuse the next so many RestoreObject with SlowDown."""
        self._throttled += requests

    def lose(self, events: int) -> None:
        """Never deliver the next so many completions."""
        self._lost += events

    def repeat(self, events: int) -> None:
        """Deliver the next so many completions twice."""
        self._repeated += events

    def shuffle(self, events: int) -> None:
        """Hold the next so many completions back, and deliver them in another order."""
        self._to_hold = events

    def is_throttled(self) -> bool:
        """Whether this request is one of those."""
        with self._lock:
            if self._throttled == 0:
                return False
            self._throttled -= 1
            return True

    def deliver(self, event: Event, send: Send) -> None:
        """Deliver one completion, as often and in the order that was asked for."""
        with self._lock:
            copies = 1
            if self._lost > 0:
                self._lost -= 1
                copies = 0
            elif self._repeated > 0:
                self._repeated -= 1
                copies = 2
            due = self._held_back([(copy.deepcopy(event), send)] * copies)
        for each, hand_on in due:
            hand_on(each)

    def _held_back(self, deliveries: list[tuple[Event, Send]]) -> list[tuple[Event, Send]]:
        """What is due now."""
        if self._to_hold == 0:
            return deliveries
        self._held += deliveries
        self._to_hold -= 1
        if self._to_hold:
            return []
        due, self._held = self._held, []
        self._random.shuffle(due)
        return due
