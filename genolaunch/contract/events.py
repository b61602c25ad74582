"""Events for other systems (docs/events.md), and messages between functions."""

from typing import Final

from genolaunch.contract.project import PROJECT

GRACE_MINUTES: Final = "graceMinutes"
"""Key of the event of a scheduled function that looks for what was lost: how old that must be, if not as usual."""

EVENT_SOURCE: Final = PROJECT
EVENT_DETAIL_TYPE: Final = "Launch Status Change"

MOST_RECEIVES: Final = 5
"""How often a message is tried before it is a dead letter: five failures in a row are no longer a passing fault."""
