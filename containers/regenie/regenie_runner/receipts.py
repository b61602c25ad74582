"""Receipts of outputs: the task that made the files, and the size and SHA-256 of each file.

A later attempt keeps only outputs that match their receipt, and makes truncated, changed or missing ones again.
SHA-256, because processors have instructions for it, and `sha256sum` checks it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

RECEIPT = "task.json"
"""Name of the receipt in a task's output folder."""
_BLOCK = 1 << 20
_TASK, _FILES, _SIZE, _SHA256 = "task", "files", "size", "sha256"


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal digits; memory holds a block of it."""
    content = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            content.update(block)
    return content.hexdigest()


class Receipt(NamedTuple):
    """What a receipt says."""

    task: Any
    """What the files were made of."""
    files: Mapping[str, Mapping[str, Any]]
    """Name -> size and SHA-256. Names are relative to the base that whoever checks them gives, or absolute."""

    @classmethod
    def read(cls, path: Path) -> Receipt | None:
        """None if there is none, or nothing that is one."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            files = {name: {_SIZE: file[_SIZE], _SHA256: file[_SHA256]} for name, file in content[_FILES].items()}
            return cls(content[_TASK], files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def sha256(self, name: str) -> str:
        """Of one of its files; KeyError if it is none of them."""
        return str(self.files[name][_SHA256])

    def has_size(self, name: str, file: Path) -> bool:
        """Whether the file is one of the receipt's, with the size that it had."""
        return name in self.files and file.is_file() and file.stat().st_size == self.files[name][_SIZE]

    def changed(self, base: Path) -> list[str]:
        """Names of the files that are not what they were: sizes are compared first, contents are read last."""
        cut = [name for name in self.files if not self.has_size(name, base / name)]
        return cut or [name for name, file in self.files.items() if sha256(base / name) != file[_SHA256]]


def write(path: Path, task: Any, base: Path, names: Iterable[str]) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Write a receipt for files that are complete, `names` as Receipt.files has them."""
    files = {name: {_SIZE: (base / name).stat().st_size, _SHA256: sha256(base / name)} for name in sorted(names)}
    path.write_text(json.dumps({_TASK: task, _FILES: files}), encoding="utf-8")


def seal_folder(folder: Path, task: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Write the receipt of a folder, in it, for all that the folder holds."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    write(folder / RECEIPT, task, folder, (name for name in names if name != RECEIPT))
