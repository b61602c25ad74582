"""Which of a queue's jobs a ListJobs request asks for."""

from collections.abc import Callable, Mapping
from typing import Final

from localcloud.batch.job import Job, JobStatus
from localcloud.batch.resources import Document, refuse

Wanted = Callable[[Job], bool]


def job_filter(params: Document) -> Wanted:
    """A filter's jobs, of any status, or without a filter those of one status (RUNNING by default)."""
    filters = params.get("filters", [])
    if not filters:
        status = params.get("jobStatus", JobStatus.RUNNING)
        return lambda job: job.status == status
    if len(filters) > 1:
        refuse("Only one filter can be used at a time.")
    name, values = filters[0].get("name"), filters[0].get("values", [])
    if name not in _FILTERS:
        refuse(f"Filter {name} is not one of {', '.join(_FILTERS)}.")
    if len(values) != 1:
        refuse(f"Filter {name} takes exactly one value.")
    wanted = _FILTERS[name](values[0])
    # The only filter that goes together with a status.
    status = params.get("jobStatus") if name == "SHARE_IDENTIFIER" else None
    return lambda job: wanted(job) and status in (None, job.status)


def _by_name(value: str) -> Wanted:
    return lambda job: _matches(job.spec.name.lower(), value.lower())


def _by_definition(value: str) -> Wanted:
    return lambda job: job.spec.definition_arn == value or _matches(job.spec.definition_name, value)


def _before(value: str) -> Wanted:
    return lambda job: job.created_at < int(value)


def _after(value: str) -> Wanted:
    return lambda job: job.created_at > int(value)


def _by_share(value: str) -> Wanted:
    return lambda job: job.spec.share_identifier == value


_FILTERS: Final[Mapping[str, Callable[[str], Wanted]]] = {
    "JOB_NAME": _by_name,
    "JOB_DEFINITION": _by_definition,
    "BEFORE_CREATED_AT": _before,
    "AFTER_CREATED_AT": _after,
    "SHARE_IDENTIFIER": _by_share,
}


def _matches(text: str, pattern: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
