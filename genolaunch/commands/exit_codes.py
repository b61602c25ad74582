"""How commands end, for scripts; docs/command-line.md says the same."""

from typing import Final

ENDED_BADLY: Final = 1
REJECTED: Final = 2
NOT_UNDERSTOOD: Final = 2
"""What shells and most programs answer to a wrong command line."""
COULD_NOT: Final = 3
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141
"""What shells tell of a program that SIGPIPE ended: 128 and the signal's number."""

STILL_RUNS: Final = 1
"""Of `running --idle`: something runs in the stage."""

TO_BE_MENDED: Final = 1
"""Of `doctor`: something is not as the stage needs it."""

NOT_RUNNING: Final = 1
"""Of `local status`: the embedded cloud does not run."""

EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 the launch that was waited for FAILED or was CANCELLED; 2 the launch was rejected, or the "
    "command line is wrong; 3 it could not be done, and standard error says why; 130 interrupted."
)
