"""The error that says what is wrong with a launch's data, as one text that survives state machines."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from lambdas.shared.faults import Fault

_LONGEST_REPORT: Final = 20_000
"""Characters of all faults: Step Functions has room for 32,768 in a cause (API reference, TaskFailedEventDetails), and
on its way to the launch table this text is quoted once in another one, with two characters for a quotation mark."""


class LaunchInputError(Exception):
    """A launch cannot run on the data as it is. Names every fault that was found.

    Its text is JSON, `{"message", "faults": [{"where", "problem", "remedy"}]}`: through Lambda and two state machines
    only text gets to the launch table, which keeps the faults one by one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        message = f"The launch's inputs have {count} fault{'' if count == 1 else 's'}."
        reported = [fault.as_dict() for fault in _reported(self.faults)]
        super().__init__(json.dumps({"message": message, "faults": reported}, ensure_ascii=False))


def _reported(faults: Sequence[Fault]) -> Iterator[Fault]:
    """As many as there is room for, and how many there are beside them."""
    room = _LONGEST_REPORT
    for number, fault in enumerate(faults):
        room -= len(json.dumps(fault.as_dict(), ensure_ascii=False))
        if room < 0:
            yield Fault(
                "the launch", f"has {len(faults) - number:,} more faults", "Mend these first, and launch again."
            )
            return
        yield fault
