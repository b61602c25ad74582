"""What a full disk looks like, and what is said of it."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of who writes to a full disk, or has used up a quota of it."""

_LEAST: Final = 256 * 1024
"""Bytes without which no server can so much as begin."""


def is_full(folder: Path) -> bool:
    """Whether nothing more can be written there; tried, since quotas show in no other way."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_LEAST))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error.errno in FULL
    return False


def remedy(folder: Path) -> str:
    """One sentence for people."""
    return f"No space left on the disk of {folder}: free some, then start the embedded cloud again."
