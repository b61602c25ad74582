"""Rewrites Snakemake's messages with the paths that the author knows: below the data, and below the sources."""

import re
from pathlib import Path
from typing import Final

from snakemake_launcher.run_sheet import RunSheet

_MISSING: Final = re.compile(
    r"^MissingInputException in (?P<place>.+?):\s+Missing input files for (?:rule|checkpoint) [^\n]*:\n"
    r"(?P<facts>.*?)^\s*affected files:\n(?P<files>.*)\Z",
    re.MULTILINE | re.DOTALL,
)
"""As Snakemake 7 and 9 write it, one fact or file a line."""
_IN_STORAGE: Final = re.compile(r" \((?:in storage|retrieve from storage|send to storage|only provide storage uri)\)")
"""What Snakemake 9 writes behind a file that is an object in S3 (snakemake.io.fmt)."""
_MOST_NAMED: Final = 5


def as_written(message: str, sheet: RunSheet, sources: Path) -> str:
    """The message without the places where this launcher keeps data and sources; an input that is nowhere with what to
    do about it."""
    for place in (
        f"{sources}/",
        f".snakemake/storage/s3/{sheet.remote_prefix}/",  # where Snakemake 9 keeps its copies
        f"s3://{sheet.remote_prefix}/",
        f"{sheet.remote_prefix}/",
    ):
        message = message.replace(place, "")
    message = _IN_STORAGE.sub("", message)
    missing = _MISSING.match(message)
    return _of_missing(missing, sheet) if missing else message


def _of_missing(found: "re.Match[str]", sheet: RunSheet) -> str:
    facts = {name: value for name, _, value in (line.strip().partition(": ") for line in found["facts"].splitlines())}
    needed = [facts[name] for name in ("output", "wildcards") if facts.get(name)]
    files = [line.strip() for line in found["files"].splitlines() if line.strip()]
    more = f" and {len(files) - _MOST_NAMED:,} more" if len(files) > _MOST_NAMED else ""
    what = f"{', '.join(files[:_MOST_NAMED])}{more}" + (f" (for {', '.join(needed)})" if needed else "")
    are, them = ("is", "it") if len(files) == 1 else ("are", "them")
    return (
        f"MissingInputException in {found['place']}: {what} {are} neither in the launch's data "
        f"(s3://{sheet.remote_prefix}/) nor made by a rule. Upload {them} there, or correct the rule's input."
    )
