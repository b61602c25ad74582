"""The two ways in which a command ends without a result."""

from typing import Final


class RegenieError(Exception):
    """regenie itself would stop here: reported as `ERROR: ...`, exit code 1."""


INSTALL: Final = "install Docker, or regenie (v4.1.2), to run it for real."
"""What to do about it."""


class UnsupportedError(Exception):
    """regenie could do this, the stand-in cannot: one sentence on standard error, exit code 1."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The numpy stand-in for regenie cannot do {what}: {INSTALL}")
