"""Fingerprints of values, which distinguish outputs of one attempt from those of another."""

import hashlib
import json
from typing import Any, Final

_LENGTH: Final = 16
"""Hexadecimal digits, to tell the attempts of one launch apart."""


def fingerprint(value: Any) -> str:  # noqa: ANN401 - any value that JSON can hold
    """Of equal values the same, of others another one."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:_LENGTH]
