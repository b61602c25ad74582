"""Snakemake's logger `genolaunch`: tells the launcher how far the workflow is, and what stopped it.

Beside it Snakemake's own log goes on, for people.
"""

from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_launcher.events import emit


class LogHandler(LogHandlerBase):  # type: ignore[misc]  # Snakemake has no type information
    """Writes events (snakemake_launcher/events.py) and nothing else."""

    def emit(self, record: LogRecord) -> None:
        """One record of Snakemake."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                emit("total", total=record.stats["total"])  # type: ignore[attr-defined]
            case LogEvent.PROGRESS:
                emit("progress", done=record.done, total=record.total)  # type: ignore[attr-defined]
            case LogEvent.JOB_ERROR if _is_local(record):
                emit("failed", job=str(record.jobid), rule=record.rule_name)  # type: ignore[attr-defined]
            case LogEvent.ERROR:
                emit("error", message=record.getMessage())

    @property
    def writes_to_stream(self) -> bool:
        """No: so the log for people stays."""
        return False

    @property
    def writes_to_file(self) -> bool:
        """Not to one that Snakemake should name."""
        return False

    @property
    def has_filter(self) -> bool:
        """Yes: Snakemake's would drop what a quiet run does not print."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Records are not formatted."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """No."""
        return False


def _is_local(record: LogRecord) -> bool:
    """Whether the job ran in the launcher. Of the others the executor tells, at the time that they fail; the jobs of a
    failed group are logged indented."""
    return "external_jobid" not in record.aux and not record.indent  # type: ignore[attr-defined]
