"""The report of a run: rules, jobs, how they ended, and how long each took.

Snakemake's own report (`--report`) loads scripts of other companies from the internet while it is made, and needs the
results themselves: docs/decisions/030-a-report-of-our-own.md.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from snakemake_launcher.engines import Failure
from snakemake_launcher.jobs import Job, Jobs, JobStatus
from snakemake_launcher.run_sheet import RunSheet

_TEMPLATE: Final = "report.html.jinja2"


@dataclass
class Rule:
    """What became of a rule's jobs."""

    name: str
    jobs: set[str] = field(default_factory=set)
    """Snakemake's names for them."""
    submissions: int = 0
    done: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)
    """From the submission to the end, of those that ended well."""

    @property
    def mean(self) -> float | None:
        """Seconds; None as long as there is none."""
        return sum(self.seconds) / len(self.seconds) if self.seconds else None

    @property
    def longest(self) -> float | None:
        """Seconds."""
        return max(self.seconds, default=None)


@dataclass(frozen=True)
class Row:
    """A submission, with its place on the run's time line in percent of the whole."""

    job: Job
    seconds: float | None
    start: float
    width: float
    reason: str


def report(
    sheet: RunSheet,
    jobs: Jobs,
    error_type: str | None,
    message: str,
    *,
    failures: Mapping[str, Failure],
    warnings: Sequence[str] = (),
) -> str:
    """An HTML page that needs nothing else.

    Args:
        sheet: of the run.
        jobs: what is known of its jobs.
        error_type: a value of genolaunch.contract.errors.ErrorType; None for success.
        message: how the run ended, in one sentence or a few.
        failures: those of submissions, by engine's id (or Snakemake's).
        warnings: what the launch's author should know of a success; `message` among them is not shown twice.
    """
    return (
        environment()
        .get_template(_TEMPLATE)
        .render(
            sheet=sheet,
            jobs=jobs,
            error_type=error_type,
            message=message,
            warnings=[warning for warning in warnings if warning != message],
            config=json.dumps(dict(sheet.config), indent=2, ensure_ascii=False),
            rules=rules(jobs),
            rows=list(_rows(jobs, failures)),
            made_at=datetime.now(UTC).timestamp(),
        )
    )


def rules(jobs: Jobs) -> list[Rule]:
    """In the order in which their first jobs were submitted."""
    found: dict[str, Rule] = {}
    for job in jobs.submissions:
        rule = found.setdefault(job.rule, Rule(job.rule))
        rule.jobs.add(job.key)
        rule.submissions += 1
        rule.done += job.status is JobStatus.DONE
        rule.failed += job.status is JobStatus.FAILED
        if job.status is JobStatus.DONE and job.ended_at is not None:
            rule.seconds.append(job.ended_at - job.submitted_at)
    return list(found.values())


def _rows(jobs: Jobs, failures: Mapping[str, Failure]) -> Iterator[Row]:
    if not jobs.submissions:
        return
    begin = min(job.submitted_at for job in jobs.submissions)
    # What never ended was stopped when the last thing was heard.
    end = max(max(job.submitted_at, job.ended_at or 0) for job in jobs.submissions)
    percent = 100 / max(end - begin, 1e-3)
    for job in jobs.submissions:
        failure = failures.get(job.id or job.key)
        yield Row(
            job=job,
            seconds=None if job.ended_at is None else job.ended_at - job.submitted_at,
            start=(job.submitted_at - begin) * percent,
            width=((job.ended_at or end) - job.submitted_at) * percent,
            reason=f"{failure.error_type}: {failure.reason}" if failure else "",
        )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def environment() -> Environment:
    """In which the page is made."""
    pages = Environment(
        loader=PackageLoader("snakemake_launcher", "."), autoescape=True, undefined=StrictUndefined, finalize=_shown
    )
    pages.filters.update(duration=_duration, time=_time)
    return pages


def _shown(value: object) -> object:
    """A value of the page: a text of others does nothing but show itself (genolaunch/shared/printable.py)."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode("ascii")
        for each in value
    )
