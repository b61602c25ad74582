"""Tells what files a run made, and lets Snakemake recognise files made by other code, in a folder new each run.

Used in the engine's process, with Snakemake 7 and 9.
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from snakemake_launcher.engines.options import Options
from snakemake_launcher.events import emit


def know_scripts_by_content(persistence: Any) -> None:  # noqa: ANN401 - Snakemake has no types here
    """The content of a rule's script is part of its code: Snakemake goes by the script's time, and all are new here."""
    code: Callable[..., str | None] = persistence._code

    def code_with_script(notes: Any, rule: Any) -> str | None:  # noqa: ANN401
        digest = _digest(rule)
        return f"{code(notes, rule) or ''} {digest}" if digest else code(notes, rule)

    persistence._code = code_with_script


def tell_unknown(jobs: Iterable[Any], notes: Any, own: Container[str], options: Options) -> None:  # noqa: ANN401
    """Tell of files that are there, that nothing was noted of, and that are taken as they are.

    `own`: files of this run (`tell_made`), which may be there before they are noted: a job's are as soon as it has
    uploaded them; and Snakemake 9 keeps that it read no note, until another job begins or ends (persistence/file.py,
    _read_record_cached).
    """
    unknown = [
        job for job in jobs if not any(below_data(file, options) in own or notes.metadata(file) for file in job.output)
    ]
    emit(
        "unknown",
        rules=sorted({str(job.rule.name) for job in unknown}),
        files=sum(len(job.output) for job in unknown),
    )


def tell_made(persistence: Any, options: Options) -> Container[str]:  # noqa: ANN401
    """Tell which files each job wrote, by their paths below the data, as soon as Snakemake has taken them over.

    Returns:
        Files of all jobs that have begun so far.
    """
    own: set[str] = set()
    started: Callable[..., Any] = persistence.started
    finished: Callable[..., Any] = persistence.finished

    def written_by(job: Any) -> set[str]:  # noqa: ANN401
        return {below_data(file, options) for file in _written_by(job)}

    def starting(notes: Any, job: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        own.update(written_by(job))
        return started(notes, job, *args, **more)

    def telling(notes: Any, job: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        emit("made", files=sorted(written_by(job)))
        return finished(notes, job, *args, **more)  # Snakemake 9 awaits it

    persistence.started, persistence.finished = starting, telling
    return own


def files_of(job: Any) -> Iterator[Any]:  # noqa: ANN401
    """All that a job reads and writes."""
    yield from (*job.input, *_written_by(job))


def _written_by(job: Any) -> Iterator[Any]:  # noqa: ANN401
    yield from (*job.output, *job.log, *([job.benchmark] if job.benchmark else []))


def below_data(file: Any, options: Options) -> str:  # noqa: ANN401
    """A file's path below the data."""
    # Snakemake 9's own text of it is cut already.
    text = str(getattr(getattr(file, "flags", {}).get("storage_object"), "query", file)).removeprefix("s3://")
    for prefix in (f".snakemake/storage/s3/{options.prefix}/", f"{options.prefix}/"):
        if text.startswith(prefix):
            return text.removeprefix(prefix)
    return text.removesuffix(" (storage)").partition(f"{options.prefix}/")[2] or text


def source_path(file: Any) -> str:  # noqa: ANN401
    """Where a source lies; `file` is a path, or what Snakemake has for one."""
    path = getattr(file, "get_path_or_uri", None)
    if path is None:
        return str(file)
    try:
        return str(path(secret_free=True))
    except TypeError:  # Snakemake 7
        return str(path())


def _digest(rule: Any) -> str:  # noqa: ANN401
    """SHA-256 of the script or notebook of a rule; empty for a rule without one, or one from elsewhere."""
    script = rule.script or rule.notebook
    if not script:
        return ""
    file = Path(source_path(rule.basedir.join(script) if rule.basedir else script))
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
