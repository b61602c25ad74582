"""Engines, which run a workflow's jobs: each is one module here.

An engine defines the command line of Snakemake. The launcher does everything else (sources, signals, progress,
outcome). The engine's process reports its jobs by events (snakemake_launcher/events.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from snakemake_launcher.jobs import Job
from snakemake_launcher.run_sheet import RunSheet, RunSheetError


@dataclass(frozen=True)
class Failure:
    """Why a submission failed, in the words of the platform's contract."""

    error_type: str
    """A value of genolaunch.contract.errors.ErrorType."""
    reason: str
    exit_code: int | None = None
    log_group: str | None = None
    log_stream: str | None = None
    """A stream of `log_group`, or, without a group, the s3:// URL of the job's log."""
    log_tail: str = ""


class Engine(Protocol):
    """One way to run the jobs. An instance is for one run."""

    def command(self) -> Sequence[str]:
        """The program and its arguments. Its working directory holds the sources, and nothing else."""

    def environment(self) -> Mapping[str, str]:
        """Variables besides those of the launcher itself."""

    def failure(self, job: Job) -> Failure:
        """Why a submission failed. It must always answer, even if little can be found out."""

    def stop(self, jobs: Sequence[Job]) -> None:
        """End what may still run of these submissions, after Snakemake has ended or was cancelled."""


_MODULES: Final[Mapping[str, str]] = {
    "tibanna": "snakemake_launcher.engines.tibanna",
    "aws-batch": "snakemake_launcher.engines.aws_batch",
}
"""A run sheet's `engine` -> the module whose `make` makes it: one engine's libraries need not be there for another."""


def make_engine(sheet: RunSheet) -> Engine:
    """The engine that the run sheet asks for. Raises RunSheetError."""
    module = _MODULES.get(sheet.engine)
    if module is None:
        raise RunSheetError(f"engine must be {' or '.join(_MODULES)}, not {sheet.engine!r}.")
    make: Callable[[RunSheet], Engine] = import_module(module).make
    return make(sheet)
