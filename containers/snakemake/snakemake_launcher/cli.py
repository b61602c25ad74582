"""One run, from the run sheet to the outcome.

Exit codes: 0 done, 1 failed, 2 the environment or the run sheet is wrong, 130 cancelled.
"""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from snakemake_launcher.child import Child
from snakemake_launcher.engines import make_engine
from snakemake_launcher.records import Records
from snakemake_launcher.run import Outcome, Run
from snakemake_launcher.run_sheet import RunSheet, RunSheetError
from snakemake_launcher.settings import Settings, SettingsError
from snakemake_launcher.storage import Storage

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CANCELLED: Final = 130
_DIGITS: Final = 16


def main() -> int:
    """Run what the environment's run sheet says; answers the exit code."""
    child = Child()
    child.listen()
    try:
        settings = Settings.read()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    storage = Storage()
    code = FAILED
    try:
        outcome = _run(settings, storage, child)
        code = CANCELLED if child.cancelled else DONE if outcome.type is None else FAILED
    except RunSheetError as error:
        outcome, code = Outcome("PlatformError", str(error)), USAGE
    except Exception as error:
        # Every error must be in the outcome, for the people who wait for it.
        _write_outcome(settings, storage, Outcome("PlatformError", f"The launcher failed: {error!r}."))
        raise
    sys.stdout.write(f"{outcome.message}\n")
    _write_outcome(settings, storage, outcome)
    return code


def _run(settings: Settings, storage: Storage, child: Child) -> Outcome:
    sheet = RunSheet.parse(storage.read(settings.run_sheet))
    engine = make_engine(sheet)
    with _folder(sheet) as folder:
        run = Run(sheet, engine, Records(settings), storage, child, folder)
        return run.to_end()


@contextmanager
def _folder(sheet: RunSheet) -> Iterator[Path]:
    """An empty folder, in a fresh container of the same name for the same data: parameters of rules may hold its path,
    and a rule whose parameters changed is run again."""
    name = hashlib.sha256(sheet.remote_prefix.encode()).hexdigest()[:_DIGITS]
    folder = Path(tempfile.gettempdir()) / f"launch-{name}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        folder = Path(tempfile.mkdtemp(prefix="launch-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_outcome(settings: Settings, storage: Storage, outcome: Outcome) -> None:
    # Beside the run sheet, whose own words may be what is wrong.
    folder = settings.run_sheet.rpartition("/")[0]
    value: Mapping[str, Any] = {
        "type": outcome.type,
        "message": outcome.message,
        "reportUri": outcome.report_uri,
        "jobs": outcome.jobs,
        "warnings": list(outcome.warnings),
    }
    storage.write_json(f"{folder}/outcome-{settings.attempt}.json", value)
