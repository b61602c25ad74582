"""A workflow's run: its folder, its engine's process, and the handling of the engine's events."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_launcher.child import Child
from snakemake_launcher.engines import Engine, Failure
from snakemake_launcher.engines.job_log import last_exception, telling_line
from snakemake_launcher.events import FILE_VARIABLE, EventReader
from snakemake_launcher.jobs import Job, Jobs
from snakemake_launcher.provenance import Provenance
from snakemake_launcher.records import Records, warn
from snakemake_launcher.report import report
from snakemake_launcher.run_sheet import CONFIG_FILE, RunSheet, RunSheetError
from snakemake_launcher.storage import Storage
from snakemake_launcher.wording import as_written

_LOG: Final = "snakemake.log"
_LIST_SECONDS: Final = 10.0
"""Between two writes of the list of jobs while they change."""


_NOTHING: Final = (
    "Nothing was made: all that was asked for is in the launch's data already, is not older than what it is made of, "
    "and its rules' code and parameters are as they were. To make it anew, remove it or give the launch another `data`."
)
_UNKNOWN: Final = (
    "{files} of the rules {rules} were in the launch's data already, and how they were made is not known: they were "
    "taken as they are. If the rules were others then, remove the files and launch again."
)
_ELSEWHERE: Final = re.compile(r"At least one job did not complete successfully|Look above for error message")
"""What Snakemake 9 and 7 end with after any failed job."""
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    type: str | None
    """A value of genolaunch.contract.errors.ErrorType; None for success."""
    message: str
    jobs: Mapping[str, int] = field(default_factory=dict)
    report_uri: str | None = None
    warnings: Sequence[str] = ()
    """What its user should know of a success."""


class Run:
    """One attempt of a launch."""

    def __init__(
        self, sheet: RunSheet, engine: Engine, records: Records, storage: Storage, child: Child, folder: Path
    ) -> None:
        """`folder` is an empty one, for this run only."""
        self._sheet = sheet
        self._engine = engine
        self._records = records
        self._storage = storage
        self._child = child
        self._folder = folder
        self._sources = folder / "workflow"
        self._events = EventReader(folder / "events.jsonl")
        self._jobs = Jobs()
        self._failures: dict[str, Failure] = {}
        self._list: _JobList = _JobList(sheet, storage)
        self._provenance = Provenance(sheet, storage, self._sources)

    def to_end(self) -> Outcome:
        """Run it. Raises RunSheetError when the sources are not what the run sheet says, and botocore's errors."""
        self._fetch_sources()
        self._provenance.fetch()
        log = self._folder / _LOG
        code = self._child.run(
            self._engine.command(),
            environment={**self._engine.environment(), FILE_VARIABLE: str(self._folder / "events.jsonl")},
            folder=self._sources,
            log=log,
            look=self._look,
        )
        if code != 0:
            # Cancelled, or at its wits' end: nothing that it submitted may go on.
            self._stop(self._jobs.running)
        self._provenance.keep(self._jobs.done)
        self._list.write(self._jobs)
        self._storage.upload(log, f"{self._sheet.launcher_uri}snakemake-{self._sheet.attempt}.log")
        for sentence in self._unmatched():
            warn(sentence)
        outcome = self._outcome(code)
        return replace(outcome, report_uri=self._write_report(outcome))

    def _write_report(self, outcome: Outcome) -> str | None:
        uri = f"{self._sheet.results_uri}report.html"
        try:
            page = report(
                self._sheet,
                self._jobs,
                outcome.type,
                outcome.message,
                failures=self._failures,
                warnings=outcome.warnings,
            )
            self._storage.write_page(uri, page)
        except Exception as error:  # the workflow's result is more important
            warn(f"there is no report: {error!r}")
            return None
        return uri

    def _stop(self, jobs: Sequence[Job]) -> None:
        try:
            self._engine.stop(jobs)
        except (BotoCoreError, ClientError) as error:
            # How the run ended is still to be told; the platform's clean-up ends what is left.
            warn(f"not everything was stopped: {error}")

    def _fetch_sources(self) -> None:
        self._sources.mkdir()
        self._storage.download_folder(self._sheet.sources, self._sources)
        if not (self._sources / self._sheet.snakefile).is_file():
            raise RunSheetError(f"There is no {self._sheet.snakefile} at {self._sheet.sources}.")
        (self._sources / CONFIG_FILE).write_text(json.dumps(dict(self._sheet.config)), encoding="utf-8")

    def _look(self) -> None:
        for event in self._events.new():
            for job in self._jobs.take(event):
                self._record_failure(job)
        self._records.progress(self._jobs)
        self._list.write_if_due(self._jobs)
        self._provenance.keep_if_due(self._jobs.done)

    def _record_failure(self, job: Job) -> None:
        failure = self._failures.get(job.id or job.key)
        if failure is None:
            said = self._engine.failure(job)
            failure = replace(said, reason=as_written(said.reason, self._sheet, self._sources))
            self._failures[job.id or job.key] = failure
        self._records.failed(job, failure)

    def _outcome(self, code: int) -> Outcome:
        counts = self._jobs.counts
        if self._child.cancelled:
            return Outcome("StoppedError", f"Cancelled after {counts['done']} of {counts['total']} jobs.", counts)
        if code == 0 and not counts["total"]:
            return Outcome(None, _NOTHING, counts, warnings=(_NOTHING, *self._warnings()))
        if code == 0:
            done = f"Done: {counts['done']} of {counts['total']} jobs."
            return Outcome(None, done, counts, warnings=tuple(self._warnings()))
        if self._jobs.failed:
            return self._outcome_of(self._jobs.failed, counts)
        said = (self._folder / _LOG).read_text(encoding="utf-8", errors="replace")
        reason = (
            _telling(self._jobs.error or "")
            or last_exception(said)
            or f"Snakemake ended with exit code {code}; its log says why."
        )
        # What was not found may be why.
        sentences = (as_written(reason, self._sheet, self._sources), *self._unmatched())
        return Outcome("ApplicationError", " ".join(sentences), counts)

    def _warnings(self) -> Iterator[str]:
        yield from self._unmatched()
        yield from self._jobs.lost.values()
        yield from self._unknown()

    def _unmatched(self) -> Iterator[str]:
        """The first few searches that found nothing, and how many more there are."""
        sentences = list(self._jobs.unmatched.values())
        yield from sentences[:_MOST_NAMED]
        more = len(sentences) - _MOST_NAMED
        if more > 0:
            searches = "one more search" if more == 1 else f"{more:,} more searches"
            yield f"And {searches} of the Snakefile found nothing."

    def _unknown(self) -> Iterator[str]:
        rules, files = self._jobs.unknown["rules"], self._jobs.unknown["files"]
        if files:
            more = f" and {len(rules) - _MOST_NAMED} more" if len(rules) > _MOST_NAMED else ""
            yield _UNKNOWN.format(
                files="One file" if files == 1 else f"{files:,} files", rules=", ".join(rules[:_MOST_NAMED]) + more
            )

    def _outcome_of(self, failed: Sequence[Job], counts: Mapping[str, int]) -> Outcome:
        first = failed[0]
        failure = self._failures[first.id or first.key]
        if not first.id:  # its words are in the log of Snakemake in the launcher
            said = (self._folder / _LOG).read_text(encoding="utf-8", errors="replace")
            reason = as_written(telling_line(said), self._sheet, self._sources) or failure.reason
            failure = replace(failure, reason=reason)
            self._failures[first.key] = failure
        others = len(failed) - 1
        more = f" ({others} more job{'' if others == 1 else 's'} failed)" if others else ""
        tries = f" in submission {first.submission}" if first.submission > 1 else ""
        message = f"The job {first.label} failed{tries}{more}: {failure.reason}"
        unmatched = next(self._unmatched(), "")
        if unmatched and failure.error_type == "ApplicationError":  # what became of its instance has other reasons
            message = f"{message.rstrip('.')}. It may be because {unmatched}"
        return Outcome(failure.error_type, message, counts)


def _telling(error: str) -> str:
    """The workflow's error in Snakemake's words: of a traceback the exception; empty for what points to another one."""
    if _ELSEWHERE.search(error):
        return ""
    return (last_exception(error) or error) if error.startswith("Traceback (most recent call last)") else error


class _JobList:
    """All submissions of this attempt, and the files that they made, in S3.

    By it logs and results are found, and clean-up knows what to look for.
    """

    def __init__(self, sheet: RunSheet, storage: Storage) -> None:
        self._uri = f"{sheet.launcher_uri}jobs-{sheet.attempt}.json"
        self._storage = storage
        self._written: dict[str, list[Any]] = {"jobs": [], "made": []}
        self._at = float("-inf")

    def write_if_due(self, jobs: Jobs) -> None:
        """Write it when it changed; at once when there is a new job, else not more often than _LIST_SECONDS.

        What S3 does not take now, the next look writes: a run of hours does not end for it.
        """
        if len(jobs.submissions) != len(self._written["jobs"]) or time.monotonic() > self._at + _LIST_SECONDS:
            try:
                self.write(jobs)
            except (BotoCoreError, ClientError) as error:
                warn(f"the list of jobs was not written: {error}")

    def write(self, jobs: Jobs) -> None:
        """Write it when it changed."""
        submissions = [
            {
                "id": job.id,
                "name": job.name,
                "rule": job.rule,
                "wildcards": dict(job.wildcards),
                "submission": job.submission,
                "status": job.status,
            }
            for job in jobs.submissions
        ]
        listed: dict[str, list[Any]] = {"jobs": submissions, "made": sorted(jobs.made)}
        if listed != self._written:
            self._storage.write_json(self._uri, listed)
            self._written, self._at = listed, time.monotonic()
