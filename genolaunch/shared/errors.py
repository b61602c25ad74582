"""Errors that state machines, or the people behind a launch, know by name."""

from collections.abc import Sequence

from genolaunch.shared.faults import Fault, listing
from genolaunch.shared.public_errors import OpenError


class MissingRequiredParametersError(Exception):
    """A launch config cannot be run as it is: something is missing, unreadable or not allowed. Names every fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.summary + "\n" + listing(self.faults))

    @property
    def public(self) -> str:
        """What may be told anywhere: faults quote the config."""
        return self.summary

    @property
    def summary(self) -> str:
        """One sentence: how many faults there are."""
        count = len(self.faults)
        return f"The launch config has {count} fault{'' if count == 1 else 's'}."


class StatusConflictError(OpenError):
    """The launch is not (or no longer) where the asked change of status may start, or another execution owns it."""
