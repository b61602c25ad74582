"""The rule by which launches share a stage's slots: which run, which wait, and which is next."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slots:
    """What the ledger of the task table says (see launch_queue)."""

    running: Mapping[str, str]
    """genolaunch.contract.project.run_name of each attempt that has a slot -> who asked for it."""
    waiting: Mapping[str, str]
    """Everyone who has launches in the queue -> sort key of (about) the oldest of them."""
    version: int = 0
    """Changes whenever a launch joins the queue."""

    def has_room(self, at_once: int) -> bool:
        """One more attempt may have a slot."""
        return len(self.running) < at_once

    def next_user(self) -> str | None:
        """Whose launch is next: who has the fewest slots; of those, who has waited longest. None if nobody waits."""
        slots = Counter(self.running.values())
        return min(self.waiting, key=lambda user: (slots[user], self.waiting[user], user), default=None)
