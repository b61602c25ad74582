"""Recognises results of gene-based tests by the line with masks before the header."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

MASKS_SUFFIX = ".masks"
_MASKS_START = b"##"


def set_mask_lines_aside(paths: Iterable[str]) -> None:
    """Move the `##MASKS=...` line, if a result file has one, to a file beside it: then it reads like any other."""
    for path in map(Path, paths):
        if path.exists():
            _set_aside(path)


def _set_aside(path: Path) -> None:
    with path.open("rb") as results:
        line = results.readline()
        if not line.startswith(_MASKS_START):
            return
        path.with_name(path.name + MASKS_SUFFIX).write_bytes(line)
        rest = path.with_name(path.name + ".rest")
        with rest.open("wb") as target:
            shutil.copyfileobj(results, target)
    rest.replace(path)
