"""Events by which the engine's process reports the workflow's jobs to the launcher.

The engine's process runs Snakemake, whose log is for people. Beside it, the process appends one JSON object a line to
the file named by FILE_VARIABLE:

    {"event": "started", "version": "9.27.1"}                                 of Snakemake
    {"event": "total", "total": 7}                                            jobs that there are to do
    {"event": "progress", "done": 3, "total": 7}
    {"event": "submitted", "job": "3", "rule": "trim", "wildcards": {"sample": "A"}, "id": "…", "name": "…"}
    {"event": "finished", "job": "3"}
    {"event": "failed", "job": "3", "rule": "trim"}                           this submission of the job failed
    {"event": "made", "files": ["calls/A.vcf"]}                               by a job that ended, below the data
    {"event": "lost", "by": "onsuccess", "message": "…"}     files that no result has
    {"event": "unmatched", "search": "glob_wildcards(…)", "message": "…"}     found nothing; message "": it did
    {"event": "refused", "message": "…"}                                      the engine cannot run the workflow
    {"event": "error", "message": "…"}                                        of the workflow, not of a job

`job` is Snakemake's name for the job (the same when it is submitted again), `id` and `name` are the engine's. Each
event also has `at`, when it was: seconds since 1970.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FILE_VARIABLE: Final = "SNAKEMAKE_LAUNCHER_EVENTS"


def emit(event: str, **values: object) -> None:
    """Append one event; for the engine's process. Without FILE_VARIABLE it says nothing."""
    file = os.environ.get(FILE_VARIABLE)
    if file:
        # One write of one line in append mode: threads of the process do not mix theirs.
        with Path(file).open("a", encoding="utf-8") as events:
            events.write(json.dumps({"event": event, "at": round(time.time(), 3), **values}) + "\n")


class EventReader:
    """Reads the file as it grows; for the launcher."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = 0

    def new(self) -> Iterator[dict[str, Any]]:
        """The events since the last call. A line that is still being written is left for the next."""
        if not self._file.exists():
            return
        with self._file.open("rb") as events:
            events.seek(self._position)
            for line in events:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                yield json.loads(line)
