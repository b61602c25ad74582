"""Keeps Snakemake's records of how each file was made with the data, from one run to the next.

A plain run finds it in its working directory, and makes a file anew whose rule's code, parameters, inputs or container
changed. A launcher's folder is new each time: without the notes, a file would be kept that other code made.
"""

import io
import tarfile
import time
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.records import warn
from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.storage import Storage

FOLDER: Final = ".snakemake"
"""Below the data, as in a plain run's working directory."""
_NOTES: Final = "metadata"
"""Snakemake's name for them, one JSON file for each output (7.32.4 and 9.27.1)."""
_KEEP_SECONDS: Final = 60.0
"""Between two writes while jobs end: what a launcher that is lost had not yet kept is taken as not known."""


class Provenance:
    """Of one engine: Snakemake 7 and 9 write different notes, and call files by different names."""

    def __init__(self, sheet: RunSheet, storage: Storage, sources: Path) -> None:
        """`sources`: the working directory of the engine's process."""
        self._uri = f"s3://{sheet.remote_prefix}/{FOLDER}/{_NOTES}-{sheet.engine}.tar.gz"
        self._storage = storage
        self._folder = sources / FOLDER
        self._done = 0
        self._at = time.monotonic()

    def fetch(self) -> None:
        """Lay the notes of earlier runs where Snakemake looks for them."""
        try:
            packed = self._storage.read_if_there(self._uri)
            if packed is not None:
                self._folder.mkdir(exist_ok=True)
                with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                    archive.extractall(self._folder, filter="data")
        except (BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
            # Snakemake goes by the times of files then, and what it takes as it is, is said.
            warn(f"how files were made is not known: {error}")

    def keep_if_due(self, done: int) -> None:
        """Keep them when jobs ended, and not more often than _KEEP_SECONDS. `done`: jobs that ended."""
        if done != self._done and time.monotonic() > self._at + _KEEP_SECONDS:
            self.keep(done)

    def keep(self, done: int) -> None:
        """Keep them, if a job ended."""
        if done == self._done:
            return
        try:
            self._storage.write_bytes(self._uri, self._packed())
            self._done = done
        except (BotoCoreError, ClientError, OSError) as error:
            warn(f"how files were made was not kept: {error}")
        self._at = time.monotonic()

    def _packed(self) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            if (self._folder / _NOTES).is_dir():
                archive.add(self._folder / _NOTES, arcname=_NOTES)
        return packed.getvalue()
