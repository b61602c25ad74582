"""Text files that may be compressed."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TextIO, cast

_GZIP = b"\x1f\x8b"
"""First bytes of what gzip compressed (RFC 1952)."""


def open_text(path: Path, errors: str = "surrogateescape") -> TextIO:
    """regenie unpacks what is compressed, by its name's end and first bytes (4.1.2's sources: Files.cpp).

    Args:
        path: of the file.
        errors: what becomes of bytes that are no UTF-8, as in `open`.
    """
    with path.open("rb") as file:
        is_packed = path.suffix == ".gz" and file.read(len(_GZIP)) == _GZIP
    opened = gzip.open if is_packed else open
    return cast("TextIO", opened(path, "rt", encoding="utf-8", errors=errors))
