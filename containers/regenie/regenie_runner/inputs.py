"""Checks that the inputs on this job's file system are those that the launch was planned for.

A file system loads a file's content from S3 when it is first read. If the object was replaced after the import, that is
other content. So each job compares sizes, and the content of small files, with the record of planning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regenie_runner.errors import InputsChangedError
from regenie_runner.receipts import sha256
from regenie_runner.workspace import Workspace

INPUTS = "inputs.json"
_NAMED_AT_MOST = 20


def check_inputs(workspace: Workspace) -> None:
    """Compare each input with the record of planning; a plan without a record has nothing to compare with.

    Raises:
        InputsChangedError: naming the files that are others.
    """
    record = workspace.work / INPUTS
    if not record.exists():
        return
    files = json.loads(record.read_text(encoding="utf-8"))["files"]
    faults = [fault for file in files for fault in _faults(file, workspace.root / file["place"])]
    if faults:
        more = f" and {len(faults) - _NAMED_AT_MOST:,} more" if len(faults) > _NAMED_AT_MOST else ""
        raise InputsChangedError(
            f"The inputs are not those that the launch was planned for: {'; '.join(faults[:_NAMED_AT_MOST])}{more}. "
            "Retry the launch, which plans anew, or submit it again."
        )


def _faults(file: Mapping[str, Any], path: Path) -> Iterator[str]:
    name = f"s3://{file['bucket']}/{file['key']}"
    try:
        size = path.stat().st_size
        if size != file["size"]:
            yield f"{name} has {size:,} bytes, and had {file['size']:,}"
        elif "sha256" in file and sha256(path) != file["sha256"]:
            yield f"{name} has another content of the same size"
    except FileNotFoundError:
        yield f"{name} is not in the file system"
    except OSError as error:
        yield f"{name} cannot be read ({error.strerror})"
