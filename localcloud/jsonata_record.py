"""Writes down what every JSONata expression was evaluated on, for `make check-jsonata` (checks/jsonata)."""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "LOCALCLOUD_RECORD_JSONATA"
"""Environment variable of the server: the folder that gets a file of evaluations. Without it nothing is written."""


@dataclass(frozen=True)
class Evaluation:
    """One expression, as a state of an execution came to evaluate it."""

    machine: str
    state: str
    expression: str
    states: dict[str, Any]
    """The members of `$states`: `input`, `context`, and `result` or `errorOutput` where there is one."""
    variables: dict[str, Any]
    result: Any = None
    error: str | None = None
    """What Step Functions would give as the cause; then there is no result."""


class Recorder:
    """Appends evaluations to a file of this process, one JSON object a line."""

    def __init__(self, folder: Path) -> None:
        """The folder is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, evaluation: Evaluation) -> None:
        """Add one, whatever thread it comes from."""
        line = json.dumps(asdict(evaluation), separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
