"""Rewrites Snakemake's messages with the paths that the author knows, and what can be done about them in a launch."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from snakemake_launcher.explained import explained, frames_of, without_frames
from snakemake_launcher.run_sheet import RunSheet

_DATA: Final = "the launch's data"
_PLACE: Final = r"(?P<place>(?: in [^\n]+?)?):\s+"
"""` in rule make in file Snakefile, line 3:`, where Snakemake knows it."""
_NOTE: Final = re.compile(
    r" \((?:missing (?:locally|in storage)|in storage|send to storage|retrieve from storage)[^\n]*$"
)
"""What Snakemake 9 writes behind a file that it looked for in vain (snakemake.io.wait_for_files)."""
_IN_STORAGE: Final = re.compile(r" \((?:in storage|retrieve from storage|send to storage|only provide storage uri)\)")
"""What Snakemake 9 writes behind a file that is an object in S3 (snakemake.io.fmt)."""
_PLACE_BEHIND: Final = re.compile(r"\s*\((?:checkpoint|rule) \w+, line \d+, [^\n]*\)\s*$")
"""What Snakemake 9 writes behind a message: the place in a Snakefile."""
_CACHE: Final = re.compile(r"[^\s'\":]*/\.cache/snakemake/[^\s'\":]*")
"""Where Snakemake keeps what it fetched from elsewhere."""
_MACHINES: Final = re.compile(
    r"/[^\s'\":,]*/(?:data1|jobs/[^\s'\":,/]+)/snakemake/(?:\.snakemake/scripts/tmp\w+\.)?|/data1/snakemake/"
    r"|/[^\s'\":,()]*/tmp\.\w+/(?:\.snakemake/scripts/tmp\w+\.)?"
)
"""Where jobs of the engines run: a path below it is told from there on."""
_CORES: Final = "`workflow.cores`"
_PLACE_OF_CORES: Final = re.compile(rf'\w+ in file "?(?P<file>[^":,]+)"?, line (?P<line>\d+): {_CORES} ')
_RULE: Final = re.compile(r"\s*(?:use\s+)?(?:rule|checkpoint)\s+(\w+)")
_MOST_NAMED: Final = 5
NEAR: Final = "near: "
"""Between the name of a missing file and what is said of it (engines/near_misses.py): `FILE (near: SENTENCE)`."""
_NEAR: Final = re.compile(rf" \({NEAR}(?P<near>.+)\)\Z")


def as_written(message: str, sheet: RunSheet, sources: Path) -> str:
    """The message without the places where this launcher keeps data and sources, and with what to do about it."""
    for place in (
        f"{sources}/",
        f".snakemake/storage/s3/{sheet.remote_prefix}/",  # where Snakemake 9 keeps its copies
        f"s3://{sheet.remote_prefix}/",
        f"{sheet.remote_prefix}/",
    ):
        message = message.replace(place, "")
    # A job has the sources elsewhere.
    elsewhere = rf"(?<=in file )(\"?)/[^\s\",]*/{re.escape(sheet.snakefile)}(?=[\",])"
    message = re.sub(elsewhere, lambda found: f"{found[1]}{sheet.snakefile}", message)
    frames = frames_of(message)
    message = without_frames(_IN_STORAGE.sub("", message))
    message = _of_include(message, sources)
    said = told(message, f"s3://{sheet.remote_prefix}/") or message
    said = _CACHE.sub("(its cache)", _MACHINES.sub("", _with_rule(said, sources)))
    return explained(said, frames, sheet, sources)


def _of_include(message: str, sources: Path) -> str:
    """Snakemake 9's word for a missing file of an `include:` or a module as Snakemake 7 has it: the line tells."""
    found = _NO_FILE.match(message)
    if not found or not any(map(_NAMES_SOURCE.match, _lines_down_to(found, sources)[int(found["line"]) - 1 :])):
        return message
    return f"WorkflowError{found['place']}:\nFailed to open source file {found['missing']}"


def _lines_down_to(place: "re.Match[str]", sources: Path) -> list[str]:
    """The lines of a source (`file`) from the first one to that at the place (`line`); none of what is no source."""
    file = sources / place["file"]
    if not file.is_file():
        return []
    return file.read_text(encoding="utf-8", errors="replace").splitlines()[: int(place["line"])]


_NO_FILE: Final = re.compile(
    r"FileNotFoundError(?P<place> in file \"?(?P<file>[^\":,\n]+)\"?, line (?P<line>\d+)):\s+"
    r"\[Errno 2\] No such file or directory: '(?P<missing>[^'\n]+)'"
)
_NAMES_SOURCE: Final = re.compile(r"\s*(?:include|module|snakefile)\b")


def _with_rule(message: str, sources: Path) -> str:
    """The message with the name of the rule that its place in a Snakefile is in, if it asks for cores."""
    found = _PLACE_OF_CORES.match(message)
    above = _lines_down_to(found, sources) if found else ()
    rules = [rule[1] for line in above if (rule := _RULE.match(line))]
    return message.replace(_CORES, f"{_CORES} of rule {rules[-1]}", 1) if rules else message


def told(message: str, data: str = "") -> str:
    """A message of Snakemake 7 or 9, as its exceptions.py writes it, in words for a launch: which files, what to do.

    Args:
        message: with its line breaks, by which files are told apart.
        data: S3 URL of the launch's data, if it is to be named.

    Returns:
        Empty for a message that is not known here.
    """
    for pattern, words in _MESSAGES:
        found = pattern.match(message)
        if found:
            return words(found, f"{_DATA} ({data})" if data else _DATA)
    return ""


def _missing_input(found: "re.Match[str]", data: str) -> str:
    what, are, them = _affected(found)
    outside = [file for file in _files(found) if file.startswith(("/", ".."))]
    if outside:
        return (
            f"MissingInputException{found['place']}: {_named(outside)}: a launch has no such path, it sees only its "
            f"data. Upload what is meant to {data}, and name it by its path there, which begins with no / and leads "
            "out of it by no `..`."
        )
    return (
        f"MissingInputException{found['place']}: {what} {are} neither in {data} nor made by a rule"
        f"{_near(_lines(found['files']))}. Upload {them} there, or correct the rule's input."
    )


def _protected_output(found: "re.Match[str]", data: str) -> str:
    what, are, them = _affected(found)
    return (
        f"ProtectedOutputException{found['place']}: {what} {are} there already, and protected(). Remove {them} from "
        f"{data} to have {them} made again."
    )


def _affected(found: "re.Match[str]") -> tuple[str, str, str]:
    facts = {name: value for name, _, value in (line.strip().partition(": ") for line in found["facts"].splitlines())}
    needed = [facts[name] for name in ("output", "wildcards") if facts.get(name)]
    files = _files(found)
    what = _named(files) + (f" (for {', '.join(needed)})" if needed else "")
    return (what, "is", "it") if len(files) == 1 else (what, "are", "them")


def _missing_output(found: "re.Match[str]", _data: str) -> str:
    files = [_NOTE.sub("", line) for line in _lines(found["files"])]
    return (
        f"MissingOutputException{found['place']}: its command ended without an error, but did not write "
        f"{_named(files)}. Let its `shell` (or script) write to {{output}}, not to a path of its own."
    )


def _ambiguous(found: "re.Match[str]", _data: str) -> str:
    return (
        f"AmbiguousRuleException{found['place']}: the rules {found['a']} and {found['b']} can both make "
        f"{found['file']}. Begin their outputs differently, constrain their wildcards, or say which comes first by "
        "`ruleorder`."
    )


def _no_rule(found: "re.Match[str]", data: str) -> str:
    return (
        f"MissingRuleException{found['place']}: no rule makes {_NEAR.sub('', found['file'])}, and it is not in {data}"
        f"{_near([found['file']])}. Correct `targets`, or the outputs of the rules."
    )


def _incomplete(found: "re.Match[str]", data: str) -> str:
    files = _lines(found["files"])
    return (
        f"IncompleteFilesException{found['place']}: {_named(files)} may be incomplete: the job that wrote "
        f"{'it' if len(files) == 1 else 'them'} did not end well. Remove {'it' if len(files) == 1 else 'them'} from "
        f"{data}, and launch again."
    )


def _no_cores(found: "re.Match[str]", _data: str) -> str:
    return (
        f"{found['name']}{found['place']}: {_CORES} is asked for, and the launch does not say what it is. "
        "Set `cores` in the section `snakemake` of its config (for example `cores: 4`), or write a number of threads."
    )


def _in_function(found: "re.Match[str]", _data: str) -> str:
    wildcards = ", ".join(_lines(found["wildcards"]))
    for_which = f" (for {wildcards})" if wildcards else ""
    return f"{found['name']}{found['place']}: {' '.join(_lines(found['said']))}{for_which}"


def _checked_output(found: "re.Match[str]", _data: str) -> str:
    files = [_PLACE_BEHIND.sub("", line) for line in _lines(found["files"])]
    what = ", ".join(file for file in files if file)
    if "checksum" in found["said"]:
        return (
            f"{found['name']}{found['place']}: the rule's output has another checksum than its "
            f"`ensure(..., sha256=...)` says: {what}. Correct the checksum, or what the rule makes of its inputs."
        )
    return (
        f"{found['name']}{found['place']}: the rule's output is empty, and its `ensure(..., non_empty=True)` says "
        f"that it is not: {what}. See why the command writes nothing, or leave `ensure` out if that may be."
    )


def _no_source(found: "re.Match[str]", _data: str) -> str:
    return (
        f"{found['name']}{found['place']}: there is no file {found['file']}. It belongs to the workflow's sources: "
        "upload it there, or correct its path, which is from the folder of the file that names it."
    )


def _not_an_input(found: "re.Match[str]", _data: str) -> str:
    return (
        f"{found[0].strip()}. If {found['file']} is in the launch's data, name it in the rule's `input:`; if it "
        "belongs to the workflow, put it among its sources. A job gets its rule's inputs and the sources, "
        "and no other file."
    )


def _file_not_there(found: "re.Match[str]", data: str) -> str:
    file = found["file"]
    if file.startswith("/"):
        advice = f"A launch has no such path: upload it to {data}, and name it by its path there."
    else:
        advice = (
            f"Upload it to {data}, at this path, or put it among the workflow's sources; what a rule's own code reads "
            "must be its `input`."
        )
    return f"{found['name']}{found['place']}: there is no file {file}. {advice}"


def _own_path(found: "re.Match[str]", _data: str) -> str:
    return (
        f"{found[0].strip()}. If the rule's shell names this path itself, let it use {{input}} or {{output}} instead: "
        "where a job runs, they may lie elsewhere."
    )


def _not_fetched(found: "re.Match[str]", _data: str) -> str:
    return (
        f"{found['name']}{found['place']}: {found['url']} could not be fetched: {found['why'].strip()} If it is "
        "private, or elsewhere, put a copy of that workflow among the launch's sources, and name it by its path there."
    )


def _syntax(found: "re.Match[str]", _data: str) -> str:
    said = found["said"].strip().rstrip(":")
    if said.startswith("Expected name or colon after "):
        said = f"{said.split('.')[0]}. Perhaps the line that begins a rule lacks its colon."
    return f"{found['name']}{found['place']}: {said}"


_AFFECTED: Final = r"[^\n]*:\n(?P<facts>.*?)^\s*affected files:\n(?P<files>.*)\Z"
_MESSAGES: Final[Sequence[tuple["re.Pattern[str]", Callable[["re.Match[str]", str], str]]]] = tuple(
    (re.compile(pattern, re.MULTILINE | re.DOTALL), words)
    for pattern, words in (
        (
            rf"MissingInputException{_PLACE}Missing input files(?:\([^\n]*\))? for (?:rule|checkpoint) {_AFFECTED}",
            _missing_input,
        ),
        (
            rf"ProtectedOutputException{_PLACE}Write-protected output files for (?:rule|checkpoint) {_AFFECTED}",
            _protected_output,
        ),
        (
            rf"MissingOutputException{_PLACE}Job\s+(?:\S+\s+)?completed successfully, but some output files "
            r"are missing\. Missing files after [^\n]*\n(?P<files>.*)\Z",
            _missing_output,
        ),
        (
            rf"AmbiguousRuleException{_PLACE}Rules (?P<a>\S+) and (?P<b>\S+) are ambiguous for the file "
            r"(?P<file>[^\n]+)\.\n",
            _ambiguous,
        ),
        (rf"MissingRuleException{_PLACE}No rule to produce (?P<file>[^\n]+?) \(if you use input functions", _no_rule),
        (
            rf"IncompleteFilesException{_PLACE}The files below seem to be incomplete\..*?Incomplete files:\n"
            r"(?P<files>.*)\Z",
            _incomplete,
        ),
        (
            rf"(?P<name>WorkflowError){_PLACE}Failed to open source file (?P<url>https?://\S+)(?P<why>[^\n]*(?:\n\w[^\n]*)?)",
            _not_fetched,
        ),
        (
            rf"(?P<name>GitCommandError){_PLACE}Cmd\('git'\) failed.*?(?P<url>https?://\S+).*?"
            r"(?P<why>(?:fatal|error): [^\n]*)",
            _not_fetched,
        ),
        (
            rf"(?P<name>\w+){_PLACE}(?:Error:\s+WorkflowError:\s+)?Workflow requires a total number of cores",
            _no_cores,
        ),
        (
            rf"(?P<name>InputFunctionException){_PLACE}Error:\s+(?P<said>.*?)\s*^Wildcards:(?P<wildcards>.*?)"
            r"\s*^Traceback:.*\Z",
            _in_function,
        ),
        (
            rf"(?P<name>WorkflowError){_PLACE}(?P<said>(?:Detected unexpected empty output files|Output files have "
            r"checksums that differ)[^\n]*)\n(?P<files>.*)\Z",
            _checked_output,
        ),
        (
            rf"(?P<name>WorkflowError){_PLACE}Failed to open source file (?!\w+://)(?P<file>[^\n]+?)\s*(?:\n.*)?\Z",
            _no_source,
        ),
        (
            r"(?P<name>\w+)(?P<place> in [^\n]*line \d+):\s+"
            r"\[Errno 2\] No such file or directory: '(?P<file>[^'\n]+)'",
            _file_not_there,
        ),
        (r"(?:\S*/)?(?:ba|da|z)?sh: (?:line )?\d+: [^\n:]+: No such file or directory\s*\Z", _own_path),
        (
            r"[^\n]*?(?:[\s'\"`‘(]|^)(?P<file>[\w.+=@-][\w.+=@/-]*)['\"`’)]*:? No such file or directory\s*\Z",
            _not_an_input,
        ),
        (
            r"(?:\w+\.)*FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<file>[^/'\n][^'\n]*)'\s*\Z",
            _not_an_input,
        ),
        (rf"(?P<name>(?:Syntax|Indentation)Error){_PLACE}(?P<said>.*?)(?:\n\s*None)?\s*\Z", _syntax),
    )
)
"""Messages as exceptions.py, dag.py and io.py of Snakemake 7.32.4 and 9.27.1 write them, one fact or file a line."""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _files(found: "re.Match[str]") -> list[str]:
    return [_NEAR.sub("", line) for line in _lines(found["files"])]


def _near(lines: Sequence[str]) -> str:
    """What is said of missing files, each thing once."""
    said = dict.fromkeys(near["near"] for line in lines if (near := _NEAR.search(line)))
    return f": {'; '.join(said)}" if said else ""


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - _MOST_NAMED:,} more" if len(files) > _MOST_NAMED else ""
    return f"{', '.join(files[:_MOST_NAMED])}{more}"
